# SPDX-License-Identifier: Apache-2.0
"""The data module for long DNA with labels: what all tasks share, whatever their labels mean."""

import hashlib
import inspect
import os
from abc import abstractmethod
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch.utils.data import DataLoader

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data import centres, checks, genome_checks
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.index import index_fasta
from modelgenerator.long_context.data.labelled_datasets import (
    COLUMNS,
    CentredWindows,
    Labelling,
    RandomLabelledWindows,
)
from modelgenerator.long_context.data.leakage import SharedKmers
from modelgenerator.long_context.data.loading import EpochSampler, ResumableLoader
from modelgenerator.long_context.data.regions import Track
from modelgenerator.long_context.data.sources import resolve_fasta
from modelgenerator.long_context.data.splits import Split, default_block, split_genome
from modelgenerator.long_context.data.windows import spread

KIND = "windows"
_LEAST = {"window": 1, "train_windows": 1, "eval_windows": 1, "stride": 1, "batch_size": 1}


class LabelledWindows(DataInterface):
    """Windows of genomes with a label each: random ones to train on, centred ones to evaluate on.

    A subclass says where in a genome which label holds. Batches have token ids for our tasks and
    strings for those of ModelGenerator.

    Note:
        Training windows are drawn at random, every class as often, half of them from the other
        strand. Window i of a run depends on `random_seed` and i alone. Validation and test windows
        keep the frequencies of the genome. A test window has the same centre and strand at every
        length in `lengths`, and one label that holds at all of them. With one length upstream's
        tasks can test; with several there is a dataloader for each, in the order of `test_sets`.
        What was kept and dropped, and why, is logged and in `describe()`.
        `mgen predict` runs over the test windows of the longest length.

    Args:
        fasta: FASTA files, plain or gzip or bgzip, patterns, or names of genomes: shipped ones
            ("demo") or fetched ones (`mgen-lc genomes list`).
        window: Length of training and validation windows, in nucleotides.
        lengths: Lengths of test windows. By default `window`.
        test_fasta: Other genomes to test on, whole; `test_share` is then not used.
        train_windows: Training windows in an epoch.
        eval_windows: Validate and test on at most so many windows, spread evenly. By default all.
        valid_share: Share of the bases for validation.
        test_share: Share of the bases for testing.
        block: Bases in a block, the unit that is dealt to training, validation and testing. By
            default about a hundredth of the genome, from two of the longest windows to 2 Mb.
        stride: Bases between the centres of test windows. By default the longest length, so that
            windows do not overlap.
        min_share: Share of a window's bases that must be A, C, G or T and have the window's label.
        max_shared: Validation and test windows are left out when a larger share of their 100-mers
            also trains, on either strand. 1 keeps all.
        random_seed: Decides splits, windows and strands.
        batch_size: Windows of `window` in a batch, per device; test batches of other lengths hold
            about as many bases.
        num_workers: Processes that prepare batches.
        pin_memory: Whether to pin memory, for faster copies to a GPU.
        persistent_workers: Whether to keep the training and validation processes between epochs.

    Attributes:
        class_names: What labels 0, 1, ... mean.
        counts: For each split, how many windows were found, kept and dropped, by reason and class.

    Raises:
        ValueError: If an argument is out of range, a file is not usable, or a split has no window
            of a class.
    """

    def __init__(
        self,
        fasta: Union[str, List[str]],
        window: int,
        lengths: Optional[List[int]] = None,
        test_fasta: Optional[Union[str, List[str]]] = None,
        train_windows: int = 10_000,
        eval_windows: Optional[int] = None,
        valid_share: float = 0.05,
        test_share: float = 0.2,
        block: Optional[int] = None,
        stride: Optional[int] = None,
        min_share: float = 0.95,
        max_shared: float = 0.5,
        random_seed: int = 42,
        batch_size: int = 8,
        num_workers: int = 0,
        pin_memory: bool = True,
        persistent_workers: bool = False,
    ):
        super().__init__(
            path=os.curdir,  # upstream's loader of tables is not used
            random_seed=random_seed,
            batch_size=batch_size,
            num_workers=num_workers,
            pin_memory=pin_memory,
            persistent_workers=persistent_workers,
        )
        self.fasta = fasta
        self.test_fasta = test_fasta
        self.window = window
        self.lengths = [window] if lengths is None else list(lengths)
        self.train_windows = train_windows
        self.eval_windows = eval_windows
        self.valid_share = valid_share
        self.test_share = test_share
        self.block = block
        self.stride = stride
        self.min_share = min_share
        self.max_shared = max_shared
        self._check()
        self.counts: dict = {}
        self._known_kmers: Optional[SharedKmers] = None
        self.genome: Optional[Genome] = None
        self.test_genome: Optional[Genome] = None
        self.parts: Optional[Split] = None
        self.train_dataset: Optional[RandomLabelledWindows] = None
        self.val_dataset: Optional[CentredWindows] = None
        self.test_datasets: List[CentredWindows] = []

    def _check(self) -> None:
        for name, least in _LEAST.items():
            checks.check_at_least(name, getattr(self, name), least)
        checks.check_at_least("random_seed", self.random_seed, 0)
        checks.check_distinct_lengths(self.lengths)
        checks.check_shares(self.valid_share, self.test_share)
        checks.check_share("max_shared", self.max_shared)
        if not 0.5 < self.min_share <= 1:
            raise ValueError(
                f"min_share: {self.min_share}; give a share above 0.5, at most 1, so that a window "
                "has one label."
            )
        if self.block is not None and self.block < self.longest:
            raise ValueError(
                f"block: {self.block}; give at least {self.longest}, the longest of `window` and "
                "`lengths`."
            )

    # What a subclass says.

    @property
    @abstractmethod
    def class_names(self) -> List[str]:
        """What labels 0, 1, ... mean."""

    @property
    @abstractmethod
    def strand_labels(self) -> np.ndarray:
        """The label of each region on the forward and the reverse strand, int64 [2, regions]."""

    @abstractmethod
    def _regions(self, argument: str, genome: Genome) -> List[np.ndarray]:
        """Where each region lies, int64 [runs, 2] in global positions, one array a region.

        Windows have regions' labels by default; with a track single bases have, and region 0 is
        whatever no other covers.
        """

    def _track(self, regions: Sequence[np.ndarray]) -> Optional[Track]:
        """Labels of single bases; None where windows have the labels."""
        return None

    def _window_classes(self, regions: Sequence[np.ndarray], genome: Genome) -> List[np.ndarray]:
        """Regions that windows are drawn from and must lie in; those of the classes."""
        return list(regions)

    def _split(self) -> Split:
        return split_genome(
            self.genome.offsets,
            self.block or default_block(len(self.genome), self.longest),
            self.longest,
            self.valid_share,
            0.0 if self.test_genome else self.test_share,
            self.random_seed,
        )

    # What others ask.

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch.

        `input_ids`, `attention_mask`: int64 [batch, n + 2], with [CLS] and [SEP]. `labels`: int64
        [batch], or [batch, n] with -100 where nothing is asked. `sequences`: the windows as
        strings. `ids`: "chr1:100-612", 0-based and half-open, with "(-)" on the other strand.
        """
        return list(COLUMNS)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def longest(self) -> int:
        """The longest window, also the gap between splits."""
        return max(self.window, *self.lengths)

    @property
    def test_sets(self) -> List[Tuple[str, int]]:
        """Kind and length of each test dataloader."""
        return [(KIND, length) for length in self.lengths]

    def describe(self) -> dict:
        """Arguments, sequences and counts, for a record of results; files by name, not by path."""
        skipped = ("self", "kwargs", "num_workers", "pin_memory", "persistent_workers")
        arguments = {
            name: getattr(self, name)
            for cls in reversed(type(self).__mro__)
            if issubclass(cls, LabelledWindows)
            for name in inspect.signature(cls.__init__).parameters
            if name not in skipped
        }
        arguments["task"] = type(self).__name__
        for name, genome in (("fasta", self.genome), ("test_fasta", self.test_genome)):
            arguments[name] = [path.name for path in self._paths(name)]
            if genome is not None:
                digest = hashlib.blake2b("".join(genome.digests).encode(), digest_size=8)
                arguments[f"{name}_bases"] = len(genome)
                arguments[f"{name}_digest"] = digest.hexdigest()
        return {**arguments, "class_names": self.class_names, "counts": self.counts}

    def __getstate__(self) -> dict:
        # Upstream's tasks keep their data module among the hyperparameters, so it is pickled into
        # every checkpoint: without its trainer, whose running loaders cannot be, and small.
        return {**vars(self), "trainer": None, "_known_kmers": None}

    # Setting up.

    def prepare_data(self) -> None:
        """Index the files, once on every machine."""
        for path in self._paths("fasta") + self._paths("test_fasta"):
            index_fasta(path)

    def setup(self, stage: Optional[str] = None) -> None:
        """Open the genomes, find where labels hold, and the windows that a stage needs."""
        if self.genome is None:
            self._open()
        if stage in ("fit", None):
            self.train_dataset = self._train_set()
        if stage in ("fit", "validate", None) and self.valid_share > 0:
            rows = self._centres("valid", self.parts.valid, [self.window], self.window)
            self.val_dataset = self._centred("fasta", rows, self.window, self.window)
        if stage in ("test", "predict", None):
            longest = max(self.lengths)
            rows = self._centres("test", self.parts.test, self.lengths, self.stride or longest)
            name = "test_fasta" if self.test_genome else "fasta"
            self.test_datasets = [
                self._centred(name, rows, length, min(self.lengths)) for length in self.lengths
            ]

    def _paths(self, argument: str) -> List[Path]:
        given = getattr(self, argument)
        return [] if given is None else resolve_fasta(argument, given)

    def _open(self) -> None:
        self.genome = self._open_genome("fasta", self.longest)
        genome_checks.warn_repeated(self.genome, self.longest)
        if self.test_fasta is not None:
            self.test_genome = self._open_genome("test_fasta", max(self.lengths))
            genome_checks.check_apart(self.genome, self.test_genome, max(self.lengths))
        self.parts = self._split()
        if self.test_genome is not None:
            offsets = self.test_genome.offsets
            self.parts = self.parts._replace(test=np.stack([offsets[:-1], offsets[1:]], axis=1))
        self._labellings = {}
        self._outside = {}
        for argument, genome in (("fasta", self.genome), ("test_fasta", self.test_genome)):
            if genome is not None:
                regions = self._regions(argument, genome)
                track = self._track(regions)
                self._labellings[argument] = Labelling(genome, self.strand_labels, track)
                self._outside[argument] = [
                    centres.outside(runs, genome.n_runs, len(genome))
                    for runs in self._window_classes(regions, genome)
                ]

    def _open_genome(self, argument: str, window: int) -> Genome:
        genome = Genome(self._paths(argument))
        genome.warn_ambiguous()
        genome_checks.check_long_enough(argument, genome, window)
        return genome

    def _train_set(self) -> RandomLabelledWindows:
        eligible = [
            centres.class_starts(self.parts.train, self.window, runs, self.min_share)
            for runs in self._outside["fasta"]
        ]
        starts = [int(rows[-1, 2]) if len(rows) else 0 for rows in eligible]
        found = np.maximum(np.diff(self.parts.train)[:, 0] - self.window + 1, 0).sum()
        self._count("train", int(found), starts, {"no or several labels, or too many N": "rest"})
        for name, count in zip(self._window_names(len(starts)), starts, strict=True):
            if not count:
                raise ValueError(
                    f"The train split has no window of {self.window:,} bases of {name}, with at "
                    f"least {self.min_share:.0%} of its bases in it. Give more sequence, a shorter "
                    "window, or lower min_share, valid_share and test_share."
                )
        return RandomLabelledWindows(
            self._labellings["fasta"], eligible, self.window, self.train_windows, self.random_seed
        )

    def _centres(
        self, split: str, parts: np.ndarray, lengths: Sequence[int], stride: int
    ) -> np.ndarray:
        """Centres of a split and their labels, int64 [windows, 2]."""
        argument = "test_fasta" if split == "test" and self.test_genome else "fasta"
        genome = self._labellings[argument].genome
        longest = max(lengths)
        placed = centres.place_centres(parts, longest, stride)
        kept = centres.label_centres(
            placed, lengths, self._outside[argument], genome.n_runs, self.min_share
        )
        rows = spread(kept.rows, self.eval_windows)
        clean = self._unshared(genome, rows[:, 0] - longest // 2, longest)
        dropped = {
            "too many N": kept.no_bases,
            "no or several labels": kept.no_label,
            "beyond eval_windows": len(kept.rows) - len(rows),
            "shared with training": int((~clean).sum()),
        }
        rows = rows[clean]
        classes = np.bincount(rows[:, 1], minlength=len(self._outside[argument]))
        self._count(split, kept.found, classes.tolist(), dropped)
        if not len(rows):
            raise ValueError(
                f"The {split} split is empty: of {kept.found:,} windows of {longest:,} bases "
                f"{_reasons(dropped)}. Give more or longer sequences, shorter lengths, or raise "
                f"{split}_share."
            )
        return rows

    def _unshared(self, genome: Genome, starts: np.ndarray, length: int) -> np.ndarray:
        """Whether each window shares few 100-mers with training, bool [windows]."""
        if self.max_shared == 1:
            return np.ones(len(starts), dtype=bool)
        if self._known_kmers is None:
            self._known_kmers = SharedKmers(self.genome, self.parts.train)
        return self._known_kmers.share(genome, starts, length) <= self.max_shared

    def _window_names(self, count: int) -> List[str]:
        return self.class_names if count == self.n_classes else ["any label"] * count

    def _count(self, split: str, found: int, kept: Sequence[int], dropped: dict) -> None:
        total = sum(kept)
        dropped = {why: found - total if n == "rest" else n for why, n in dropped.items()}
        classes = dict(zip(self._window_names(len(kept)), kept, strict=True))
        self.counts[split] = {"found": found, "kept": total, "classes": classes, "dropped": dropped}
        rank_zero_info(
            f"{type(self).__name__} {split}: {total:,} of {found:,} windows kept ("
            + ", ".join(f"{name} {count:,}" for name, count in classes.items())
            + f"); {_reasons(dropped) or 'none left out'}"
        )
        if split != "train" and 0 in kept and total:
            missing = ", ".join(name for name, count in classes.items() if not count)
            rank_zero_warn(f"The {split} split has no window of {missing}.")

    def _centred(self, argument: str, rows: np.ndarray, length: int, core: int) -> CentredWindows:
        return CentredWindows(self._labellings[argument], rows, length, core, self.random_seed)

    # Loading.

    def train_dataloader(self) -> DataLoader:
        """Random windows, dealt to the trainer's ranks; a resumed run goes on where it stopped."""
        trainer = self.trainer
        ranks = (trainer.distributed_sampler_kwargs if trainer else None) or {}
        # Given here, for Lightning may begin a resumed epoch before it calls `set_epoch`.
        epoch = trainer.current_epoch if trainer else 0
        return ResumableLoader(
            self.train_dataset,
            sampler=EpochSampler(self.train_dataset, **ranks, epoch=epoch),
            **self._options(self.batch_size, self.persistent_workers),
        )

    def val_dataloader(self) -> Union[DataLoader, List[DataLoader]]:
        """Fixed windows; none if `valid_share` is 0."""
        if self.val_dataset is None:
            return []
        return DataLoader(
            self.val_dataset, **self._options(self.batch_size, self.persistent_workers)
        )

    def test_dataloader(self) -> Union[DataLoader, List[DataLoader]]:
        """One for each of `test_sets`; the loader itself if there is one, as upstream wants it."""
        loaders = [self._test_loader(dataset) for dataset in self.test_datasets]
        return loaders[0] if len(loaders) == 1 else loaders

    def predict_dataloader(self) -> DataLoader:
        """Test windows of the longest length."""
        return self._test_loader(max(self.test_datasets, key=lambda dataset: dataset.length))

    def _test_loader(self, dataset: CentredWindows) -> DataLoader:
        batch_size = max(1, self.batch_size * self.window // dataset.length)
        return DataLoader(dataset, **self._options(batch_size))

    def _options(self, batch_size: int, persistent_workers: bool = False) -> dict:
        return {
            "batch_size": batch_size,
            "num_workers": self.num_workers,
            "pin_memory": self.pin_memory and torch.cuda.is_available(),
            "persistent_workers": persistent_workers and self.num_workers > 0,
        }


def _reasons(dropped: dict) -> str:
    return ", ".join(f"{count:,} left out: {why}" for why, count in dropped.items() if count)


class NucleotideWindows(LabelledWindows):
    """Windows of genomes with a label for every base.

    Note:
        At test, only the middle of a window has labels, as many bases as the shortest of `lengths`
        has, so that every length scores the very same bases with more context or with less. N has
        no label.
    """

    def _window_classes(self, regions: Sequence[np.ndarray], genome: Genome) -> List[np.ndarray]:
        return [np.array([[0, len(genome)]])]
