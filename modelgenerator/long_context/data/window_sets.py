# SPDX-License-Identifier: Apache-2.0
"""The windows of a split: found, counted in the log, and refused if there are none."""

from typing import Optional

import numpy as np
from lightning.pytorch.utilities import rank_zero_info

from modelgenerator.long_context.data.windows import (
    count_n,
    cut_windows,
    eligible_starts,
    spread,
    tile,
)


def find_starts(
    parts: np.ndarray, window: int, n_runs: np.ndarray, max_n_fraction: float
) -> np.ndarray:
    """Intervals of starts to train on, int64 [k, 3]; see `eligible_starts`.

    Raises:
        ValueError: If there are none.
    """
    most_n = int(max_n_fraction * window)
    eligible = eligible_starts(parts, window, n_runs, most_n)
    found = int(np.maximum(parts[:, 1] - parts[:, 0] - window + 1, 0).sum())
    kept = int(eligible[-1, 2]) if len(eligible) else 0
    _refuse_empty("train", kept, found, window, "lower valid_share and test_share")
    rank_zero_info(
        f"GenomeWindows train: {_extent(parts)}, windows of {window:,} at {kept:,} starts "
        f"({found - kept:,} left out: more than {most_n:,} N)"
    )
    return eligible


def find_tiles(
    split: str,
    parts: np.ndarray,
    length: int,
    n_runs: np.ndarray,
    max_n_fraction: float,
    at_most: Optional[int],
) -> np.ndarray:
    """Starts of windows side by side to evaluate on, int64 [tiles].

    Args:
        split: Name of the split, "valid" or "test".
        parts: Its parts [parts, 2].
        length: Bases in a tile.
        n_runs: Runs of N in the genome [runs, 2].
        max_n_fraction: Tiles with a larger share of N are left out.
        at_most: So many at most, evenly spread; None is all.

    Raises:
        ValueError: If there are none.
    """
    most_n = int(max_n_fraction * length)
    tiles = tile(parts, length)
    kept = tiles[count_n(tiles, length, n_runs) <= most_n]
    _refuse_empty(split, len(kept), len(tiles), length, f"raise {split}_share")
    used = spread(kept, at_most)
    rank_zero_info(
        f"GenomeWindows {split}: {_extent(parts)}, {len(used):,} of {len(kept):,} windows of "
        f"{length:,} ({len(tiles) - len(kept):,} left out: more than {most_n:,} N)"
    )
    return used


def cut_tiles(tiles: np.ndarray, tile_length: int, length: int, n_runs: np.ndarray) -> np.ndarray:
    """Start of each window and of its tile, int64 [windows, 2].

    Windows of N alone are left out, for nothing in them is scored; all others stay, so that every
    length scores the same bases.
    """
    starts = cut_windows(tiles, tile_length, length)
    windows = np.stack([starts, np.repeat(tiles, tile_length // length)], axis=1)
    return windows[count_n(starts, length, n_runs) < length]


def _extent(parts: np.ndarray) -> str:
    return f"{len(parts):,} blocks, {int((parts[:, 1] - parts[:, 0]).sum()):,} bases"


def _refuse_empty(split: str, kept: int, found: int, window: int, remedy: str) -> None:
    if kept:
        return
    if found:
        raise ValueError(
            f"The {split} split is empty: all of its windows of {window:,} bases hold too many N. "
            "Raise max_n_fraction, or give sequences with fewer N."
        )
    raise ValueError(
        f"The {split} split is empty: none of its blocks holds a window of {window:,} bases. Give "
        f"more or longer sequences, change block, lower window and lengths, or {remedy}."
    )
