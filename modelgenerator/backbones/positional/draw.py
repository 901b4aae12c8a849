# SPDX-License-Identifier: Apache-2.0
"""Random numbers of a training step: the same on every rank, and when a step is run again."""

import hashlib

import torch
from torch import Tensor


def step_generator(seed: int, step: int, purpose: str) -> torch.Generator:
    """CPU generator that depends on `seed`, `step` and what it is for, and on nothing else.

    They are mixed by a hash, as a generator's first numbers after neighbouring seeds are not
    independent by design.
    """
    digest = hashlib.blake2b(f"{purpose}:{seed}:{step}".encode(), digest_size=8).digest()
    return torch.Generator(device="cpu").manual_seed(int.from_bytes(digest, "big"))


def gene_probabilities(count: int) -> Tensor:
    """Probability of each multiple 1..count of GeNE's smallest training factor, float64 [count].

    Uniform up to four; beyond, the first and last get 1/4 each and the others share 1/2.
    LhLi-QED/GeNE, gene_rope.py.
    """
    if count <= 4:
        return torch.full((count,), 1.0 / count, dtype=torch.float64, device="cpu")
    probabilities = torch.full((count,), 0.5 / (count - 2), dtype=torch.float64, device="cpu")
    probabilities[[0, -1]] = 0.25
    return probabilities


def draw_index(probabilities: Tensor, generator: torch.Generator) -> int:
    """Index drawn with `probabilities`, 0 to their number less one."""
    return int(torch.multinomial(probabilities, 1, generator=generator))


def draw_uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Real number drawn evenly from [low, high)."""
    unit = torch.rand((), dtype=torch.float64, device="cpu", generator=generator)
    return low + (high - low) * float(unit)


def draw_factor(low: float, high: float, generator: torch.Generator) -> float:
    """Factor drawn from [low, high]: each end with 1/4, else evenly in its logarithm.

    GeNE's probabilities for a factor that need not be whole. Both ends come out exactly.
    """
    unit = draw_uniform(-0.5, 1.5, generator)
    if unit <= 0.0 or unit >= 1.0:
        return low if unit <= 0.0 else high
    return low * (high / low) ** unit


def draw_integer(low: int, high: int, generator: torch.Generator) -> int:
    """Whole number drawn evenly from low, ..., high."""
    return int(torch.randint(low, high + 1, (), device="cpu", generator=generator))


def draw_sorted(population: int, count: int, generator: torch.Generator) -> Tensor:
    """Draw `count` different whole numbers of 0..population-1, ascending, int64 [count]."""
    order = torch.randperm(population, device="cpu", generator=generator)
    return order[:count].sort().values
