# SPDX-License-Identifier: Apache-2.0
"""Counts over masked bases, from which perplexity, accuracy and recall of copies follow."""

import math
from typing import Union

import torch
import torchmetrics as tm
from torch import Tensor

# Kinds of masked base, as GenomeWindows' `copy_kind` numbers them.
KINDS = ("natural", "copy", "reverse_complement_copy")


class MaskedBases(tm.Metric):
    """Negative log-likelihood and hits on masked bases, by position in the window and by kind.

    Args:
        bins: Equal parts of the window that positions are gathered into.
    """

    full_state_update = False

    def __init__(self, bins: int = 16):
        super().__init__()
        self.bins = bins
        for name in ("nll", "hits", "bases"):
            zeros = torch.zeros(bins, len(KINDS), dtype=torch.float64)
            self.add_state(name, default=zeros, dist_reduce_fx="sum")

    def update(self, nll: Tensor, hit: Tensor, position: Tensor, kind: Tensor) -> None:
        """Count masked bases.

        Args:
            nll: Negative log-likelihood of each true base [masked], nats.
            hit: Whether the likeliest base is the true one [masked].
            position: Place in the window [masked], as a share of its length in [0, 1).
            kind: Index into `KINDS` [masked].
        """
        cell = (position * self.bins).long() * len(KINDS) + kind.long()
        for state, amount in (
            (self.nll, nll),
            (self.hits, hit),
            (self.bases, torch.ones_like(nll)),
        ):
            state.view(-1).index_add_(0, cell, amount.to(state))

    def compute(self) -> dict[str, Union[float, list, dict]]:
        """What the counts of all ranks come to.

        Returns:
            `perplexity` and `accuracy` on natural bases; `copy_perplexity`, `recall`,
            `recall_direct` and `recall_reverse_complement` on planted copies; what there are no
            bases for is left out. Perplexity is the exponential of the mean negative log-likelihood
            in nats; guessing among four bases is 4. Also `loss`, the mean over all bases in nats;
            `loss_by_position`, that of natural bases in each part of the window, None where there
            are none; and `masked_bases`, how many there are of each kind.
        """
        by_bin = (self.nll[:, 0] / self.bases[:, 0]).tolist()
        nll, hits, bases = (x.sum(0).tolist() for x in (self.nll, self.hits, self.bases))
        out = {
            "loss": sum(nll) / max(1.0, sum(bases)),
            "loss_by_position": [None if math.isnan(x) else x for x in by_bin],
            "masked_bases": dict(zip(KINDS, map(int, bases), strict=True)),
        }
        if bases[0]:
            out["perplexity"] = _perplexity(nll[0] / bases[0])
            out["accuracy"] = hits[0] / bases[0]
        copied = bases[1] + bases[2]
        if copied:
            out["copy_perplexity"] = _perplexity((nll[1] + nll[2]) / copied)
            out["recall"] = (hits[1] + hits[2]) / copied
        if bases[1]:
            out["recall_direct"] = hits[1] / bases[1]
        if bases[2]:
            out["recall_reverse_complement"] = hits[2] / bases[2]
        return out


def _perplexity(loss: float) -> float:
    try:
        return math.exp(loss)
    except OverflowError:  # beyond 709 nats
        return math.inf
