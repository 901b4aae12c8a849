# SPDX-License-Identifier: Apache-2.0
"""Do training and testing share sequence? Counted by 100-mers, of either strand."""

from collections.abc import Iterator

import numpy as np

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.vocabulary import N, reverse_complement

K = 100
KEPT_OF = 16  # one in so many 100-mers is compared, chosen by its hash and so alike everywhere
PIECE = 1 << 20  # bases hashed at a time, so that memory does not grow with the genome

_MULTIPLIER = 0x9E3779B97F4A7C15
_WORD = 1 << 64


def hash_kmers(ids: np.ndarray, k: int = K) -> np.ndarray:
    """A hash of each k-mer or its reverse complement, the lesser, uint64 [n - k + 1].

    Args:
        ids: Token ids without special tokens, uint8 [n].
        k: Bases in a k-mer.
    """
    forward = _rolling(ids, k)
    backward = _rolling(reverse_complement(ids), k)[::-1]
    return np.minimum(forward, backward)


def _rolling(ids: np.ndarray, k: int) -> np.ndarray:
    """Polynomial hash of each k-mer modulo 2^64, by doubling: few passes whatever k is."""
    if len(ids) < k:
        return np.zeros(0, dtype=np.uint64)
    power = _mix(ids.astype(np.uint64) + np.uint64(1))  # hashes of 2^i letters
    size, total, done = 1, np.zeros(len(ids) - k + 1, dtype=np.uint64), 0
    count = len(total)
    while True:
        if k & size:
            total = total * _power(size) + power[done : done + count]
            done += size
        if done == k:
            return _mix(total)
        power = power[:-size] * _power(size) + power[size:]
        size *= 2


def _power(size: int) -> np.uint64:
    return np.uint64(pow(_MULTIPLIER, size, _WORD))


def _mix(values: np.ndarray) -> np.ndarray:
    """Spread the bits (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def sampled_kmers(genome: Genome, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Position and hash of the compared 100-mers of a stretch; those with N are left out."""
    ids = genome.read(start, stop - start)
    hashes = hash_kmers(ids)
    n_before = np.concatenate([[0], np.cumsum(ids == N)])
    clean = n_before[K:] == n_before[: len(n_before) - K]
    at = np.flatnonzero(clean & (hashes % np.uint64(KEPT_OF) == 0))
    return start + at, hashes[at]


def _stretches(parts: np.ndarray) -> Iterator[tuple[int, int]]:
    for start, stop in parts.tolist():
        for begin in range(start, stop, PIECE):
            yield begin, min(begin + PIECE + K - 1, stop)


class SharedKmers:
    """The 100-mers of training parts, to look up those of other windows.

    Args:
        genome: The genome that trains.
        parts: Its training parts [parts, 2].
    """

    def __init__(self, genome: Genome, parts: np.ndarray):
        found = [np.zeros(0, dtype=np.uint64)]
        found += [np.unique(sampled_kmers(genome, *s)[1]) for s in _stretches(parts)]
        self._known = np.unique(np.concatenate(found))

    def share(self, genome: Genome, starts: np.ndarray, length: int) -> np.ndarray:
        """Share of each window's compared 100-mers that also train, float64 [windows]."""
        return np.array([self._share(genome, s, s + length) for s in starts.tolist()])

    def _share(self, genome: Genome, start: int, stop: int) -> float:
        _, hashes = sampled_kmers(genome, start, stop)
        if not len(hashes) or not len(self._known):
            return 0.0
        at = np.searchsorted(self._known, hashes).clip(max=len(self._known) - 1)
        return float((self._known[at] == hashes).mean())
