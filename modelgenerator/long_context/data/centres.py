# SPDX-License-Identifier: Apache-2.0
"""Which windows of a labelled genome have a label: random ones of a class, and fixed centres."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from modelgenerator.long_context.data.regions import complement, union
from modelgenerator.long_context.data.windows import count_n, eligible_starts


class Centres(NamedTuple):
    """Centres of windows that have one label at every length, and how many have not.

    Attributes:
        rows: Global position and label, int64 [centres, 2], sorted by position.
        found: Centres that were looked at.
        no_bases: Those left out for too many N.
        no_label: Those left out for no or several labels.
    """

    rows: np.ndarray
    found: int
    no_bases: int
    no_label: int


def outside(runs: np.ndarray, n_runs: np.ndarray, length: int) -> np.ndarray:
    """Runs of bases that are N or not of a class, within [0, length)."""
    return union(complement(union(runs), length), n_runs)


def most_outside(min_share: float, length: int) -> int:
    """Bases of a window that may be N or of another class."""
    return int((1 - min_share) * length + 1e-9)


def class_starts(
    parts: np.ndarray, window: int, outside_runs: np.ndarray, min_share: float
) -> np.ndarray:
    """Intervals of starts whose window is of a class, int64 [k, 3]; see `eligible_starts`."""
    return eligible_starts(parts, window, outside_runs, most_outside(min_share, window))


def place_centres(parts: np.ndarray, longest: int, stride: int) -> np.ndarray:
    """Centres every `stride` bases whose longest window lies in a part: by 4 in [0, 9): 2, 6."""
    counts = np.maximum((parts[:, 1] - parts[:, 0] - longest) // stride + 1, 0)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(parts[:, 0], counts) + within * stride + longest // 2


def label_centres(
    centres: np.ndarray,
    lengths: Sequence[int],
    outside_runs: Sequence[np.ndarray],
    n_runs: np.ndarray,
    min_share: float,
) -> Centres:
    """Keep the centres whose window is of one and the same class at every length.

    Args:
        centres: Global positions [n].
        lengths: Lengths of windows around each.
        outside_runs: Runs outside of each class, from `outside`.
        n_runs: Runs of N.
        min_share: Share of a window's bases that must be of the class; above one half, so that it
            is of one class at most.
    """

    def few(runs: np.ndarray) -> np.ndarray:
        counts = [count_n(centres - n // 2, n, runs) <= most_outside(min_share, n) for n in lengths]
        return np.all(counts, axis=0)

    enough_bases = few(n_runs)
    of_class = np.array([few(runs) for runs in outside_runs]).reshape(len(outside_runs), -1)
    kept = of_class.any(axis=0)
    rows = np.stack([centres[kept], of_class[:, kept].argmax(axis=0)], axis=1)
    no_bases = int((~enough_bases).sum())
    return Centres(rows, len(centres), no_bases, len(centres) - len(rows) - no_bases)
