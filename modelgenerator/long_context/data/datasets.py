# SPDX-License-Identifier: Apache-2.0
"""Windows of a genome as torch datasets: random ones to train on, fixed ones to evaluate on."""

from typing import Optional

import numpy as np
from torch.utils.data import Dataset

from modelgenerator.long_context.data.examples import (
    Masking,
    Planting,
    copies_example,
    natural_example,
)
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.streams import Stream, generator
from modelgenerator.long_context.data.vocabulary import reverse_complement
from modelgenerator.long_context.data.windows import random_window


class TrainWindows(Dataset):
    """Random windows: item i depends on the seed and on i alone, for any i from 0.

    Half of them are read from the other strand; their `ids` end in "(-)", as bedtools writes it.

    Args:
        genome: Where windows come from.
        eligible: Intervals of starts [k, 3], from `eligible_starts`.
        window: Length of a window.
        items: Windows in an epoch, what `len` gives; `EpochSampler` goes on from there.
        masking: What is masked.
        planting: Copies for the windows that get any.
        copy_share: Share of windows that do.
        seed: Decides everything.
    """

    def __init__(
        self,
        genome: Genome,
        eligible: np.ndarray,
        window: int,
        items: int,
        masking: Masking,
        planting: Optional[Planting] = None,
        copy_share: float = 0.0,
        seed: int = 0,
    ):
        self.genome = genome
        self.eligible = eligible
        self.window = window
        self.items = items
        self.masking = masking
        self.planting = planting
        self.copy_share = copy_share
        self.seed = seed

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: int) -> dict:
        rng = generator(self.seed, Stream.TRAIN, index)
        start = random_window(self.eligible, rng)
        ids = self.genome.read(start, self.window)
        name = self.genome.locate(start, self.window)
        if rng.random() < 0.5:
            ids, name = reverse_complement(ids), f"{name}(-)"
        if rng.random() < self.copy_share:
            return copies_example(ids, rng, self.planting, self.masking, name)
        draws = rng.random(self.window, dtype=np.float32)
        return natural_example(ids, draws, self.masking, name)


class FixedWindows(Dataset):
    """Windows cut from tiles, the same in every epoch; an example's `window` is its number.

    What is masked in a natural window is drawn once for its tile. So sets of several lengths, cut
    from the same tiles, score the very same bases, with more context or with less.

    Args:
        genome: Where windows come from.
        windows: Start of each window and of the tile it is part of, int64 [windows, 2].
        length: Length of a window.
        tile_length: Length of a tile.
        masking: What is masked.
        planting: Copies for the windows that get any.
        copy_share: Share of windows that do.
        seed: Decides masks and copies.
    """

    def __init__(
        self,
        genome: Genome,
        windows: np.ndarray,
        length: int,
        tile_length: int,
        masking: Masking,
        planting: Optional[Planting] = None,
        copy_share: float = 0.0,
        seed: int = 0,
    ):
        self.genome = genome
        self.windows = windows
        self.length = length
        self.tile_length = tile_length
        self.masking = masking
        self.planting = planting
        self.copy_share = copy_share
        self.seed = seed

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> dict:
        return {**self._example(index), "window": index}

    def _example(self, index: int) -> dict:
        start, tile = self.windows[index].tolist()
        ids = self.genome.read(start, self.length)
        name = self.genome.locate(start, self.length)
        rng = generator(self.seed, Stream.COPIES, start, self.length)
        if rng.random() < self.copy_share:
            return copies_example(ids, rng, self.planting, self.masking, name)
        rng = generator(self.seed, Stream.MASK, tile)
        draws = rng.random(self.tile_length, dtype=np.float32)[start - tile :][: self.length]
        return natural_example(ids, draws, self.masking, name)
