# SPDX-License-Identifier: Apache-2.0
"""What a loader kept of a table, and what it left out for which reason."""

from collections import Counter
from collections.abc import Sized

import numpy as np
from lightning.pytorch.utilities import rank_zero_info


class Kept:
    """Rows of a split that are left after each check, and the count of the others.

    Args:
        name: Whose rows, for messages: "VariantHotspot train".
        rows: How many there are.

    Attributes:
        left_out: Number of rows left out, by reason.
    """

    def __init__(self, name: str, rows: int):
        self.name = name
        self.rows = rows
        self.left_out: Counter = Counter()
        self._keep = np.ones(rows, dtype=bool)

    def leave_out(self, which: np.ndarray, reason: str) -> None:
        """Leave out rows; those that are left out already count for their first reason only."""
        which = np.asarray(which, dtype=bool) & self._keep
        if which.any():
            self.left_out[reason] += int(which.sum())
            self._keep &= ~which

    @property
    def mask(self) -> np.ndarray:
        """Which rows are kept, bool [rows]."""
        return self._keep.copy()

    @property
    def index(self) -> np.ndarray:
        """Numbers of the rows kept, int64 [kept]."""
        return np.flatnonzero(self._keep)

    def describe(self) -> dict:
        """For a record of results."""
        return {"rows": self.rows, "kept": int(self._keep.sum()), "left_out": dict(self.left_out)}

    def report(self) -> None:
        """Log what was kept.

        Raises:
            ValueError: If there were rows, and none is left.
        """
        reasons = "; ".join(f"{count:,} {why}" for why, count in self.left_out.items())
        if self.rows and not self._keep.any():
            raise ValueError(f"{self.name}: none of {self.rows:,} rows can be used ({reasons}).")
        left_out = f"; left out: {reasons}" if reasons else ""
        rank_zero_info(
            f"{self.name}: {int(self._keep.sum()):,} of {self.rows:,} rows kept{left_out}"
        )


def need_rows(module: object, split: str, rows: Sized) -> None:
    """Refuse to train or test on nothing.

    Raises:
        ValueError: If there are no rows.
    """
    if not len(rows):
        raise ValueError(f"{type(module).__name__}: there are no {split} rows. Check its splits.")
