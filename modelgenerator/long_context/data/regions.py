# SPDX-License-Identifier: Apache-2.0
"""Arithmetic of runs: rows [start, stop) of an int64 array [runs, 2], sorted and not touching."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

NOTHING = np.zeros((0, 2), dtype=np.int64)


def union(*runs: np.ndarray) -> np.ndarray:
    """What any covers, itself unsorted or overlapping or not: [[2, 4], [0, 3]] is [[0, 4]]."""
    rows = np.concatenate([NOTHING, *runs])
    rows = rows[rows[:, 1] > rows[:, 0]]
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    reach = np.maximum.accumulate(rows[:, 1])
    begins = np.append(True, rows[1:, 0] > reach[:-1])[: len(rows)]
    ends = np.append(begins[1:], True)[: len(rows)]
    return np.stack([rows[begins, 0], reach[ends]], axis=1)


def complement(runs: np.ndarray, length: int) -> np.ndarray:
    """What of [0, length) they leave out."""
    borders = np.concatenate([[0], runs.ravel(), [length]]).reshape(-1, 2)
    return borders[borders[:, 1] > borders[:, 0]]


def subtract(runs: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What of `runs` none of `others` covers."""
    length = int(max(runs.max(initial=0), others.max(initial=0)))
    return complement(union(complement(runs, length), others), length)


def intersect(runs: np.ndarray, others: np.ndarray) -> np.ndarray:
    """What both cover."""
    return subtract(runs, subtract(runs, others))


class Track(NamedTuple):
    """A label for every base, kept as runs: read a window at a time, whatever the genome's size.

    Attributes:
        runs: Where labels other than the background's hold, int64 [runs, 2], sorted.
        labels: Label of each run, int64 [runs].
        background: Label of all other bases.
    """

    runs: np.ndarray
    labels: np.ndarray
    background: int = 0

    def read(self, start: int, length: int) -> np.ndarray:
        """Labels of `length` bases from a global position, int64 [length]."""
        out = np.full(length, self.background, dtype=np.int64)
        first = np.searchsorted(self.runs[:, 1], start, side="right")
        last = np.searchsorted(self.runs[:, 0], start + length)
        for (begin, stop), label in zip(
            np.clip(self.runs[first:last] - start, 0, length), self.labels[first:last], strict=True
        ):
            out[begin:stop] = label
        return out


def overlay(classes: Sequence[np.ndarray], background: int = 0) -> Track:
    """A track of label i + 1 where class i holds; where several do, the last wins.

    Args:
        classes: Runs of each class [k, 2]; may overlap and be unsorted.
        background: Label of bases of no class.
    """
    taken, rows, labels = NOTHING, [], []
    for label in range(len(classes), 0, -1):
        runs = union(classes[label - 1])
        free = subtract(runs, taken)
        rows.append(free)
        labels.append(np.full(len(free), label))
        taken = union(taken, runs)
    rows, labels = np.concatenate([NOTHING, *rows]), np.concatenate([[], *labels]).astype(np.int64)
    order = np.argsort(rows[:, 0], kind="stable")
    return Track(rows[order], labels[order], background)
