# SPDX-License-Identifier: Apache-2.0
"""Finds what a genome holds twice within reach of one window: natural copies."""

from typing import NamedTuple

import numpy as np

from modelgenerator.long_context.data.copies import DIRECT, REVERSE_COMPLEMENT
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.leakage import PIECE, K, sampled_kmers
from modelgenerator.long_context.data.vocabulary import N, reverse_complement

LONGEST = 2_000  # bases up to which a copy is followed


class Copies(NamedTuple):
    """Stretches that equal another one nearby, or its reverse complement; arrays [copies].

    Attributes:
        start: Global position of each, int64.
        source: Global position of what it equals, always before it, int64.
        length: Bases in both, int64.
        kind: DIRECT or REVERSE_COMPLEMENT, int8.
    """

    start: np.ndarray
    source: np.ndarray
    length: np.ndarray
    kind: np.ndarray


def find_copies(genome: Genome, reach: int) -> Copies:
    """Exact copies of 100 bases or more whose source begins up to `reach` bases before them.

    A stretch that occurs a third time within `reach`, as in tandem repeats, is left out, and so is
    what overlaps its source or an earlier copy.

    Args:
        genome: Where to look.
        reach: Bases between the starts of source and copy, at most.
    """
    found = set()
    for start, stop in zip(genome.offsets[:-1].tolist(), genome.offsets[1:].tolist(), strict=True):
        for first, second in _pairs(genome, start, stop, reach):
            copy = _extend(genome, first, second, start, stop)
            if copy is not None:
                found.add(copy)
    kept, end = [], -1
    for start, source, length, kind in sorted(found):
        if source + length <= start and start >= end:
            kept.append((start, source, length, kind))
            end = start + length
    columns = np.array(kept, dtype=np.int64).reshape(-1, 4).T
    return Copies(*columns[:3], columns[3].astype(np.int8))


def _pairs(genome: Genome, start: int, stop: int, reach: int) -> np.ndarray:
    """Positions of compared 100-mers that occur twice, and only twice, in reach: [pairs, 2]."""
    stretches = [(at, min(at + PIECE + K - 1, stop)) for at in range(start, stop, PIECE)]
    if not stretches:  # a record without a base
        return np.empty((0, 2), dtype=np.int64)
    kmers = [sampled_kmers(genome, *stretch) for stretch in stretches]
    positions, hashes = (np.concatenate(column) for column in zip(*kmers, strict=True))
    order = np.lexsort((positions, hashes))
    positions, hashes = positions[order], hashes[order]
    # near[i]: are the i-th and the next the same 100-mer, within reach of each other?
    near = (hashes[1:] == hashes[:-1]) & (np.diff(positions) <= reach)
    near = np.concatenate([[False], near, [False]])
    only = near[1:-1] & ~near[:-2] & ~near[2:]
    pairs = np.stack([positions[:-1][only], positions[1:][only]], axis=1)
    return pairs[pairs[:, 1] - pairs[:, 0] >= K]


def _extend(genome: Genome, first: int, second: int, start: int, stop: int):
    """The longest match that two equal 100-mers are part of: a row of `Copies`, or None."""
    one, other = genome.read(first, K), genome.read(second, K)
    if (one == other).all():
        left = _agree(_before(genome, first, start), _before(genome, second, start))
        right = _agree(_after(genome, first + K, stop), _after(genome, second + K, stop))
        return second - left, first - left, left + K + right, DIRECT
    if (one == reverse_complement(other)).all():
        # What lies before one is, complemented, what lies after the other.
        left = _agree(_before(genome, first, start), _paired(_after(genome, second + K, stop)))
        right = _agree(_after(genome, first + K, stop), _paired(_before(genome, second, start)))
        return second - right, first - left, left + K + right, REVERSE_COMPLEMENT
    return None  # equal hashes of different 100-mers


def _after(genome: Genome, at: int, stop: int) -> np.ndarray:
    return genome.read(at, min(LONGEST, stop - at))


def _before(genome: Genome, at: int, start: int) -> np.ndarray:
    """Bases before a position, the nearest first."""
    length = min(LONGEST, at - start)
    return genome.read(at - length, length)[::-1]


def _paired(ids: np.ndarray) -> np.ndarray:
    """The base that each pairs with, in the same order."""
    return reverse_complement(ids)[::-1]


def _agree(one: np.ndarray, other: np.ndarray) -> int:
    """How many bases agree before the first that do not; N agrees with nothing."""
    length = min(len(one), len(other))
    differs = (one[:length] != other[:length]) | (one[:length] == N)
    return int(differs.argmax()) if differs.any() else length
