# SPDX-License-Identifier: Apache-2.0
"""The lines of a run's charts: metrics by step, thinned as they are read, and smoothed."""

from copy import copy
from typing import Optional

import numpy as np
import pandas as pd

from modelgenerator.long_context.monitor.files import number

MOST_METRICS = 2000  # of a run; more are left out
POINTS = 2000  # a line has at most so many, an even number; a screen has no more pixels
AXES = ("step", "tokens", "time")
# Columns of a bucket: where it ends on each axis, and its values' mean, least, most.
STEP, TOKENS, TIME, MEAN, LOW, HIGH = range(6)


class Line:
    """One metric: buckets of equally many logged steps, twice as many whenever there are too many.

    So memory and drawing stay the same however long the run, and no peak is lost. Values that are
    not finite count for nothing; a bucket of nothing else is a gap.
    """

    def __init__(self):
        self.per_bucket = 1
        self._buckets = np.empty((0, 6))
        self._pending = np.empty((0, 6))  # points of a bucket not full yet

    def extend(self, points: np.ndarray) -> None:
        """Add points [n, 4]: step, tokens, time, value.

        A step that is not beyond the last one goes back: a resumed run repeats steps after its
        checkpoint, and what it logged of them before is dropped.
        """
        points = points[_not_repeated(points[:, 0])]
        if not len(points):
            return
        first = points[0, 0]
        self._buckets = self._buckets[self._buckets[:, STEP] < first]
        self._pending = self._pending[self._pending[:, STEP] < first]
        value = np.where(np.isfinite(points[:, 3:]), points[:, 3:], np.nan)
        new = np.concatenate([points[:, :3], value, value, value], axis=1)
        self._pending = np.concatenate([self._pending, new])
        self._fold()

    def _fold(self) -> None:
        while True:
            room = POINTS - len(self._buckets)
            whole = min(len(self._pending) // self.per_bucket, room) * self.per_bucket
            folded = _merge(self._pending[:whole], self.per_bucket)
            self._buckets = np.concatenate([self._buckets, folded])
            self._pending = self._pending[whole:]
            if len(self._buckets) < POINTS:
                return
            self._buckets = _merge(self._buckets, 2)
            self.per_bucket *= 2

    def table(self) -> np.ndarray:
        """Buckets [n, 6] in order: step, tokens, time, mean, low, high; the last may be partial."""
        if self.per_bucket == 1 or not len(self._pending):
            return np.concatenate([self._buckets, self._pending])
        return np.concatenate([self._buckets, _merge(self._pending, len(self._pending))])

    @property
    def last(self) -> Optional[float]:
        """The last bucket's mean; None if there is none."""
        table = self.table()
        return float(table[-1, MEAN]) if len(table) else None

    @property
    def first(self) -> Optional[float]:
        """The first bucket's mean; None if there is none."""
        table = self.table()
        return float(table[0, MEAN]) if len(table) else None


class Lines:
    """All metrics of a run, from its records.

    Attributes:
        by_name: A line for each metric.
    """

    def __init__(self):
        self.by_name: dict[str, Line] = {}

    def extend(self, records: list[dict]) -> None:
        """Add records as the callback writes them; what is not a number is left out."""
        if not records:
            return
        axes = np.stack([_column(records, axis)[0] for axis in AXES], axis=1)
        placed = np.isfinite(axes[:, STEP])
        for name in dict.fromkeys(name for record in records for name in record):
            if name in AXES or (name not in self.by_name and len(self.by_name) >= MOST_METRICS):
                continue
            values, present = _column(records, name)
            here = placed & present
            if here.any():
                points = np.concatenate([axes[here], values[here, None]], axis=1)
                self.by_name.setdefault(name, Line()).extend(points)

    def copy(self) -> "Lines":
        """The same lines, which stay as they are when these grow."""
        out = Lines()
        out.by_name = {name: copy(line) for name, line in self.by_name.items()}
        return out


def _column(records: list[dict], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of a name [n], nan where there is none, and where there is a number, bool [n]."""
    values = [record.get(name) for record in records]
    if not set(map(type, values)) <= {float, int}:  # a million lines take the short way
        values = [number(value) for value in values]
    try:
        column = np.array(values, dtype=float)  # None becomes nan
    except OverflowError:
        values = [number(value) for value in values]
        column = np.array(values, dtype=float)
    return column, np.array([value is not None for value in values])


def smoothed(values: np.ndarray, smoothing: float) -> np.ndarray:
    """Exponential moving average, corrected at the start; gaps stay gaps.

    Args:
        values: One number a point [n].
        smoothing: Weight of the past, 0 (as it is) to below 1.
    """
    if smoothing == 0:
        return values
    out = pd.Series(values).ewm(alpha=1 - smoothing, ignore_na=True).mean().to_numpy()
    return np.where(np.isnan(values), np.nan, out)


def _not_repeated(steps: np.ndarray) -> np.ndarray:
    """Which points no later one of the same or an earlier step replaces, bool [n]."""
    if not len(steps):
        return np.zeros(0, dtype=bool)
    later = np.append(np.minimum.accumulate(steps[::-1])[::-1][1:], np.inf)
    return steps < later


def _merge(rows: np.ndarray, size: int) -> np.ndarray:
    """Every `size` rows as one bucket."""
    if size == 1 or not len(rows):
        return rows
    groups = rows.reshape(-1, size, 6)
    out = groups[:, -1].copy()
    filled = ~np.isnan(groups[:, :, MEAN])
    count = filled.sum(axis=1)
    with np.errstate(invalid="ignore"):
        out[:, MEAN] = np.where(filled, groups[:, :, MEAN], 0).sum(axis=1) / np.where(
            count, count, np.nan
        )
    low = np.where(filled, groups[:, :, LOW], np.inf).min(axis=1)
    high = np.where(filled, groups[:, :, HIGH], -np.inf).max(axis=1)
    out[:, LOW] = np.where(count, low, np.nan)
    out[:, HIGH] = np.where(count, high, np.nan)
    return out
