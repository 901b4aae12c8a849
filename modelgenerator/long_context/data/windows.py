# SPDX-License-Identifier: Apache-2.0
"""Which windows the parts of a genome hold: side by side, or at random, with few N.

Positions are global, over records laid end to end (see `Genome`). A part is a row [start, stop) of
an int64 array [parts, 2] and lies within one record; a window is its start. Nothing here reads a
base: the runs of N in the index are enough, so even a large genome takes no time.
"""

from typing import Optional

import numpy as np


def tile(parts: np.ndarray, window: int) -> np.ndarray:
    """Starts of the windows that lie side by side in each part, int64 [windows]."""
    counts = (parts[:, 1] - parts[:, 0]) // window
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(parts[:, 0], counts) + within * window


def cut_windows(starts: np.ndarray, window: int, length: int) -> np.ndarray:
    """Starts of the shorter windows that make up each window: 8 at 0 and 8, by 4: 0, 4, 8, 12."""
    return (starts[:, None] + np.arange(0, window, length)).ravel()


def spread(starts: np.ndarray, at_most: Optional[int]) -> np.ndarray:
    """At most so many of the windows, evenly over all of them; None keeps all."""
    if at_most is None or at_most >= len(starts):
        return starts
    return starts[((np.arange(at_most) + 0.5) * len(starts) / at_most).astype(np.int64)]


def count_n(starts: np.ndarray, length: int, n_runs: np.ndarray) -> np.ndarray:
    """How many N each window holds, int64 [windows]."""
    return _n_before(starts + length, n_runs) - _n_before(starts, n_runs)


def _n_before(positions: np.ndarray, n_runs: np.ndarray) -> np.ndarray:
    """N in front of each position, int64 [positions]."""
    if not len(n_runs):
        return np.zeros(len(positions), dtype=np.int64)
    sizes = n_runs[:, 1] - n_runs[:, 0]
    run = np.searchsorted(n_runs[:, 0], positions, side="right") - 1
    whole = np.append(0, np.cumsum(sizes))[np.maximum(run, 0)]
    within = np.clip(positions - n_runs[run, 0], 0, sizes[run])
    return np.where(run < 0, 0, whole + within)


def eligible_starts(parts: np.ndarray, window: int, n_runs: np.ndarray, most_n: int) -> np.ndarray:
    """Intervals of starts whose window has at most `most_n` N, int64 [k, 3].

    A row is first start, last start + 1, and the number of starts in this row and all before.

    The number of N in a window is a line, rising, level or falling by one a base, between the
    starts at which either end of the window meets the border of a run. So each stretch between
    two such starts is cut exactly, and no position is looked at one by one.
    """
    parts = parts[parts[:, 1] - parts[:, 0] >= window]
    first, stop = parts[:, 0], parts[:, 1] - window + 1
    borders = n_runs.ravel()
    knots = np.unique(np.concatenate([first, stop, borders, borders - window]))
    low, high = knots[:-1], knots[1:]
    part = np.searchsorted(first, low, side="right") - 1
    inside = (part >= 0) & (low < stop[part]) if len(parts) else np.zeros(len(low), dtype=bool)
    low, high = low[inside], high[inside]
    n = count_n(low, window, n_runs)
    slope = count_n(low + 1, window, n_runs) - n
    high = np.where(slope > 0, np.minimum(high, low + most_n - n + 1), high)
    low = np.where(slope < 0, np.maximum(low, low + n - most_n), low)
    kept = (high > low) & ((slope != 0) | (n <= most_n))
    low, high = low[kept], high[kept]
    return np.stack([low, high, np.cumsum(high - low)], axis=1)


def random_window(eligible: np.ndarray, rng: np.random.Generator) -> int:
    """One of the eligible starts, each as likely as any other.

    Args:
        eligible: Intervals of starts [k, 3] from `eligible_starts`, at least one.
        rng: Generator; the same state gives the same window.
    """
    drawn = rng.integers(eligible[-1, 2])
    _, stop, count = eligible[np.searchsorted(eligible[:, 2], drawn, side="right")]
    return int(stop - (count - drawn))
