# SPDX-License-Identifier: Apache-2.0
"""One window as an example: the columns of a batch, made with whole-array operations only."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from modelgenerator.long_context.data.copies import NATURAL, PlantedCopies, plant_copies
from modelgenerator.long_context.data.masking import IGNORED, choose_masked, hide
from modelgenerator.long_context.data.vocabulary import CLS, SEP, decode

COLUMNS = (
    "input_ids",
    "attention_mask",
    "labels",
    "copy_kind",
    "copy_distance",
    "sequences",
    "ids",
)


class Masking(NamedTuple):
    """Probability of a base to be masked: in general, and within planted copies."""

    rate: float
    copy_rate: float


class Planting(NamedTuple):
    """Copies to plant in a window: the last arguments of `plant_copies`."""

    count: int
    min_length: int
    max_length: int
    reverse_complement_share: float


def natural_example(ids: np.ndarray, draws: np.ndarray, masking: Masking, name: str) -> dict:
    """A window as it is.

    Args:
        ids: Token ids without special tokens, uint8 [n].
        draws: Uniform random numbers that decide what is masked [n].
        masking: What is masked.
        name: Where the window comes from.
    """
    nothing = np.zeros(len(ids), dtype=bool)
    copies = PlantedCopies(
        ids, np.full(len(ids), NATURAL, np.int8), nothing, np.zeros(len(ids), np.int32)
    )
    return _example(copies, choose_masked(ids, draws, masking.rate), name)


def copies_example(
    ids: np.ndarray, rng: np.random.Generator, planting: Planting, masking: Masking, name: str
) -> dict:
    """A window with copies: they are masked at a rate of their own, sources never.

    Args:
        ids: Token ids without special tokens, uint8 [n].
        rng: Decides the copies and what is masked.
        planting: Which copies.
        masking: What is masked.
        name: Where the window comes from.
    """
    copies = plant_copies(ids, rng, *planting)
    rate = np.where(copies.kind == NATURAL, masking.rate, masking.copy_rate)
    rate[copies.is_source] = 0
    masked = choose_masked(copies.ids, rng.random(len(ids), dtype=np.float32), rate)
    return _example(copies, masked, name)


def _example(copies: PlantedCopies, masked: np.ndarray, name: str) -> dict:
    """`COLUMNS` of one window; the tensors are [n + 2], with [CLS] and [SEP] at the ends."""
    input_ids, labels = hide(copies.ids, masked)
    return {
        "input_ids": _between(CLS, input_ids, SEP),
        "attention_mask": torch.ones(len(masked) + 2, dtype=torch.long),
        "labels": _between(IGNORED, labels, IGNORED),
        "copy_kind": _between(NATURAL, copies.kind, NATURAL),
        "copy_distance": _between(0, copies.distance, 0),
        "sequences": decode(copies.ids),
        "ids": name,
    }


def _between(first: int, values: np.ndarray, last: int) -> Tensor:
    out = np.empty(len(values) + 2, dtype=values.dtype)
    out[0], out[1:-1], out[-1] = first, values, last
    return torch.from_numpy(out)
