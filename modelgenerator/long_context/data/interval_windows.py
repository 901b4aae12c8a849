# SPDX-License-Identifier: Apache-2.0
"""Windows about the intervals of a table, cut from a genome of the user's when asked for."""

import hashlib
import inspect
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import List, NamedTuple, Optional, Union

import numpy as np
import pandas as pd
import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch.utils.data import DataLoader, Dataset

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data.checks import check_at_least, check_share
from modelgenerator.long_context.data.chromosomes import assembly_of, find_records
from modelgenerator.long_context.data.collate import collate, example, with_special_tokens
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.index import index_fasta
from modelgenerator.long_context.data.interval_checks import (
    allele_sites,
    assign_splits,
    check_alleles,
    count_overlapping,
    some,
)
from modelgenerator.long_context.data.kept import Kept, need_rows
from modelgenerator.long_context.data.sources import resolve_fasta
from modelgenerator.long_context.data.table_files import SPLITS
from modelgenerator.long_context.data.vocabulary import ID_OF_BYTE, N, reverse_complement
from modelgenerator.long_context.data.windows import count_n

FORWARD, REVERSE = ["+", "1", "1.0", ".", ""], ["-", "-1", "-1.0"]


class Intervals(NamedTuple):
    """Rows of a table, all arrays [rows].

    Attributes:
        frame: `chrom` (as written), `start` and `stop` (0-based, half-open; equal for a point),
            `split` (train, valid or test); optionally `strand` ("+" or "-"), `ref` and `alt`
            (letters at `site` or, without such a column, at `start`).
        labels: Anything that gives the labels of row i by `[i]`, with `len`.
        missing: Rows without a usable label, bool.
    """

    frame: pd.DataFrame
    labels: Sequence
    missing: np.ndarray


def window_start(start: np.ndarray, stop: np.ndarray, window: int) -> np.ndarray:
    """First base of a window centred on [start, stop): 10 to 14 in a window of 8 begins at 8.

    A point, of which stop is start, comes to stand at window // 2. Longer intervals are cropped.
    """
    return start - (window - (stop - start)) // 2


class IntervalRows(Dataset):
    """Windows of a genome with labels.

    Args:
        genome: Where windows come from.
        starts: Global position of the first base of each window, int64 [windows].
        lengths: Bases in each window, int64 [windows].
        reverse: Whether to read the other strand, bool [windows].
        labels: Labels of each row of the table, by index.
        index: Row of the table of each window, int64 [windows].
        alts: Letter that replaces the base at its site, for `pair_ids`.
        sites: Global position that each of `alts` replaces, int64 [windows].
        hidden: Stretches that are read as N, for rows of the table that have any: global positions,
            int64 [stretches, 2].
    """

    def __init__(
        self,
        genome: Genome,
        starts: np.ndarray,
        lengths: np.ndarray,
        reverse: np.ndarray,
        labels: Sequence,
        index: np.ndarray,
        alts: Optional[np.ndarray] = None,
        sites: Optional[np.ndarray] = None,
        hidden: Optional[Mapping[int, np.ndarray]] = None,
    ):
        self.genome = genome
        self.starts = starts
        self.lengths = lengths
        self.reverse = reverse
        self.labels = labels
        self.index = index
        self.alts = alts
        self.sites = sites
        self.hidden = hidden or {}

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> dict:
        start, length = int(self.starts[index]), int(self.lengths[index])
        row = int(self.index[index])
        ids, name = self.genome.read(start, length), self.genome.locate(start, length)
        for first, last in self.hidden.get(row, ()):
            ids[first - start : last - start] = N
        other = ids.copy()
        if self.alts is not None:
            other[self.sites[index] - start] = ID_OF_BYTE[ord(self.alts[index])]
        if self.reverse[index]:
            ids, other = reverse_complement(ids), reverse_complement(other)
            name = f"{name}(-)"
        out = example(ids, self.labels[row], name)
        if self.alts is not None:
            out["pair_ids"] = with_special_tokens(other)
        return out


def on_reverse_strand(strand: pd.Series) -> np.ndarray:
    """Which rows are read on the reverse strand.

    Args:
        strand: + or 1, - or -1; . or nothing where there is none, which is read forward.

    Raises:
        ValueError: If one is anything else.
    """
    values = strand.where(strand.notna(), "").astype(str).str.strip()
    odd = values[~values.isin(FORWARD + REVERSE)]
    if len(odd):
        raise ValueError(
            f"strand: {odd.iloc[0]!r} in row {odd.index[0]} is not known. Give + or 1, - or -1, or "
            ". where there is none."
        )
    return values.isin(REVERSE).to_numpy()


class IntervalWindows(DataInterface):
    """Windows centred on the intervals of a table, of any length, from a genome.

    Note:
        Rows on sequences the genome lacks, whose window leaves its sequence, with too many N, or
        without a label are left out; how many and why is logged and in `describe()`. `chr1` and `1`
        are the same. Windows that overlap training are counted and warned of.

    Args:
        fasta: The genome the table was made for: FASTA files or patterns, plain or compressed.
        window: Length of the windows, in nucleotides.
        max_n_fraction: Windows with a larger share of N are left out.
        valid_chromosomes: Training rows on these validate, where the table has no such split.
        test_chromosomes: Training rows on these test, where the table has no such split.
        random_seed: As in upstream's modules; nothing is drawn with it, the order of training
            follows `seed_everything`.
        batch_size: Windows in a batch, per device.
        shuffle: Whether to shuffle training windows.
        num_workers: Processes that prepare batches.
        pin_memory: Whether to pin memory, for faster copies to a GPU.

    Attributes:
        counts: For each split, how many rows there were, were kept, and were left out, and why.

    Raises:
        ValueError: If files cannot be used, do not fit each other, or a needed split is empty.
    """

    assembly: Optional[str] = None  # what the table's coordinates are of

    def __init__(
        self,
        fasta: Union[str, List[str]],
        window: int,
        max_n_fraction: float = 0.5,
        valid_chromosomes: Optional[List[str]] = None,
        test_chromosomes: Optional[List[str]] = None,
        random_seed: int = 42,
        batch_size: int = 8,
        shuffle: bool = True,
        num_workers: int = 0,
        pin_memory: bool = True,
    ):
        super().__init__(
            path=os.curdir,  # upstream's loader of tables is not used
            random_seed=random_seed,
            batch_size=batch_size,
            shuffle=shuffle,
            num_workers=num_workers,
            collate_fn=collate,
            pin_memory=pin_memory and torch.cuda.is_available(),
        )
        check_at_least("window", window, 1)
        check_at_least("batch_size", batch_size, 1)
        check_share("max_n_fraction", max_n_fraction)
        self.fasta = fasta
        self.window = window
        self.max_n_fraction = max_n_fraction
        self.valid_chromosomes = valid_chromosomes
        self.test_chromosomes = test_chromosomes
        self.counts: dict = {}
        self.genome: Optional[Genome] = None
        self.train_dataset = self.val_dataset = self.test_dataset = None

    # What a subclass says.

    @abstractmethod
    def read_intervals(self) -> Intervals:
        """The table.

        Raises:
            ValueError: If it cannot be reached or read.
        """

    # What others ask.

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch.

        `input_ids`, `attention_mask`: int64 [batch, n + 2], with [CLS] and [SEP]. `labels`.
        `sequences`: the windows as strings. `ids`: "chr1:100-612", 0-based and half-open, with
        "(-)" on the other strand.
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
        """Arguments and counts, for a record of results; files by name."""
        skipped = ("self", "kwargs", "num_workers", "pin_memory")
        arguments = {
            name: getattr(self, name)
            for cls in type(self).__mro__
            if issubclass(cls, IntervalWindows)
            for name in inspect.signature(cls.__init__).parameters
            if name not in skipped
        }
        for name, value in arguments.items():
            if isinstance(value, str):
                arguments[name] = os.path.basename(value.rstrip("/")) or value
        arguments["fasta"] = [path.name for path in resolve_fasta("fasta", self.fasta)]
        if self.genome is not None:
            digest = hashlib.blake2b("".join(self.genome.digests).encode(), digest_size=8)
            arguments["fasta_digest"] = digest.hexdigest()
        return {"module": type(self).__name__, **arguments, "counts": self.counts}

    def __getstate__(self) -> dict:
        # As GenomeWindows: upstream's tasks pickle their data module into every checkpoint.
        return {**vars(self), "trainer": None}

    def prepare_data(self) -> None:
        """Index the genome, once on every machine."""
        for path in resolve_fasta("fasta", self.fasta):
            index_fasta(path)

    def setup(self, stage: Optional[str] = None) -> None:
        """Read the table and find its windows in the genome, once for all stages."""
        if self.genome is not None:
            return
        intervals = self.read_intervals()
        genome = Genome(resolve_fasta("fasta", self.fasta))
        genome.warn_ambiguous()
        self._check_assembly(genome)
        frame = self._place(intervals.frame, genome)
        held_out = {"valid": self.valid_chromosomes, "test": self.test_chromosomes}
        frame["split"] = assign_splits(frame, held_out)
        kept = {s: self._keep(s, frame, intervals, genome) for s in SPLITS}
        self._warn_overlap(frame, kept)
        made = [self._rows(frame, kept[split], intervals, genome) for split in SPLITS]
        self.train_dataset, self.val_dataset, self.test_dataset = made
        self.genome = genome

    def _check_assembly(self, genome: Genome) -> None:
        found = assembly_of(genome)
        if self.assembly and found and found != self.assembly:
            raise ValueError(
                f"fasta: this is {found} by the length of its chromosomes; the coordinates of "
                f"{type(self).__name__} are {self.assembly}'s. Give {self.assembly}."
            )

    def _place(self, frame: pd.DataFrame, genome: Genome) -> pd.DataFrame:
        """`frame` with `record` (-1 if not found), `first`, `length`, `low` and `high`."""
        frame = frame.astype({"chrom": str}).reset_index(drop=True)
        records = find_records(genome, frame["chrom"])
        record = frame["chrom"].map(records).to_numpy(dtype=np.int64)
        if len(frame) and (record < 0).all():
            raise ValueError(
                f"fasta: none of the table's chromosomes ({some(frame['chrom'])}) is in the "
                f"genome, which has {some(genome.names)}. Give the FASTA they belong to."
            )
        start, stop = (frame[name].to_numpy(dtype=np.int64) for name in ("start", "stop"))
        first, length = self.window_of(start, stop)
        low, high = genome.offsets[record], genome.offsets[record + 1]
        return frame.assign(record=record, first=first + low, length=length, low=low, high=high)

    def window_of(self, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First base and length of the window of each interval."""
        return window_start(start, stop, self.window), np.full(len(start), self.window)

    def _keep(self, split: str, frame: pd.DataFrame, intervals: Intervals, genome: Genome) -> Kept:
        part = frame[frame["split"] == split]
        kept = Kept(f"{type(self).__name__} {split}", len(part))
        if not len(part):
            return kept
        kept.leave_out(part["record"] < 0, "on sequences that the genome lacks")
        kept.leave_out(intervals.missing[part.index], "without a label")
        self.leave_out(part, kept)
        off = (part["first"] < part["low"]) | (part["first"] + part["length"] > part["high"])
        kept.leave_out(off, "whose window leaves its sequence")
        if "alt" in part:
            check_alleles(part, kept, genome)
        n = np.zeros(len(part), dtype=np.int64)
        for length in part["length"][kept.mask].unique():
            same = kept.mask & (part["length"] == length).to_numpy()
            n[same] = count_n(part["first"].to_numpy()[same], int(length), genome.n_runs)
        many = n > self.max_n_fraction * part["length"]
        kept.leave_out(many, f"with more than {self.max_n_fraction:.0%} N")
        kept.report()
        self.counts[split] = kept.describe()
        return kept

    def leave_out(self, part: pd.DataFrame, kept: Kept) -> None:
        """Leave out further rows of a split."""

    def _warn_overlap(self, frame: pd.DataFrame, kept: dict[str, Kept]) -> None:
        """Say how many windows of other splits share bases with training windows."""
        rows = {s: frame[frame["split"] == s][k.mask] for s, k in kept.items() if k.rows}
        for split in ("valid", "test"):
            if split in rows and "train" in rows:
                shared = count_overlapping(rows[split], rows["train"])
                if shared:
                    rank_zero_warn(
                        f"{type(self).__name__}: {shared:,} of {len(rows[split]):,} {split} "
                        "windows overlap a training window."
                    )

    def _rows(
        self, frame: pd.DataFrame, kept: Kept, intervals: Intervals, genome: Genome
    ) -> IntervalRows:
        split = kept.name.rsplit(" ", 1)[1]
        part = frame[frame["split"] == split][kept.mask]
        strand = part["strand"] if "strand" in part else pd.Series("+", index=part.index)
        return IntervalRows(
            genome,
            part["first"].to_numpy(),
            part["length"].to_numpy(),
            on_reverse_strand(strand),
            intervals.labels,
            part.index.to_numpy(),
            part["alt"].str.upper().to_numpy() if "alt" in part else None,
            allele_sites(part),
        )

    def train_dataloader(self) -> DataLoader:
        """Windows to train on; there must be some."""
        need_rows(self, "training", self.train_dataset)
        return super().train_dataloader()

    def test_dataloader(self) -> DataLoader:
        """Windows to test on; there must be some."""
        need_rows(self, "test", self.test_dataset)
        return super().test_dataloader()
