# SPDX-License-Identifier: Apache-2.0
"""A two-sided k-mer model: what the bases next to a masked one say about it, and nothing else."""

import numpy as np

LETTERS = 4


class TwoSidedKmer:
    """Predicts a base from up to k bases on each side, learned by counting.

        p_{l,r}(x | context) = (count(context, x) + prior * p_{parent}(x | context)) / (n + prior)

    for l bases on the left and r on the right; the parent drops the outermost base of the longer
    side, and p_{0,0} is the composition. A masked neighbour ends its side. So the model uses all
    visible bases next to the masked one, and falls back on fewer where counts are thin
    (interpolation after MacKay and Peto 1995).

    Args:
        k: Bases on each side, at most.
        prior: Counts that the parent's prediction is worth.
    """

    def __init__(self, k: int, prior: float = 10.0):
        self.k = k
        self.prior = prior
        self._counts = {
            (left, right): np.zeros((LETTERS ** (left + right), LETTERS), dtype=np.int32)
            for left in range(k + 1)
            for right in range(k + 1)
        }

    def fit(self, bases: np.ndarray) -> "TwoSidedKmer":
        """Count every base with its neighbours.

        Args:
            bases: Bases as 0 to 3, int [n]; anything else, such as a separator, ends a context.
        """
        left, right = _contexts(bases, self.k)
        for (l_size, r_size), table in self._counts.items():
            known = (bases < LETTERS) & (left[l_size] >= 0) & (right[r_size] >= 0)
            context = left[l_size][known] * LETTERS**r_size + right[r_size][known]
            cell = context * LETTERS + bases[known]
            table += np.bincount(cell, minlength=table.size).reshape(table.shape).astype(np.int32)
        return self

    def limited(self, k: int, prior: float) -> "TwoSidedKmer":
        """The same counts read with at most `k` bases on each side and another prior."""
        assert k <= self.k
        other = TwoSidedKmer.__new__(TwoSidedKmer)
        other.k, other.prior, other._counts = k, prior, self._counts
        return other

    def probabilities(self, bases: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Probability of each letter at some positions, [len(positions), 4].

        Args:
            bases: Visible bases as 0 to 3, anything else where masked, int [n].
            positions: Where to predict.
        """
        left, right = _contexts(bases, self.k)
        none = np.zeros(len(positions), dtype=np.int64)
        sizes = np.stack(
            [
                sum((side[size][positions] >= 0 for size in range(1, self.k + 1)), start=none)
                for side in (left, right)
            ]
        )
        out = np.empty((len(positions), LETTERS))
        for l_size, r_size in {*map(tuple, sizes.T.tolist())}:
            here = (sizes == [[l_size], [r_size]]).all(axis=0)
            at = positions[here]
            contexts = [(left[i][at], right[j][at]) for i, j in _path(l_size, r_size)]
            out[here] = self._interpolate(_path(l_size, r_size), contexts)
        return out

    def _interpolate(self, path: list, contexts: list) -> np.ndarray:
        probability = np.full((len(contexts[0][0]), LETTERS), 1.0 / LETTERS)
        for (l_size, r_size), (l_code, r_code) in zip(path, contexts, strict=True):
            counts = self._counts[l_size, r_size][l_code * LETTERS**r_size + r_code]
            total = counts.sum(axis=1, keepdims=True)
            probability = (counts + self.prior * probability) / (total + self.prior)
        return probability


def _path(left: int, right: int) -> list[tuple[int, int]]:
    """From no context to the whole one, the longer side growing last: (0,0) ... (left,right)."""
    path = [(left, right)]
    while (left, right) != (0, 0):
        left, right = (left - 1, right) if left >= right else (left, right - 1)
        path.append((left, right))
    return path[::-1]


def _contexts(bases: np.ndarray, k: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Codes of the 0 to k bases on the left and on the right of each position; -1 if one is hidden.

    The nearest base is the most significant digit on the left and on the right, so that a code of
    fewer bases is a longer code's prefix.
    """
    n = len(bases)
    hidden = np.full(k, LETTERS)
    padded = np.concatenate([hidden, np.where(bases < LETTERS, bases, LETTERS), hidden])
    sides = []
    for sign in (-1, 1):
        codes = [np.zeros(n, dtype=np.int64)]
        for distance in range(1, k + 1):
            neighbour = padded[k + sign * distance : k + sign * distance + n]
            seen = (codes[-1] >= 0) & (neighbour < LETTERS)
            codes.append(np.where(seen, codes[-1] * LETTERS + neighbour, -1))
        sides.append(codes)
    return sides[0], sides[1]
