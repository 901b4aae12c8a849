# SPDX-License-Identifier: Apache-2.0
"""Genomic-NIAH: a needle of 24 bp to be found again in a haystack of real DNA, at three lengths.

HuggingFaceBio/genomic-niah, Apache-2.0. Its names count tokens of six bases: `4k` is 24,576 bp.
"""

from typing import List, Literal, Optional

import datasets
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from modelgenerator.long_context.data.collate import collate, with_special_tokens
from modelgenerator.long_context.data.kept import Kept
from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.data.sequence_tables import SequenceTable, column
from modelgenerator.long_context.data.vocabulary import MASK, decode, encode

COPY = 1  # a direct copy, as in planted ones
TOKEN = 6  # bases


class Needles(Dataset):
    """Windows that end in a masked value, whose copy stands behind the same key in the haystack."""

    def __init__(self, table: datasets.Dataset, window: int):
        self.table = table
        self.length = window

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> dict:
        row = self.table[int(index)]
        sequence, value = row["positive_sequence"], row["value"]
        at = len(sequence) - len(value)
        ids = encode(sequence.encode())
        labels, kind, distance = (np.zeros(len(ids) + 2, dtype=np.int64) for _ in range(3))
        labels[:] = IGNORED
        labels[1 + at : -1] = ids[at:]
        kind[1 + at : -1] = COPY
        distance[1 + at : -1] = at - sequence.rindex(value, 0, at)
        shown = ids.copy()
        shown[at:] = MASK
        return {
            "input_ids": with_special_tokens(shown),
            "attention_mask": torch.ones(len(ids) + 2, dtype=torch.long),
            "labels": torch.from_numpy(labels),
            "copy_kind": torch.from_numpy(kind),
            "copy_distance": torch.from_numpy(distance),
            "sequences": decode(ids),
            "ids": str(row["uid"]),
            "window": index,
        }


class GenomicNIAH(SequenceTable):
    """Recall of a value of 24 bp that stands behind a key somewhere in the window, for `MaskedLM`.

    The key and the value are repeated at the end of the window, and the value is masked there: its
    bases count as those of a copy, so `mgen test` gives `copy_perplexity` and `recall`, by distance
    too. Guessing recalls a quarter. The set only tests; it was made to be generated from left to
    right, and a model that reads both ways is given the value's length.

    Note:
        The haystack with key and value is `positive_sequence`. The owners warn that comparing its
        likelihood with that of `negative_sequence` flatters models, so that is not done here.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with a clone of it.
        context: Length in tokens of six bases: 4k is 24,576 bp, 8k 49,152 bp, 16k 98,304 bp.
        decoys: Keys that differ from the true one in 4, 2 or 1 bases stand in the haystack too.
    """

    def __init__(
        self,
        path: str = "HuggingFaceBio/genomic-niah",
        context: Literal["4k", "8k", "16k"] = "4k",
        decoys: Literal["none", "d4", "d2", "d1"] = "none",
        train_split_name: Optional[str] = None,
        **kwargs,
    ):
        super().__init__(
            path,
            window=int(context.removesuffix("k")) * 1024 * TOKEN,
            x_col="positive_sequence",
            y_col="value",
            train_split_name=train_split_name,
            **kwargs,
        )
        if self.config_name is None and not self.test_split_files:
            decoy = "" if decoys == "none" else f"neardup_{decoys}_"
            self.config_name = f"niah_{decoy}{context}"
        self.context = context
        self.decoys = decoys
        self.test_datasets: List[Needles] = []

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch, as of GenomeWindows.

        `input_ids`, `attention_mask`, `labels`, `copy_kind`, `copy_distance`: int64 [batch, n + 2].
        """
        names = ["input_ids", "attention_mask", "labels", "copy_kind", "copy_distance"]
        return [*names, "sequences", "ids", "window"]

    @property
    def label_columns(self) -> List[str]:
        """What the windows are made from."""
        return ["value", "uid", "context_length_tokens"]

    @property
    def lengths(self) -> List[int]:
        """The one length of the windows."""
        return [self.window]

    @property
    def test_sets(self) -> list:
        """Kind and length of each test dataloader."""
        return [("copies", self.window)]

    def read_labels(self, table: datasets.Dataset, kept: Kept) -> None:
        """Leave out rows of other lengths, and those without the value in the haystack."""
        if not len(table):
            return
        context = column(table, "context_length_tokens").to_numpy()
        wanted = self.window // TOKEN
        kept.leave_out(context != wanted, f"of another context than {wanted:,} tokens")
        pairs = table.select_columns(["positive_sequence", "value"])
        found = [bool(v) and s.endswith(v) and v in s[: -len(v)] for s, v in _pairs(pairs)]
        kept.leave_out(~np.array(found), "without the value at the end and before")

    def setup(self, stage: Optional[str] = None) -> None:
        """Load and check the table."""
        if self.test_datasets:
            return
        super().setup(stage)
        self.test_datasets = [Needles(self.test_dataset.table, self.window)]

    def test_dataloader(self) -> DataLoader:
        """The one test set."""
        return DataLoader(
            self.test_datasets[0],
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=collate,
            pin_memory=self.pin_memory,
        )


def _pairs(table: datasets.Dataset):
    for row in table:
        yield row["positive_sequence"] or "", row["value"] or ""
