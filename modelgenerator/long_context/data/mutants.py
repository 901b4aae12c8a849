# SPDX-License-Identifier: Apache-2.0
"""Data of dependency maps: substitutions of every row, or columns to take gradients of."""

from typing import List, Literal, Union

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from modelgenerator.long_context.data.checks import check_at_least
from modelgenerator.long_context.data.map_sequence import (
    MapSequence,
    with_special_tokens,
)
from modelgenerator.long_context.data.vocabulary import COMPLEMENT, A, C, G, N, T

LETTER_IDS = (A, C, G, T)  # token ids, in the order of a map's arrays
SUBSTITUTIONS = 3  # a base can become each of the three others

# NEXT[k][id] is the letter k places further on in A, C, G, T; what is no base stays.
NEXT = np.tile(np.arange(256, dtype=np.uint8), (SUBSTITUTIONS + 1, 1))
for _k in range(1, SUBSTITUTIONS + 1):
    for _i, _id in enumerate(LETTER_IDS):
        NEXT[_k, _id] = LETTER_IDS[(_i + _k) % 4]


def mutate(ids: np.ndarray, start: int, block: int, substitutions: int) -> np.ndarray:
    """Copies of a sequence with the bases of a block replaced, uint8 [substitutions, n].

    Copy k has every base of the block k places further on in A, C, G, T: AAGT with the block at 1
    becomes ACTT for a block of one base, ACTA for three. Three substitutions of one base are its
    three alternatives.
    """
    copies = np.repeat(ids[None], substitutions, axis=0)
    here = slice(start, start + block)
    for k in range(substitutions):
        copies[k, here] = NEXT[k + 1].take(ids[here])
    return copies


class MutantBatches(Dataset):
    """Batches of rows with all their substitutions; those of the strands one after the other.

    Args:
        data: The data module that knows the sequence and its rows.
    """

    def __init__(self, data: "Mutants"):
        self.data = data
        size = data.batch_size
        self.items = [
            (strand, data.row_offsets[first : first + size])
            for strand in data.strands
            for first in range(0, len(data.row_offsets), size)
        ]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict:
        strand, rows = self.items[index]
        ids = np.stack(
            [mutate(self.data.ids, row, self.data.block, self.data.substitutions) for row in rows]
        )
        if strand == "-":
            ids = COMPLEMENT.take(ids[..., ::-1])
        return {
            "mutants": torch.from_numpy(with_special_tokens(ids)),
            "rows": torch.from_numpy(rows),
            "strand": strand,
        }


class Mutants(MapSequence):
    """The substitutions of every row of a dependency map.

    A row is a position with its three alternatives or, with `block`, so many neighbouring bases
    that are replaced together: a coarse map, whose strong blocks can then be mapped base by base.

    Note:
        `mgen predict` alone; a map needs rows x substitutions + 1 passes for each strand.

    Args:
        block: Bases replaced together. Rows then are the blocks that hold a position of `rows`,
            counted from the start of the region.
        substitutions: How many of the three alternatives, each base k places further on in
            A, C, G, T. Less than 3 for coarse maps only.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        fasta: Union[str, List[str]],
        block: int = 1,
        substitutions: Literal[1, 2, 3] = 3,
        **kwargs,
    ):
        check_at_least("block", block, 1)
        if block == 1 and substitutions < SUBSTITUTIONS:
            raise ValueError(
                f"substitutions: {substitutions}; a map of single bases takes all 3 alternatives. "
                "Give block more than 1 for a coarse map, or leave substitutions out."
            )
        self.block = block
        self.substitutions = substitutions
        super().__init__(fasta, **kwargs)

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch.

        `mutants`: int64 [rows, substitutions, n + 2], with [CLS] and [SEP], on the strand that is
        read. `rows`: int64 [rows], offsets of the mutated positions on the + strand; of a block,
        its first. `strand`: "+" or "-".
        """
        return ["mutants", "rows", "strand"]

    def _rows(self, offsets: np.ndarray) -> np.ndarray:
        offsets = super()._rows(offsets)
        return np.unique(offsets // self.block * self.block)

    def describe(self) -> dict:
        """What decides which map this is."""
        return {
            **super().describe(),
            "block": self.block,
            "substitutions": self.substitutions,
        }

    def predict_dataloader(self) -> DataLoader:
        """Batches of mutants."""
        return self._loader(MutantBatches(self))


class ColumnBatches(Dataset):
    """Batches of columns, those of the strands one after the other."""

    def __init__(self, data: "ReadColumns"):
        self.items = [
            (strand, data.column_offsets[first : first + data.batch_size])
            for strand in data.strands
            for first in range(0, len(data.column_offsets), data.batch_size)
        ]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict:
        strand, columns = self.items[index]
        return {"columns": torch.from_numpy(columns), "strand": strand}


class ReadColumns(MapSequence):
    """The columns of a dependency map whose gradients are taken, for `GradientMap`.

    Columns of N are left out: no base's odds could be read there.

    Note:
        `mgen predict` alone; an estimate needs a backward pass a column, and a forward pass for
        every `batch_size` of them.
    """

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch: `columns`, int64 [columns], offsets on the + strand; `strand`."""
        return ["columns", "strand"]

    def _columns(self, offsets: np.ndarray) -> np.ndarray:
        known = offsets[self._ids[offsets] != N]
        if not len(known):
            raise ValueError(
                f"columns: {self.columns!r} holds nothing but N. Give positions with A, C, G or T."
            )
        return known

    def predict_dataloader(self) -> DataLoader:
        """Batches of columns."""
        return self._loader(ColumnBatches(self))
