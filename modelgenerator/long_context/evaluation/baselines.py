# SPDX-License-Identifier: Apache-2.0
"""What can be said of a window without a neural network: trivial baselines of labelled tasks."""

import math
from collections.abc import Sequence
from typing import Optional

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from torch.utils.data import Dataset

from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.data.vocabulary import MASK, A, C, G, T, reverse_complement

_BASES = (A, C, G, T)
_CODE = np.full(256, -1, dtype=np.int64)
_CODE[list(_BASES)] = range(4)


def kmer_counts(ids: np.ndarray, k: int) -> np.ndarray:
    """How often each k-mer of A, C, G, T occurs, float32 [4^k]; AAA is first, TTT last."""
    return np.bincount(_kmer_codes(ids, k)[1], minlength=4**k).astype(np.float32)


def reverse_complement_kmers(k: int) -> np.ndarray:
    """Number of each k-mer's reverse complement: counts[this] are those of the other strand."""
    numbers = np.arange(4**k)
    digits = [numbers // 4**i % 4 for i in range(k)]  # the last letter first
    return sum((3 - digit) * 4 ** (k - 1 - i) for i, digit in enumerate(digits))


def _kmer_codes(ids: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and numbers of all k-mers without other letters."""
    codes = _CODE[ids]
    count = len(ids) - k + 1
    numbers = np.zeros(max(0, count), dtype=np.int64)
    known = np.ones(max(0, count), dtype=bool)
    for i in range(k):
        part = codes[i : i + count]
        numbers = numbers * 4 + part
        known &= part >= 0
    return np.flatnonzero(known), numbers[known]


def gc_skew(ids: np.ndarray) -> float:
    """(G - C) / (G + C); 0 where there is neither."""
    g, c = int((ids == G).sum()), int((ids == C).sum())
    return (g - c) / max(1, g + c)


def window_features(
    dataset: Dataset, k: int, items: Optional[int] = None
) -> tuple[np.ndarray, np.ndarray]:
    """K-mer frequencies of labelled windows, for `probe`.

    Args:
        dataset: Windows with a label each.
        k: Length of k-mers.
        items: So many of the first; by default all.

    Returns:
        Frequencies float32 [windows, 4^k], labels int64 [windows].
    """
    rows, labels = [], []
    for index in range(len(dataset) if items is None else items):
        example = dataset[index]
        counts = kmer_counts(example["input_ids"].numpy()[1:-1], k)
        rows.append(counts / max(1.0, counts.sum()))
        labels.append(int(example["labels"]))
    return np.stack(rows), np.array(labels)


def base_features(
    dataset: Dataset, k: int, flank: int, per_window: int, items: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """K-mer frequencies around single bases that have a label, for `probe`.

    Args:
        dataset: Windows with a label for every base.
        k: Length of k-mers.
        flank: Bases on each side that are counted; nearer to an end of the window, fewer.
        per_window: Bases drawn from each window.
        items: Windows, the first.
        seed: Decides which bases.

    Returns:
        Frequencies float32 [bases, 4^k], labels int64 [bases].
    """
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for index in range(items):
        example = dataset[index]
        ids = example["input_ids"].numpy()[1:-1]
        asked = example["labels"].numpy()
        at = np.flatnonzero(asked != IGNORED)
        drawn = rng.choice(at, min(per_window, len(at)), replace=False)
        for position in drawn:
            counts = kmer_counts(ids[max(0, position - flank) : position + flank + 1], k)
            rows.append(counts / max(1.0, counts.sum()))
        labels.append(asked[drawn])
    return np.stack(rows), np.concatenate(labels)


def lookup(ids: np.ndarray, positions: Sequence[int], flank: int = 12) -> np.ndarray:
    """Bases copied from where their neighbours occur elsewhere in the window, int64 [positions].

    The place that agrees in most of the `flank` bases on either side is taken, on either strand;
    masked neighbours agree with nothing.

    Args:
        ids: Token ids without special tokens, [MASK] where hidden, [n].
        positions: Where to predict.
        flank: Neighbours on each side that are compared.
    """
    padded = np.pad(ids, flank, constant_values=MASK)
    windows = sliding_window_view(padded, 2 * flank + 1)
    offsets = [i for i in range(2 * flank + 1) if i != flank]
    found = []
    for position in positions:
        own = windows[position]
        best = (-1, int(A))
        for query in (own, reverse_complement(np.where(own == MASK, 0, own))):
            agree = np.zeros(len(ids), dtype=np.int16)
            for i in offsets:
                if query[i] in _BASES:
                    agree += windows[:, i] == query[i]
            agree[~np.isin(ids, _BASES)] = -1
            agree[position] = -1
            place = int(agree.argmax())
            base = int(ids[place])
            if query is not own:
                base = int(reverse_complement(np.array([base]))[0])
            best = max(best, (int(agree[place]), base))
        found.append(best[1])
    return np.array(found)


def contexts(ids: np.ndarray, at: np.ndarray, before: int, after: int) -> np.ndarray:
    """Bases around positions, numbered A, C, G, T, and -1 for others, int64 [positions, width].

    Args:
        ids: Token ids without special tokens [n].
        at: Positions.
        before: Bases in front of each.
        after: Bases behind each; width is before + 1 + after.
    """
    return _windows_of_codes(ids, before, after)[at]


def weight_matrix(sites: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Log odds of each base at each offset of sites, float64 [width, 4].

    Stormo et al. 1982 (Nucleic Acids Res. 10:2997), with one pseudocount shared as the background.

    Args:
        sites: From `contexts` [sites, width].
        background: Frequencies of A, C, G, T where sites are looked for [4].
    """
    counts = (sites[:, :, None] == np.arange(4)).sum(axis=0)
    shares = (counts + background) / (counts.sum(axis=1, keepdims=True) + 1)
    return np.log(shares / background)


def matrix_scores(ids: np.ndarray, matrix: np.ndarray, before: int) -> np.ndarray:
    """Sum of log odds around every base, float64 [n]; unknown bases and ends of the window add 0.

    Args:
        ids: Token ids without special tokens [n].
        matrix: From `weight_matrix` [width, 4].
        before: Offset of the scored base within the matrix.
    """
    around = _windows_of_codes(ids, before, len(matrix) - 1 - before)
    odds = np.pad(matrix, ((0, 0), (0, 1)))  # the last column is for -1
    return sum(odds[i, around[:, i]] for i in range(len(matrix)))


def _windows_of_codes(ids: np.ndarray, before: int, after: int) -> np.ndarray:
    padded = np.pad(_CODE[ids], (before, after), constant_values=-1)
    return sliding_window_view(padded, before + 1 + after)


def share_error(share: float, count: int) -> float:
    """Standard error of a share of `count` independent trials."""
    return math.sqrt(share * (1 - share) / max(1, count))
