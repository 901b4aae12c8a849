# SPDX-License-Identifier: Apache-2.0
"""Sequences from tables with each kind of label: a class, several yes or no, numbers, per base."""

from typing import List, Optional, Union

import datasets
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.utilities import rank_zero_warn

from modelgenerator.long_context.data.collate import example
from modelgenerator.long_context.data.kept import Kept
from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.data.sequence_tables import (
    SequenceRows,
    SequenceTable,
    column,
    matrix,
)
from modelgenerator.long_context.data.vocabulary import N


def check_classes(values: np.ndarray, n_classes: int, what: str) -> None:
    """Refuse labels that are no classes from 0.

    Raises:
        ValueError: If one is not a whole number from 0 to n_classes - 1.
    """
    odd = values[(values < 0) | (values >= n_classes) | (values != np.floor(values))]
    if len(odd):
        raise ValueError(
            f"{what}: label {odd[0]:g} is out of range: with n_classes {n_classes} labels are 0 to "
            f"{n_classes - 1}. {len(odd):,} rows are out of range; give another n_classes or y_col."
        )


def class_numbers(
    values: pd.Series, n_classes: int, classes: Optional[List[str]], what: str
) -> pd.Series:
    """Classes of labels, float64, NaN where a label is missing.

    Args:
        values: Labels as a table has them; missing or "" where there is none.
        n_classes: Number of classes.
        classes: Names of the classes 0, 1, ..., numbers among them or not; None if labels are the
            numbers of the classes.
        what: Where they are from, for messages.

    Raises:
        ValueError: If a label is none of the classes.
    """
    given = values[values.notna() & (values != "")]
    if classes:
        names = {str(name): i for i, name in enumerate(classes)}
        # Whole numbers with gaps among them have become floats, in pandas or in what it wrote.
        numbers = given.astype(str).map(lambda x: names.get(x, names.get(x.removesuffix(".0"))))
        known = ", ".join(classes)
    else:
        numbers = pd.to_numeric(given, errors="coerce")
        known = f"numbers from 0 to {n_classes - 1}; for names give `classes`"
    if numbers.isna().any():
        odd = given[numbers.isna()].iloc[0]
        raise ValueError(f"{what}: label {odd!r} is unknown. Allowed are {known}.")
    check_classes(numbers.to_numpy(dtype=float), n_classes, what)
    return numbers.astype(float).reindex(values.index)


class SequenceClasses(SequenceTable):
    """Sequences from tables with one class each.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files.
        window: Longest window, in nucleotides; longer sequences are cropped.
        n_classes: Number of classes, 0 to n_classes - 1.
        classes: Names of the classes 0, 1, ..., where labels are names.
    """

    def __init__(
        self,
        path: str,
        window: int = 64_000,
        n_classes: int = 2,
        classes: Optional[List[str]] = None,
        **kwargs,
    ):
        super().__init__(path, window, **kwargs)
        self.classes = classes
        self.n_classes = len(classes) if classes else n_classes

    def read_labels(self, table: datasets.Dataset, kept: Kept) -> np.ndarray:
        """Classes [rows]."""
        values = column(table, self.y_col) if len(table) else pd.Series(dtype=float)
        numbers = class_numbers(values, self.n_classes, self.classes, kept.name)
        kept.leave_out(numbers.isna().to_numpy(), "without a label")
        return numbers.fillna(IGNORED).to_numpy().astype(np.int64)

    @property
    def text_columns(self) -> List[str]:
        """Names of classes are text, also where they look like numbers or like nothing."""
        return [self.y_col] if self.classes else []

    @property
    def class_weight(self) -> torch.Tensor:
        """Weights for a loss in which every class counts as much, float32 [n_classes]."""
        counts = np.bincount(self.train_dataset.labels, minlength=self.n_classes).clip(min=1)
        return torch.tensor(counts.sum() / (counts * self.n_classes), dtype=torch.float32)


class SequenceMultilabels(SequenceTable):
    """Sequences from tables with several labels each that hold (1) or do not (0).

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files.
        window: Longest window, in nucleotides; longer sequences are cropped.
        y_col: One column of lists, or a column for each label.
    """

    def __init__(
        self, path: str, window: int = 64_000, y_col: Union[str, List[str]] = "label", **kwargs
    ):
        super().__init__(path, window, y_col=y_col, **kwargs)

    def read_labels(self, table: datasets.Dataset, kept: Kept) -> np.ndarray:
        """0 or 1 for each label [rows, labels]."""
        values = matrix(table, self.label_columns)
        missing = np.isnan(values)
        kept.leave_out(missing.any(axis=1), "without a label")
        check_classes(values[~missing], 2, kept.name)
        return np.where(missing, 0, values).astype(np.int64)


class SequenceValues(SequenceTable):
    """Sequences from tables with one number each, or several.

    Note:
        Numbers are standardised by `mean` and `std`, those of the training rows.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files.
        window: Longest window, in nucleotides; longer sequences are cropped.
        y_col: A column of numbers or of lists of numbers, or several columns of numbers.
        normalize: Whether to standardise.
    """

    def __init__(
        self,
        path: str,
        window: int = 64_000,
        y_col: Union[str, List[str]] = "label",
        normalize: bool = True,
        **kwargs,
    ):
        super().__init__(path, window, y_col=y_col, **kwargs)
        self.normalize = normalize
        self.mean: Optional[np.ndarray] = None
        self.std: Optional[np.ndarray] = None

    def read_labels(self, table: datasets.Dataset, kept: Kept) -> np.ndarray:
        """Numbers, float32 [rows, numbers]."""
        values = matrix(table, self.label_columns)
        kept.leave_out(~np.isfinite(values).all(axis=1), "without a finite number")
        return values.astype(np.float32)

    def setup(self, stage: Optional[str] = None) -> None:
        """As other tables; then standardise."""
        done = self.train_dataset is not None
        super().setup(stage)
        if done or not self.normalize or not len(self.train_dataset):
            return
        self.mean = self.train_dataset.labels.mean(axis=0)
        self.std = self.train_dataset.labels.std(axis=0)
        if (self.std == 0).any():
            flat = int((self.std == 0).sum())
            rank_zero_warn(f"{type(self).__name__}: {flat} columns are the same in all of train.")
            self.std = np.where(self.std == 0, 1, self.std)
        for rows in (self.train_dataset, self.val_dataset, self.test_dataset):
            rows.labels = (rows.labels - self.mean) / self.std


def _list(given: object) -> list:
    """Labels of a row, as a list or a string of digits; a lone number is no list of them."""
    return list(given) if isinstance(given, str | list | np.ndarray) else [given]


class TokenRows(SequenceRows):
    """Rows of a table with a label for every base, read with the row."""

    y_col = "labels"

    def _example(self, ids: np.ndarray, row: dict, part: slice, index: int, name: str) -> dict:
        given = row[self.y_col]
        labels = np.array(_list(given), dtype=np.int64)[part]
        return example(ids, np.where(ids == N, IGNORED, labels), name)


class SequenceTracks(SequenceTable):
    """Sequences from tables with a class for every nucleotide.

    Note:
        `labels` is int64 [batch, n], -100 for N and for padding. In the table it is a list of whole
        numbers as long as the sequence, or a string of digits; -100 in a list is ignored.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files.
        window: Longest window, in nucleotides; longer sequences are cropped, labels with them.
        n_classes: Number of classes, 0 to n_classes - 1.
    """

    rows = TokenRows

    def __init__(self, path: str, window: int = 64_000, n_classes: int = 2, **kwargs):
        super().__init__(path, window, **kwargs)
        self.n_classes = n_classes

    def read_labels(self, table: datasets.Dataset, kept: Kept) -> None:
        """Check labels; they are read with their row."""
        missing, unfit = (np.zeros(len(table), dtype=bool) for _ in range(2))
        for i, row in enumerate(table.select_columns([self.x_col, self.y_col])):
            given, sequence = row[self.y_col], row[self.x_col]
            missing[i] = not given
            unfit[i] = not missing[i] and len(_list(given)) != len(sequence or "")
            if given:
                try:
                    values = np.array(_list(given), dtype=float)
                except (TypeError, ValueError):
                    raise ValueError(
                        f"{kept.name}: {self.y_col} in row {i} must be a list of whole numbers or "
                        f"a string of digits, and is {str(given)[:50]!r}."
                    ) from None
                check_classes(values[values != IGNORED], self.n_classes, kept.name)
        kept.leave_out(missing, "without labels")
        kept.leave_out(unfit, "with more or fewer labels than bases")

    @property
    def text_columns(self) -> List[str]:
        """In a CSV labels are strings of digits; as numbers they would lose zeros in front."""
        return [self.y_col]

    def _rows(self, split: str, table: datasets.Dataset, seen: set) -> TokenRows:
        rows = super()._rows(split, table, seen)
        rows.y_col = self.y_col
        return rows
