# SPDX-License-Identifier: Apache-2.0
"""Recall of planted copies by how far away the answer stands."""

import torch
import torchmetrics as tm
from torch import Tensor

from modelgenerator.long_context.evaluation.masked_bases import KINDS

BINS = 24  # distances to 2**24


class RecallByDistance(tm.Metric):
    """Hits on masked bases of copies, by the distance to their source in powers of two."""

    full_state_update = False

    def __init__(self):
        super().__init__()
        for name in ("hits", "bases"):
            zeros = torch.zeros(len(KINDS), BINS, dtype=torch.float64)
            self.add_state(name, default=zeros, dist_reduce_fx="sum")

    def update(self, kind: Tensor, distance: Tensor, hit: Tensor) -> None:
        """Count masked bases of copies.

        Args:
            kind: Index into `KINDS` [copied].
            distance: Bases between a copy's base and its source's [copied], at least 1.
            hit: Whether the likeliest base is the true one [copied].
        """
        power = torch.log2(distance.double()).floor().long().clamp(0, BINS - 1)
        cell = kind.long() * BINS + power
        self.hits.view(-1).index_add_(0, cell, hit.to(self.hits))
        self.bases.view(-1).index_add_(0, cell, torch.ones_like(cell, dtype=self.bases.dtype))

    def compute(self) -> list[dict]:
        """Rows `kind`, `low`, `high` (distances from low, below high), `hits` and `bases`."""
        rows = []
        for kind in range(1, len(KINDS)):
            for power in self.bases[kind].nonzero().flatten().tolist():
                rows.append(
                    {
                        "kind": KINDS[kind],
                        "low": 2**power,
                        "high": 2 ** (power + 1),
                        "hits": int(self.hits[kind, power]),
                        "bases": int(self.bases[kind, power]),
                    }
                )
        return rows
