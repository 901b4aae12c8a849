# SPDX-License-Identifier: Apache-2.0
"""Windows with labels as torch datasets: random ones to train on, centred ones to evaluate on."""

from collections.abc import Sequence
from typing import Optional

import numpy as np
from torch.utils.data import Dataset

from modelgenerator.long_context.data.collate import example
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.data.regions import Track
from modelgenerator.long_context.data.streams import Stream, generator
from modelgenerator.long_context.data.vocabulary import N, reverse_complement
from modelgenerator.long_context.data.windows import random_window

COLUMNS = ("input_ids", "attention_mask", "labels", "sequences", "ids")


class Labelling:
    """Cuts one window of a genome, on either strand, and says its label.

    Args:
        genome: Where windows come from.
        strand_labels: The label of each region on the forward and on the reverse strand, int64
            [2, regions].
        track: Regions of single bases, by number. None labels whole windows.
    """

    def __init__(self, genome: Genome, strand_labels: np.ndarray, track: Optional[Track] = None):
        self.genome = genome
        self.strand_labels = np.asarray(strand_labels, dtype=np.int64)
        self.track = track

    def example(self, start: int, length: int, region: int, reverse: bool, core: int) -> dict:
        """`COLUMNS` of one window.

        Args:
            start: Global position of the first base.
            length: Bases in the window.
            region: Region that the window is of, if there is no track.
            reverse: Whether to read the other strand.
            core: Bases in the middle that keep their labels; all others, and N, are ignored. Only
                with a track.
        """
        ids, name = self.genome.read(start, length), self.genome.locate(start, length)
        regions = region if self.track is None else self.track.read(start, length)
        labels = self.strand_labels[int(reverse), regions]
        if self.track is not None:
            labels = _keep_middle(np.where(ids == N, IGNORED, labels), core)
        if reverse:
            ids, name = reverse_complement(ids), f"{name}(-)"
            labels = labels if self.track is None else labels[::-1].copy()
        return example(ids, labels, name)


def _keep_middle(labels: np.ndarray, core: int) -> np.ndarray:
    flank = len(labels) // 2 - core // 2  # windows of all lengths have their middle there
    labels[:flank] = IGNORED
    labels[flank + core :] = IGNORED
    return labels


class RandomLabelledWindows(Dataset):
    """Random windows, every class as often, half of them from the other strand.

    Item i depends on the seed and on i alone, for any i from 0.

    Args:
        labelling: Cuts and labels.
        eligible: Intervals of starts [k, 3] of each class, from `eligible_starts`.
        window: Length of a window.
        items: Windows in an epoch.
        seed: Decides everything.
    """

    def __init__(
        self,
        labelling: Labelling,
        eligible: Sequence[np.ndarray],
        window: int,
        items: int,
        seed: int,
    ):
        self.labelling = labelling
        self.eligible = eligible
        self.window = window
        self.items = items
        self.seed = seed

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: int) -> dict:
        rng = generator(self.seed, Stream.LABELLED, index)
        label = int(rng.integers(len(self.eligible)))
        start = random_window(self.eligible[label], rng)
        reverse = rng.random() < 0.5
        return self.labelling.example(start, self.window, label, reverse, self.window)


class CentredWindows(Dataset):
    """Windows around given centres, the same centre on the same strand whatever the length.

    Args:
        labelling: Cuts and labels.
        centres: Global position and region of each window, int64 [windows, 2]. Half
            of the window, rounded down, lies before the position.
        length: Length of a window.
        core: Bases in the middle that have labels, if single bases do.
        seed: Decides the strands.
    """

    def __init__(
        self, labelling: Labelling, centres: np.ndarray, length: int, core: int, seed: int
    ):
        self.labelling = labelling
        self.centres = centres
        self.length = length
        self.core = core
        self.seed = seed

    def __len__(self) -> int:
        return len(self.centres)

    def __getitem__(self, index: int) -> dict:
        centre, label = self.centres[index].tolist()
        reverse = generator(self.seed, Stream.STRAND, centre).random() < 0.5
        start = centre - self.length // 2
        return self.labelling.example(start, self.length, label, reverse, self.core)
