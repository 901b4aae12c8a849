# SPDX-License-Identifier: Apache-2.0
"""The data module for long DNA with labels: what all tasks share, whatever their labels mean."""

from abc import abstractmethod
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn
from torch.utils.data import DataLoader

from modelgenerator.long_context.data import centres, checks
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.genome_module import GenomeModule
from modelgenerator.long_context.data.labelled_datasets import (
    COLUMNS,
    CentredWindows,
    Labelling,
    RandomLabelledWindows,
)
from modelgenerator.long_context.data.leakage import SharedKmers
from modelgenerator.long_context.data.regions import Track
from modelgenerator.long_context.data.windows import spread

KIND = "windows"


class LabelledWindows(GenomeModule):
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
        test_share: Share of the bases for testing, where there is no `test_fasta`.
        stride: Bases between the centres of test windows. By default the longest length, so that
            windows do not overlap.
        min_share: Share of a window's bases that must be A, C, G or T and have the window's label.
        max_shared: Validation and test windows are left out when a larger share of their 100-mers
            also trains, on either strand. 1 keeps all.
        random_seed: Decides splits, windows and strands.

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
        test_share: float = 0.2,
        stride: Optional[int] = None,
        min_share: float = 0.95,
        max_shared: float = 0.5,
        random_seed: int = 42,
        **kwargs,
    ):
        super().__init__(
            fasta, window, lengths, test_share=test_share, random_seed=random_seed, **kwargs
        )
        self.stride = stride
        self.min_share = min_share
        self.max_shared = max_shared
        checks.check_at_least("stride", stride, 1)
        checks.check_share("max_shared", max_shared)
        if not 0.5 < min_share <= 1:
            raise ValueError(
                f"min_share: {min_share}; give a share above 0.5, at most 1, so that a window has "
                "one label."
            )
        self.counts: dict = {}
        self._known_kmers: Optional[SharedKmers] = None

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
    def test_sets(self) -> List[Tuple[str, int]]:
        """Kind and length of each test dataloader."""
        return [(KIND, length) for length in self.lengths]

    def describe(self) -> dict:
        """Arguments, sequences and counts, for a record of results; files by name, not by path."""
        own = {"task": type(self).__name__, "class_names": self.class_names, "counts": self.counts}
        return {**super().describe(), **own}

    def __getstate__(self) -> dict:
        return {**super().__getstate__(), "_known_kmers": None}  # large, and soon made again

    # Setting up.

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

    def _open(self) -> None:
        self._open_genomes()
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

    def test_dataloader(self) -> Union[DataLoader, List[DataLoader]]:
        """One for each of `test_sets`; the loader itself if there is one, as upstream wants it."""
        loaders = [self._test_loader(dataset) for dataset in self.test_datasets]
        return loaders[0] if len(loaders) == 1 else loaders

    def predict_dataloader(self) -> DataLoader:
        """Test windows of the longest length."""
        return self._test_loader(max(self.test_datasets, key=lambda dataset: dataset.length))


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
