# SPDX-License-Identifier: Apache-2.0
"""Intervals of a user's table, with a class or with numbers, in windows of a user's genome."""

from collections.abc import Sequence
from typing import List, Optional, Union

import numpy as np
import pandas as pd

from modelgenerator.long_context.data.interval_table import read_interval_table
from modelgenerator.long_context.data.interval_windows import Intervals, IntervalWindows
from modelgenerator.long_context.data.labelled_sequences import class_numbers


class IntervalClasses(IntervalWindows):
    """Intervals of BED, GFF, CSV, TSV or Parquet with a class each, in windows of any length.

    Note:
        A column `split` (train, valid, test) says which row is for what; without it give
        `test_chromosomes` and `valid_chromosomes`. A column `strand` turns windows of "-" around.

    Args:
        table: BED (the fourth column is the label), GFF (its type is), CSV, TSV or Parquet.
        fasta: The genome the table was made for: FASTA files or patterns, plain or compressed.
        window: Length of the windows, in nucleotides, centred on the intervals.
        n_classes: Number of classes, 0 to n_classes - 1.
        classes: Names of the classes 0, 1, ..., where labels are names. Of a GFF only rows of these
            types are read.
        label: Column with the label.
        one_based: Whether a CSV, TSV or Parquet counts from 1, its `stop` being the last base.
    """

    def __init__(
        self,
        table: str,
        fasta: Union[str, List[str]],
        window: int,
        n_classes: int = 2,
        classes: Optional[List[str]] = None,
        label: str = "label",
        one_based: bool = False,
        **kwargs,
    ):
        super().__init__(fasta, window, **kwargs)
        self.table = table
        self.classes = classes
        self.n_classes = len(classes) if classes else n_classes
        self.label = label
        self.one_based = one_based

    def read_intervals(self) -> Intervals:
        """The table, its labels as classes."""
        text = [self.label] if self.classes else []
        frame = _read(self, self.table, [self.label], self.one_based, text)
        if "attributes" in frame and self.classes:  # GFF
            frame = frame[frame[self.label].isin(self.classes)].reset_index(drop=True)
        numbers = class_numbers(
            frame[self.label], self.n_classes, self.classes, f"{self.label} in {self.table}"
        )
        labels = numbers.fillna(0).to_numpy().astype(np.int64)
        return Intervals(frame, labels, numbers.isna().to_numpy())


class IntervalValues(IntervalWindows):
    """Intervals of BED, CSV, TSV or Parquet with one number each or several, in windows.

    Args:
        table: BED (the fourth column is the label), CSV, TSV or Parquet; see `IntervalClasses`.
        fasta: The genome the table was made for: FASTA files or patterns, plain or compressed.
        window: Length of the windows, in nucleotides, centred on the intervals.
        label: Column with the numbers, or several columns.
        one_based: Whether a CSV, TSV or Parquet counts from 1, its `stop` being the last base.
    """

    def __init__(
        self,
        table: str,
        fasta: Union[str, List[str]],
        window: int,
        label: Union[str, List[str]] = "label",
        one_based: bool = False,
        **kwargs,
    ):
        super().__init__(fasta, window, **kwargs)
        self.table = table
        self.label = label
        self.one_based = one_based

    def read_intervals(self) -> Intervals:
        """The table, its labels as numbers, float32 [rows, numbers]."""
        names = [self.label] if isinstance(self.label, str) else list(self.label)
        frame = _read(self, self.table, names, self.one_based)
        values = frame[names].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float32)
        return Intervals(frame, values, ~np.isfinite(values).all(axis=1))


def _read(
    data: IntervalWindows,
    table: str,
    labels: List[str],
    one_based: bool,
    text: Sequence[str] = (),
) -> pd.DataFrame:
    frame = read_interval_table(table, one_based, text).reset_index(drop=True)
    missing = [name for name in labels if name not in frame]
    if missing:
        raise ValueError(
            f"label: {table} has no column {', '.join(missing)}; it has "
            f"{', '.join(map(str, frame.columns))}."
        )
    if "split" not in frame:
        if data.test_chromosomes is None:
            raise ValueError(
                f"split: {table} has no such column, so nothing is kept for testing. Give "
                "test_chromosomes (and valid_chromosomes), or a column with train, valid and test."
            )
        frame["split"] = "train"
    return frame
