# SPDX-License-Identifier: Apache-2.0
"""The sequence of a dependency map and the positions that are mutated and read."""

import os
import warnings
from typing import List, Literal, Optional, Union

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data.checks import check_at_least
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.index import index_fasta
from modelgenerator.long_context.data.sources import resolve_fasta
from modelgenerator.long_context.data.vocabulary import CLS, SEP, N, decode, reverse_complement
from modelgenerator.long_context.depmap.positions import parse_positions

Strand = Literal["+", "-", "both"]


class MapSequence(DataInterface):
    """One region of a genome, with rows (positions mutated) and columns (positions read).

    Positions count from 0 along the + strand of the record, as in BED, whatever strand is read.

    Args:
        fasta: FASTA files or patterns, or "demo".
        region: RECORD or RECORD:START-STOP, 0-based, STOP not included. May be left out if there is
            a single record.
        strand: Strand that the model reads. `both` makes two maps and averages them.
        rows: Positions mutated: all, START-STOP, either with :K for every K-th, a BED file, or
            several with commas between.
        columns: Positions read, likewise.
        batch_size: Rows or columns that are computed at once, a block of the map.
        num_workers: Processes that prepare batches.
        pin_memory: Whether to pin memory, for faster copies to a GPU.

    Raises:
        ValueError: If the region, the rows or the columns are not in the sequence, or are empty.
    """

    def __init__(
        self,
        fasta: Union[str, List[str]],
        region: Optional[str] = None,
        strand: Strand = "+",
        rows: str = "all",
        columns: str = "all",
        batch_size: int = 8,
        num_workers: int = 0,
        pin_memory: bool = True,
    ):
        super().__init__(
            path=os.curdir,  # upstream's loader of tables is not used
            batch_size=batch_size,
            num_workers=num_workers,
            pin_memory=pin_memory,
        )
        check_at_least("batch_size", batch_size, 1)
        self.fasta = fasta
        self.region = region
        self.strand = strand
        self.rows = rows
        self.columns = columns
        self._ids: Optional[np.ndarray] = None

    def __getstate__(self) -> dict:
        # As GenomeWindows: upstream's tasks pickle their data module into every checkpoint.
        return {**vars(self), "trainer": None}

    @property
    def strands(self) -> str:
        """The strands that are read, "+", "-" or "+-"."""
        return "+-" if self.strand == "both" else self.strand

    @property
    def longest(self) -> int:
        """Length of the region."""
        return len(self.ids)

    @property
    def window(self) -> int:
        """Length of the region."""
        return self.longest

    @property
    def ids(self) -> np.ndarray:
        """Token ids of the region's + strand, uint8 [n]."""
        if self._ids is None:
            self._open()
        return self._ids

    def prepare_data(self) -> None:
        """Index the genome, once on every machine."""
        for path in resolve_fasta("fasta", self.fasta):
            index_fasta(path)

    def setup(self, stage: Optional[str] = None) -> None:
        """Read the region, unless a check before the run has."""
        if self._ids is None:
            self._open()

    def _open(self) -> None:
        genome = Genome(resolve_fasta("fasta", self.fasta))
        record, start, stop = _find(genome, self.region)
        self.record, self.start, self.stop = genome.names[record], start, stop
        self._ids = genome.read(int(genome.offsets[record]) + start, stop - start)
        self.row_offsets = self._rows(self._offsets("rows"))
        self.column_offsets = self._columns(self._offsets("columns"))

    def _offsets(self, argument: str) -> np.ndarray:
        given = getattr(self, argument)
        return parse_positions(argument, given, self.record, self.start, self.stop)

    def _rows(self, offsets: np.ndarray) -> np.ndarray:
        """Offsets that can be mutated."""
        known = self._ids[offsets] != N
        if not known.all():
            warnings.warn(
                f"rows: {int((~known).sum()):,} of {len(offsets):,} positions are N and are not "
                "mutated, for nothing is known to differ from.",
                stacklevel=2,
            )
        if not known.any():
            raise ValueError(
                f"rows: {self.rows!r} holds nothing but N. Give positions with A, C, G or T."
            )
        return offsets[known]

    def _columns(self, offsets: np.ndarray) -> np.ndarray:
        """Offsets that can be read."""
        return offsets

    def reference(self, strand: str) -> np.ndarray:
        """Token ids of a strand, read in its own direction, with [CLS] and [SEP], int64 [n + 2]."""
        return with_special_tokens(self.ids if strand == "+" else reverse_complement(self.ids))

    def describe(self) -> dict:
        """What decides which map this is."""
        return {
            "record": self.record,
            "start": self.start,
            "stop": self.stop,
            "sequence": decode(self.ids),
            "strand": self.strand,
            "rows": self.row_offsets.tolist(),
            "columns": self.column_offsets.tolist(),
        }

    def _loader(self, dataset: Dataset) -> DataLoader:
        return DataLoader(
            dataset,
            batch_size=None,  # an item is a batch
            num_workers=self.num_workers,
            pin_memory=self.pin_memory and torch.cuda.is_available(),
        )


def with_special_tokens(ids: np.ndarray) -> np.ndarray:
    """[CLS] ids [SEP], int64 [..., n + 2], of ids [..., n]."""
    out = np.empty((*ids.shape[:-1], ids.shape[-1] + 2), dtype=np.int64)
    out[..., 0], out[..., 1:-1], out[..., -1] = CLS, ids, SEP
    return out


def _find(genome: Genome, region: Optional[str]) -> tuple[int, int, int]:
    """Index of the record, first position and the one after the last."""
    known = ", ".join(genome.names[:5]) + (" ..." if len(genome.names) > 5 else "")
    if region is None:
        if len(genome.names) > 1:
            raise ValueError(
                f"region: fasta holds {len(genome.names)} records ({known}). Give the one that is "
                "meant, as RECORD or RECORD:START-STOP."
            )
        return 0, 0, len(genome)
    name, _, interval = region.rpartition(":") if region not in genome.names else (region, "", "")
    if name not in genome.names:
        raise ValueError(f"region: {region!r} names no record; fasta holds {known}.")
    record = genome.names.index(name)
    length = int(np.diff(genome.offsets)[record])
    if not length:
        raise ValueError(f"region: {name} holds no base. Give a record that does: {known}.")
    if not interval:
        return record, 0, length
    start, dash, stop = interval.partition("-")
    if not (dash and start.isdecimal() and stop.isdecimal() and int(start) < int(stop) <= length):
        raise ValueError(
            f"region: {region!r} is not within {name}:0-{length}. Give RECORD:START-STOP, 0-based, "
            "STOP not included."
        )
    return record, int(start), int(stop)
