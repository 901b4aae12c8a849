# SPDX-License-Identifier: Apache-2.0
"""The data module for long DNA: masked windows of whole genomes, of one length or of several."""

from typing import List, Optional, Union

import numpy as np
from torch.utils.data import DataLoader

from modelgenerator.long_context.data import checks
from modelgenerator.long_context.data.datasets import FixedWindows, TrainWindows
from modelgenerator.long_context.data.examples import COLUMNS, Masking, Planting
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.genome_module import GenomeModule
from modelgenerator.long_context.data.window_sets import cut_tiles, find_starts, find_tiles


class GenomeWindows(GenomeModule):
    """Masked windows of whole genomes: random ones to train on, fixed ones to evaluate on.

    A genome of any size is indexed once, then opens at once and is read from disk. Blocks of it are
    dealt to training, validation and testing, with at least the longest window between blocks of
    different splits.

    Note:
        Training windows are drawn at random, half of them from the other strand. Window i of a run
        depends on `random_seed` and i alone, whatever the number of workers and of GPUs.
        Testing cuts the very same bases into windows of every length in `lengths`, with the same
        bases masked. For every length there are two test sets, windows as they are and, if
        `copies_per_window` is not 0, windows with planted copies; `test_sets` lists them.
        Every chosen base becomes [MASK] (no 80/10/10 rule), N never does, and lower case counts as
        upper case. Batches hold the same number of bases whatever the length, as far as they can.
        `mgen predict` runs over the test windows of `window`.

    Args:
        fasta: FASTA files, plain or gzip or bgzip, or patterns such as "genomes/*.fa.gz"; or
            "demo" or "demo_held_out", the small genomes that come with the package.
        window: Length of training and validation windows, in nucleotides.
        lengths: Lengths of test windows; each must divide the longest. By default `window`.
        eval_windows: Validate and test on at most as many bases as this many windows of the longest
            test length hold, spread evenly. By default on all.
        max_n_fraction: Windows with a larger share of N are left out.
        mask_rate: Probability of a base to be masked.
        copies_per_window: Copies planted in a window of `window` that gets any; longer and shorter
            test windows get more and fewer, at least 1.
        copy_share: Share of training and validation windows that get copies.
        copy_min_length: Shortest copy.
        copy_max_length: Longest copy.
        copy_reverse_complement: Share of copies that are on the other strand.
        copy_mask_rate: Probability of a copy's base to be masked. By default `mask_rate`. The
            source of a copy is never masked.
        test_copies: Whether to test on windows with copies, if `copies_per_window` is not 0.
        random_seed: Decides splits, windows, masks and copies.
        train_seed: Decides training windows, their masks and copies instead of `random_seed`:
            runs that differ in it alone are repeats on the same splits and test windows.

    Raises:
        ValueError: If an argument is out of range, a file is not usable, or a split is empty.
    """

    def __init__(
        self,
        fasta: Union[str, List[str]],
        window: int,
        lengths: Optional[List[int]] = None,
        eval_windows: Optional[int] = None,
        max_n_fraction: float = 0.05,
        mask_rate: float = 0.15,
        copies_per_window: int = 0,
        copy_share: float = 0.0,
        copy_min_length: int = 16,
        copy_max_length: int = 32,
        copy_reverse_complement: float = 0.0,
        copy_mask_rate: Optional[float] = None,
        test_copies: bool = True,
        random_seed: int = 42,
        train_seed: Optional[int] = None,
        **kwargs,
    ):
        checks.check_given(GenomeWindows.__init__, locals())
        super().__init__(
            fasta, window, lengths, eval_windows=eval_windows, random_seed=random_seed, **kwargs
        )
        self.max_n_fraction = max_n_fraction
        self.mask_rate = mask_rate
        self.copies_per_window = copies_per_window
        self.copy_share = copy_share
        self.copy_min_length = copy_min_length
        self.copy_max_length = copy_max_length
        self.copy_reverse_complement = copy_reverse_complement
        self.copy_mask_rate = mask_rate if copy_mask_rate is None else copy_mask_rate
        self.train_seed = random_seed if train_seed is None else train_seed
        self.test_copies = test_copies and copies_per_window > 0
        self._check()
        self.masking = Masking(self.mask_rate, self.copy_mask_rate)
        kinds = ("natural", "copies") if self.test_copies else ("natural",)
        self.test_sets = [(kind, length) for length in self.lengths for kind in kinds]
        self.predict_dataset: Optional[FixedWindows] = None

    def _check(self) -> None:
        checks.check_at_least("copies_per_window", self.copies_per_window, 0)
        checks.check_at_least("train_seed", self.train_seed, 0)
        checks.check_lengths(self.window, self.lengths, self.block)
        checks.check_rates(self.mask_rate, self.copy_mask_rate, self.max_n_fraction)
        planted = [self.window, *(self.lengths if self.test_copies else [])]
        checks.check_copies(
            {n: self._planting(n).count for n in planted} if self.copies_per_window else {},
            self.copy_min_length,
            self.copy_max_length,
            self.copy_reverse_complement,
            self.copy_share,
        )

    @property
    def provided_columns(self) -> List[str]:
        """Keys of a batch.

        `input_ids`, `attention_mask`, `labels`: int64 [batch, n + 2], with [CLS] and [SEP]; labels
        are -100 where nothing is masked. `copy_kind`: int8, 1 in a direct copy, 2 in a reverse
        complement. `copy_distance`: int32, bases to the source. `sequences`: the windows as
        strings, nothing masked. `ids`: "chr1:100-612", 0-based and half-open. All but training
        batches also have `window`, the numbers of the windows in their set.
        """
        return list(COLUMNS)

    def setup(self, stage: Optional[str] = None) -> None:
        """Open the genomes and find the windows that a stage needs."""
        if self.genome is None:
            self._open_genomes()
        if stage in ("fit", None):
            self.train_dataset = self._train_set(self.parts.train)
        if stage in ("fit", "validate", None) and self.valid_share > 0:
            self.val_dataset = self._valid_set(self.parts.valid)
        if stage in ("test", None):
            self.test_datasets = self._test_sets(self.parts.test)
        if stage in ("predict", None):
            self.predict_dataset = self._predict_set(self.parts.test)

    def _planting(self, length: int) -> Optional[Planting]:
        if not self.copies_per_window:
            return None
        return Planting(
            max(1, round(self.copies_per_window * length / self.window)),
            self.copy_min_length,
            self.copy_max_length,
            self.copy_reverse_complement,
        )

    def _train_set(self, parts: np.ndarray) -> TrainWindows:
        return TrainWindows(
            self.genome,
            find_starts(parts, self.window, self.genome.n_runs, self.max_n_fraction),
            self.window,
            self.train_windows,
            self.masking,
            self._planting(self.window),
            self.copy_share,
            self.train_seed,
        )

    def _valid_set(self, parts: np.ndarray) -> FixedWindows:
        tiles = self._tiles("valid", parts, self.window)
        return self._fixed_set(self.genome, tiles, self.window, self.window, self.copy_share)

    def _test_sets(self, parts: np.ndarray) -> List[FixedWindows]:
        longest = max(self.lengths)
        tiles = self._tiles("test", parts, longest)
        return [
            self._fixed_set(self._tested, tiles, longest, length, float(kind == "copies"))
            for kind, length in self.test_sets
        ]

    def _predict_set(self, parts: np.ndarray) -> FixedWindows:
        """The test windows of `window`, cut from those of the longest length if that can be."""
        longest = max(self.lengths)
        tile_length = self.window if longest % self.window else longest
        tiles = self._tiles("test", parts, tile_length)
        return self._fixed_set(self._tested, tiles, tile_length, self.window, 0.0)

    @property
    def _tested(self) -> Genome:
        return self.test_genome or self.genome

    def _tiles(self, split: str, parts: np.ndarray, length: int) -> np.ndarray:
        genome = self.genome if split == "valid" else self._tested
        at_most = self.eval_windows
        if at_most is not None:  # as many bases, in windows of another length
            at_most = max(1, at_most * max(self.lengths) // length)
        return find_tiles(split, parts, length, genome.n_runs, self.max_n_fraction, at_most)

    def _fixed_set(
        self, genome: Genome, tiles: np.ndarray, tile_length: int, length: int, copy_share: float
    ) -> FixedWindows:
        return FixedWindows(
            genome,
            cut_tiles(tiles, tile_length, length, genome.n_runs),
            length,
            tile_length,
            self.masking,
            self._planting(length),
            copy_share,
            self.random_seed,
        )

    def test_dataloader(self) -> List[DataLoader]:
        """One for each of `test_sets`, in that order."""
        return [self._test_loader(dataset) for dataset in self.test_datasets]

    def predict_dataloader(self) -> DataLoader:
        """Test windows of `window`, without copies."""
        return self._test_loader(self.predict_dataset)
