# SPDX-License-Identifier: Apache-2.0
"""Checks of user values; each message says argument, value, what is allowed and what to do."""

import math
from collections.abc import Sequence
from typing import Optional


def check_integer(name: str, value: int, minimum: int, advice: str = "") -> int:
    """Return `value` if it is an integer of at least `minimum`, else raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ValueError(_message(name, value, f"an integer of at least {minimum}", advice))
    return value


def check_number(
    name: str,
    value: float,
    minimum: float,
    maximum: Optional[float] = None,
    exclusive: bool = False,
    advice: str = "",
) -> float:
    """Return `value` as a float if it is finite and in range, else raise ValueError.

    Args:
        name: The argument, as the user writes it.
        value: What the user gave.
        minimum: Smallest value allowed.
        maximum: Largest value allowed; None for no bound.
        exclusive: Whether `minimum` itself is refused.
        advice: What to do, appended to the message.

    Raises:
        ValueError: If `value` is not a finite number in range.
    """
    allowed = f"a finite number {'above' if exclusive else 'of at least'} {minimum:g}"
    if maximum is not None:
        allowed += f" and at most {maximum:g}"
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if (
        not is_number
        or not math.isfinite(value)
        or value < minimum
        or (exclusive and value == minimum)
        or (maximum is not None and value > maximum)
    ):
        raise ValueError(_message(name, value, allowed, advice))
    return float(value)


def check_flag(name: str, value: bool, advice: str = "") -> bool:
    """Return `value` if it is a bool, else raise ValueError: "false" in quotes counts as true."""
    if not isinstance(value, bool):
        raise ValueError(_message(name, value, "true or false, without quotes", advice))
    return value


def check_choice(name: str, value: str, choices: Sequence[str], advice: str = "") -> str:
    """Return `value` if it is one of `choices`, else raise ValueError."""
    if value not in choices:
        raise ValueError(_message(name, value, "one of " + ", ".join(choices), advice))
    return value


def _message(name: str, value: object, allowed: str, advice: str) -> str:
    return f"{name}={value!r} is not allowed: give {allowed}." + (f" {advice}" if advice else "")
