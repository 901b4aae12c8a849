# SPDX-License-Identifier: Apache-2.0
"""Tables that hold whole sequences: checked once, then read a row at a time."""

import hashlib
import inspect
import os
import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, List, Literal, Optional

import datasets
import numpy as np
import pyarrow.compute as pc
import torch
from torch.utils.data import DataLoader, Dataset

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data.checks import check_at_least, check_share
from modelgenerator.long_context.data.collate import collate, example
from modelgenerator.long_context.data.fasta import AMBIGUOUS
from modelgenerator.long_context.data.kept import Kept, need_rows
from modelgenerator.long_context.data.table_files import SPLITS, TableFiles
from modelgenerator.long_context.data.vocabulary import encode, reverse_complement

CHUNK = 256  # rows looked at together
_LETTERS = re.escape("ACGTUN" + AMBIGUOUS)  # of which one is "-", that would make a range
_OTHER = f"[^{_LETTERS}{_LETTERS.lower()}]"
_NO_BASE = "[^ACGTUacgtu]"

Crop = Literal["centre", "start", "end"]


def crop(length: int, window: int, which: Crop) -> slice:
    """Where a window lies in a sequence: 4 of 10 in the centre are 3 to 7; all of 3 are 0 to 3.

    The base at `length // 2` comes to the window's middle, where `centre_pool` looks for it.
    """
    spare = max(0, length - window)
    first = {"centre": length // 2 - min(length, window) // 2, "start": 0, "end": spare}[which]
    return slice(first, first + min(length, window))


class SequenceRows(Dataset):
    """Rows of a table as windows.

    Args:
        table: The rows that were kept.
        labels: Labels of each row [rows, ...].
        x_col: Column with the sequences.
        window: Longest window.
        which: What is kept of longer sequences.
        name: The split, for the ids of windows.
        index: Number of each row in the file.
    """

    def __init__(
        self,
        table: datasets.Dataset,
        labels: Optional[np.ndarray],
        x_col: str,
        window: int,
        which: Crop,
        name: str,
        index: np.ndarray,
    ):
        self.table = table
        self.labels = labels
        self.x_col = x_col
        self.window = window
        self.which = which
        self.name = name
        self.index = index

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> dict:
        row = self.table[int(index)]
        sequence = row[self.x_col]
        part = crop(len(sequence), self.window, self.which)
        ids = encode(sequence[part].encode())
        name = f"{self.name}:{self.index[index]}"
        return self._example(ids, row, part, index, name)

    def _example(self, ids: np.ndarray, row: dict, part: slice, index: int, name: str) -> dict:
        return example(ids, self.labels[index], name)


class SequenceTable(DataInterface, TableFiles):
    """Sequences with labels from tables, on the hub or in a folder that holds the same files.

    Note:
        Rows without a sequence or a label, with letters that are no nucleotides, with too many N,
        and evaluation rows whose sequence also trains, on either strand, are left out; how many
        and why is logged and in `describe()`. Shorter rows are padded, and padding is masked.
        Nothing is run that a dataset brings along.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files.
        window: Longest window, in nucleotides; longer sequences are cropped.
        x_col: Column with the sequences.
        y_col: Column with the labels.
        crop: What is kept of longer sequences.
        max_n_fraction: Rows with a larger share of N are left out.
        group_col: Rows with the same value here, such as a gene, never train and test at once where
            splits are made here.
        **kwargs: Splits, batch size and the rest, as in ModelGenerator's data modules.

    Attributes:
        counts: For each split, how many rows there were, were kept, and were left out, and why.

    Raises:
        ValueError: If files cannot be reached, or lack a column, or hold unusable labels.
    """

    rows = SequenceRows

    def __init__(
        self,
        path: str,
        window: int = 64_000,
        x_col: str = "sequence",
        y_col: Any = "label",
        crop: Crop = "centre",
        max_n_fraction: float = 0.5,
        group_col: Optional[str] = None,
        **kwargs,
    ):
        super().__init__(path=path, collate_fn=collate, **kwargs)
        check_at_least("window", window, 1)
        check_at_least("batch_size", self.batch_size, 1)
        check_share("max_n_fraction", max_n_fraction)
        self.window = window
        self.x_col = x_col
        self.y_col = y_col
        self.crop = crop
        self.max_n_fraction = max_n_fraction
        self.group_col = group_col
        self.pin_memory = self.pin_memory and torch.cuda.is_available()
        self.counts: dict = {}
        self.train_dataset = self.val_dataset = self.test_dataset = None

    # What a subclass says.

    @abstractmethod
    def read_labels(self, table: datasets.Dataset, kept: Kept) -> Optional[np.ndarray]:
        """Labels of all rows [rows, ...]; leaves out of `kept` the rows without one.

        Raises:
            ValueError: If labels are not what they should be.
        """

    @property
    def label_columns(self) -> List[str]:
        """Columns that `read_labels` needs."""
        return [self.y_col] if isinstance(self.y_col, str) else list(self.y_col)

    @property
    def text_columns(self) -> List[str]:
        """Columns that a CSV's reader is to leave as they stand."""
        return []

    # What others ask.

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch.

        `input_ids`, `attention_mask`: int64 [batch, n + 2], with [CLS] and [SEP]. `labels`.
        `sequences`: the windows as strings. `ids`: "train:17", the split and the row in its file.
        """
        return ["input_ids", "attention_mask", "labels", "sequences", "ids"]

    @property
    def longest(self) -> int:
        """The longest window."""
        return self.window

    @property
    def test_sets(self) -> list:
        """Kind and length of each test dataloader."""
        return [("windows", self.window)]

    def describe(self) -> dict:
        """Arguments and counts, for a record of results; a folder by its name."""
        arguments = {
            name: getattr(self, name)
            for cls in type(self).__mro__
            if issubclass(cls, SequenceTable)
            for name in inspect.signature(cls.__init__).parameters
            if name not in ("self", "kwargs")
        }
        local = os.path.isdir(self.path)
        arguments["path"] = os.path.basename(os.path.abspath(self.path)) if local else self.path
        return {"module": type(self).__name__, **arguments, "counts": self.counts}

    def __getstate__(self) -> dict:
        # As GenomeWindows: upstream's tasks pickle their data module into every checkpoint.
        return {**vars(self), "trainer": None}

    def setup(self, stage: Optional[str] = None) -> None:
        """Load the tables and check every row, once for all stages."""
        if self.train_dataset is not None:
            return
        self.check_files()
        tables = self.load_and_split_dataset(**{**self._reader(), **self.extra_reader_kwargs})
        tables = self.get_split_by_fold_id(*tables, self.cv_test_fold_id, self.cv_val_offset)
        seen: set = set()
        made = [self._rows(*split, seen) for split in zip(SPLITS, tables, strict=True)]
        self.train_dataset, self.val_dataset, self.test_dataset = made

    def _reader(self) -> dict:
        """Options for the reader of CSV, which has others than those of other files."""
        if not (self.text_columns and self.is_delimited()):
            return {}
        return {"converters": dict.fromkeys(self.text_columns, str)}

    def _rows(self, split: str, table: datasets.Dataset, seen: set) -> SequenceRows:
        kept = Kept(f"{type(self).__name__} {split}", len(table))
        if len(table):
            self.check_columns(split, table)
        labels = self.read_labels(table, kept)
        self._check_sequences(table, kept, seen)
        kept.report()
        self.counts[split] = kept.describe()
        labels = None if labels is None else labels[kept.mask]
        return self.rows(
            table.select(kept.index), labels, self.x_col, self.window, self.crop, split, kept.index
        )

    def check_columns(self, split: str, table: datasets.Dataset) -> None:
        needed = [self.x_col, *self.label_columns, *([self.group_col] if self.group_col else [])]
        missing = [name for name in needed if name not in table.column_names]
        if missing:
            raise ValueError(
                f"{type(self).__name__}: the {split} split of {self.path} has no column "
                f"{', '.join(missing)}; it has {', '.join(table.column_names)}. Give the names as "
                "x_col, y_col and group_col."
            )

    def _check_sequences(self, table: datasets.Dataset, kept: Kept, seen: set) -> None:
        """Leave out rows by their sequence; `seen` holds those of the splits before."""
        missing, other, many_n, leaked = (np.zeros(len(table), dtype=bool) for _ in range(4))
        own = set()
        at = 0
        columns = table.select_columns([self.x_col]).with_format("arrow")
        for chunk in columns.iter(batch_size=CHUNK) if len(table) else ():
            sequences = pc.fill_null(chunk[self.x_col], "")
            here = slice(at, at + len(sequences))
            length = pc.utf8_length(sequences).to_numpy()
            missing[here] = length == 0
            other[here] = pc.match_substring_regex(sequences, _OTHER).to_numpy()
            no_base = pc.count_substring_regex(sequences, _NO_BASE).to_numpy()
            many_n[here] = no_base > self.max_n_fraction * length
            digests = [_digest(sequence.as_py()) for sequence in sequences]
            leaked[here] = [digest in seen for digest in digests]
            own.update(digests)
            at = here.stop
        seen |= own
        kept.leave_out(missing, "without a sequence")
        kept.leave_out(other, "with letters that are no nucleotides")
        kept.leave_out(many_n, f"with more than {self.max_n_fraction:.0%} N")
        kept.leave_out(leaked, "whose sequence is also in a split before, on either strand")

    def train_dataloader(self) -> DataLoader:
        """Rows to train on; there must be some."""
        need_rows(self, "training", self.train_dataset)
        return super().train_dataloader()

    def test_dataloader(self) -> DataLoader:
        """Rows to test on; there must be some."""
        need_rows(self, "test", self.test_dataset)
        return super().test_dataloader()


def _digest(sequence: str) -> bytes:
    """The same for a sequence and its reverse complement, in either case."""
    ids = encode(sequence.encode())
    strands = (ids.tobytes(), reverse_complement(ids).tobytes())
    return hashlib.blake2b(min(strands), digest_size=12).digest()


def column(table: datasets.Dataset, name: str) -> Any:
    """One column of a table, as a pandas Series; the others are not read."""
    return table.select_columns([name]).to_pandas()[name]


def matrix(table: datasets.Dataset, names: Sequence[str]) -> np.ndarray:
    """Numbers of several columns, or of one column of lists, float64 [rows, numbers].

    Raises:
        ValueError: If lists differ in length, or anything is no number.
    """
    if not len(table):
        return np.zeros((0, 1))
    columns = [column(table, name) for name in names]
    lists = len(columns) == 1 and isinstance(columns[0].iloc[0], (list, tuple, np.ndarray))
    try:
        if lists:
            return np.stack([np.asarray(row, dtype=np.float64) for row in columns[0]])
        return np.stack([np.asarray(values, dtype=np.float64) for values in columns], axis=1)
    except (TypeError, ValueError):
        raise ValueError(
            f"labels: {', '.join(names)} must hold one number a row, or lists of as many numbers "
            "in every row. Give other columns as y_col."
        ) from None
