# SPDX-License-Identifier: Apache-2.0
"""Sums over equal segments of a test set: the units that a paired bootstrap draws from."""

import torch
import torchmetrics as tm
from torch import Tensor


class Segments(tm.Metric):
    """Negative log-likelihood, hits and bases in each segment of each window of a test set.

    With natural windows of several lengths cut from the same tiles, segment i holds the same scored
    bases at every length; so methods, and lengths, are compared base by base.

    Args:
        windows: Windows in the test set.
        per_window: Equal segments of a window.
    """

    full_state_update = False

    def __init__(self, windows: int, per_window: int):
        super().__init__()
        self.per_window = per_window
        for name in ("nll", "hits", "bases"):
            zeros = torch.zeros(windows * per_window, dtype=torch.float64)
            self.add_state(name, default=zeros, dist_reduce_fx="sum")

    def update(self, window: Tensor, position: Tensor, nll: Tensor, hit: Tensor) -> None:
        """Count scored bases.

        Args:
            window: Which window of the test set a base is in [scored].
            position: Place in the window [scored], as a share of its length in [0, 1).
            nll: Negative log-likelihood of the true base [scored], nats.
            hit: Whether the likeliest base is the true one [scored].
        """
        segment = window * self.per_window + (position * self.per_window).long()
        self.nll.index_add_(0, segment, nll.to(self.nll))
        self.hits.index_add_(0, segment, hit.to(self.hits))
        self.bases.index_add_(0, segment, torch.ones_like(nll, dtype=self.bases.dtype))

    def compute(self) -> dict[str, list]:
        """`nll` (nats, 4 decimals), `hits` and `bases` of every segment, in order."""
        return {
            "nll": [round(x, 4) for x in self.nll.tolist()],
            "hits": self.hits.long().tolist(),
            "bases": self.bases.long().tolist(),
        }
