# SPDX-License-Identifier: Apache-2.0
"""Checks of what a user asks of GenomeWindows, before any data is read."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Optional

from modelgenerator.long_context.data.copies import SHARE, largest_copies


def check_given(function: Callable, values: dict[str, Any]) -> None:
    """Refuse null where it stands for nothing; the command line lets it through for any type.

    Args:
        function: What was called; a parameter whose default is None may be null.
        values: Its arguments, by name.
    """
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is not None and name in values and values[name] is None:
            raise ValueError(f"{name}: null; give a value, or leave it out if it has a default.")


def check_at_least(name: str, value: Optional[int], least: int) -> None:
    """Refuse a number below what makes sense; None stands for a default and passes."""
    if value is not None and value < least:
        raise ValueError(f"{name}: {value}; give at least {least}.")


def check_lengths(window: int, lengths: Sequence[int], block: Optional[int]) -> None:
    """Refuse lengths that cannot be cut from the longest one, or blocks too small for them."""
    check_at_least("window", window, 1)
    check_distinct_lengths(lengths)
    for length in lengths:
        if max(lengths) % length:
            raise ValueError(
                f"lengths: {max(lengths)} is no multiple of {length}. Every length is cut from the "
                "same windows of the longest, so that all score the same bases; give lengths that "
                "divide it, such as 512, 1024, 2048."
            )
    check_block(block, max(window, *lengths))


def check_block(block: Optional[int], longest: int) -> None:
    """Refuse blocks that hold no window of the longest length."""
    if block is not None and block < longest:
        raise ValueError(
            f"block: {block}; give at least {longest}, the longest of `window` and `lengths`."
        )


def check_distinct_lengths(lengths: Sequence[int]) -> None:
    """Refuse no length, one below 1, and one given twice."""
    if not lengths:
        raise ValueError("lengths: none is given. Leave it out to test on `window`.")
    for length in lengths:
        check_at_least("lengths", length, 1)
        if list(lengths).count(length) > 1:
            raise ValueError(f"lengths: {length} is given twice. Give every length once.")


def check_share(name: str, value: float) -> None:
    """Refuse what is no share from 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: {value}; give a share from 0 to 1.")


def check_shares(valid_share: float, test_share: float) -> None:
    """Refuse shares that leave nothing to train on."""
    check_share("valid_share", valid_share)
    check_share("test_share", test_share)
    if valid_share + test_share >= 1:
        raise ValueError(
            f"valid_share {valid_share} and test_share {test_share} sum to "
            f"{valid_share + test_share}; the sum must stay below 1 to leave bases to train on."
        )


def check_rates(mask_rate: float, copy_mask_rate: Optional[float], max_n_fraction: float) -> None:
    """Refuse rates that mask nothing or everything, and windows of N alone."""
    if not 0 < mask_rate < 1:
        raise ValueError(f"mask_rate: {mask_rate}; give a rate above 0 and below 1, such as 0.15.")
    if copy_mask_rate is not None and not 0 < copy_mask_rate <= 1:
        raise ValueError(f"copy_mask_rate: {copy_mask_rate}; give a rate above 0, at most 1.")
    if not 0 <= max_n_fraction < 1:
        raise ValueError(f"max_n_fraction: {max_n_fraction}; give a share from 0, below 1.")


def check_copies(
    counts: dict[int, int],
    min_length: int,
    max_length: int,
    reverse_complement_share: float,
    copy_share: float,
) -> None:
    """Refuse copies that do not fit a window.

    Args:
        counts: How many copies a window of each length gets.
        min_length: Shortest copy.
        max_length: Longest copy.
        reverse_complement_share: Share of copies on the other strand.
        copy_share: Share of training windows with copies.
    """
    check_share("copy_share", copy_share)
    check_share("copy_reverse_complement", reverse_complement_share)
    check_at_least("copy_min_length", min_length, 1)
    if max_length < min_length:
        raise ValueError(
            f"copy_max_length: {max_length}; give at least copy_min_length, {min_length}."
        )
    if copy_share > 0 and not counts:
        raise ValueError(
            f"copy_share: {copy_share}, but copies_per_window is 0. Give copies_per_window a "
            "number, or set copy_share to 0."
        )
    for length, count in counts.items():
        if max_length > largest_copies(length, count):
            raise ValueError(
                f"copy_max_length: {max_length}; a window of {length} with {count} copies has room "
                f"for {largest_copies(length, count)} (sources and copies of several take at most "
                f"{SHARE:.0%} of it). Give shorter or fewer copies, or longer windows."
            )
