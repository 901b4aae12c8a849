# SPDX-License-Identifier: Apache-2.0
"""What data modules of whole genomes share: splits by blocks, and how windows are loaded."""

import hashlib
import inspect
import os
from pathlib import Path
from typing import List, Optional, Union

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data import checks, genome_checks
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.index import index_fasta
from modelgenerator.long_context.data.loading import EpochSampler, ResumableLoader
from modelgenerator.long_context.data.sources import resolve_fasta
from modelgenerator.long_context.data.splits import Split, default_block, split_genome

_LEAST = {
    "window": 1,
    "train_windows": 1,
    "eval_windows": 1,
    "random_seed": 0,
    "batch_size": 1,
}
_NOT_DESCRIBED = ("self", "kwargs", "num_workers", "pin_memory", "persistent_workers")


class GenomeModule(DataInterface):
    """Windows of whole genomes: random ones to train on, fixed ones to evaluate on.

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
        random_seed: Decides whatever is drawn.
        batch_size: Windows of `window` in a batch, per device; test batches of other lengths hold
            about as many bases.
        num_workers: Processes that prepare batches.
        pin_memory: Whether to pin memory, for faster copies to a GPU.
        persistent_workers: Whether to keep the training and validation processes between epochs.
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
        test_share: float = 0.05,
        block: Optional[int] = None,
        random_seed: int = 42,
        batch_size: int = 8,
        num_workers: int = 0,
        pin_memory: bool = True,
        persistent_workers: bool = False,
    ):
        checks.check_given(GenomeModule.__init__, locals())
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
        for name, least in _LEAST.items():
            checks.check_at_least(name, getattr(self, name), least)
        checks.check_distinct_lengths(self.lengths)
        checks.check_block(block, self.longest)
        checks.check_shares(valid_share, test_share)
        self.genome: Optional[Genome] = None
        self.test_genome: Optional[Genome] = None
        self.parts: Optional[Split] = None
        self.train_dataset: Optional[Dataset] = None
        self.val_dataset: Optional[Dataset] = None
        self.test_datasets: List[Dataset] = []

    @property
    def longest(self) -> int:
        """The longest window, also the gap between splits."""
        return max(self.window, *self.lengths)

    def describe(self) -> dict:
        """The arguments and the sequences, for a record of results; files by name, not by path."""
        arguments = {
            name: getattr(self, name)
            for cls in reversed(type(self).__mro__)
            if issubclass(cls, GenomeModule)
            for name in inspect.signature(cls.__init__).parameters
            if name not in _NOT_DESCRIBED
        }
        for name, genome in (("fasta", self.genome), ("test_fasta", self.test_genome)):
            arguments[name] = [path.name for path in self._paths(name)]
            if genome is not None:
                digest = hashlib.blake2b("".join(genome.digests).encode(), digest_size=8)
                arguments[f"{name}_bases"] = len(genome)
                arguments[f"{name}_digest"] = digest.hexdigest()
        return arguments

    def __getstate__(self) -> dict:
        # Upstream's tasks keep their data module among the hyperparameters, so it is pickled into
        # every checkpoint: without its trainer, whose running loaders cannot be.
        return {**vars(self), "trainer": None}

    def prepare_data(self) -> None:
        """Index the files, once on every machine."""
        for path in self._paths("fasta") + self._paths("test_fasta"):
            index_fasta(path)

    def _paths(self, argument: str) -> List[Path]:
        given = getattr(self, argument)
        return [] if given is None else resolve_fasta(argument, given)

    def _open_genomes(self) -> None:
        """Open the genomes and deal their parts out."""
        self.genome = self._open_genome("fasta", self.longest)
        genome_checks.warn_repeated(self.genome, self.longest)
        if self.test_fasta is not None:
            self.test_genome = self._open_genome("test_fasta", max(self.lengths))
            genome_checks.check_apart(self.genome, self.test_genome, max(self.lengths))
        self.parts = self._split()
        if self.test_genome is not None:
            offsets = self.test_genome.offsets
            self.parts = self.parts._replace(test=np.stack([offsets[:-1], offsets[1:]], axis=1))

    def _open_genome(self, argument: str, window: int) -> Genome:
        genome = Genome(self._paths(argument))
        genome.warn_ambiguous()
        genome_checks.check_long_enough(argument, genome, window)
        return genome

    def _split(self) -> Split:
        return split_genome(
            self.genome.offsets,
            self.block or default_block(len(self.genome), self.longest),
            self.longest,
            self.valid_share,
            0.0 if self.test_genome else self.test_share,
            self.random_seed,
        )

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

    def _test_loader(self, dataset: Dataset) -> DataLoader:
        """Windows of any length, about as many bases in a batch as of `window`."""
        batch_size = max(1, self.batch_size * self.window // dataset.length)
        return DataLoader(dataset, **self._options(batch_size))

    def _options(self, batch_size: int, persistent_workers: bool = False) -> dict:
        return {
            "batch_size": batch_size,
            "num_workers": self.num_workers,
            "pin_memory": self.pin_memory and torch.cuda.is_available(),
            "persistent_workers": persistent_workers and self.num_workers > 0,
        }
