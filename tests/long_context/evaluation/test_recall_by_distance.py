# SPDX-License-Identifier: Apache-2.0
"""Recall by distance, by hand."""

import torch

from modelgenerator.long_context.evaluation import RecallByDistance


def test_powers_of_two_from_low_to_below_high():
    recall = RecallByDistance()
    recall.update(
        kind=torch.tensor([1, 1, 1, 2]),
        distance=torch.tensor([8, 15, 16, 1]),
        hit=torch.tensor([True, False, True, True]),
    )
    assert recall.compute() == [
        {"kind": "copy", "low": 8, "high": 16, "hits": 1, "bases": 2},
        {"kind": "copy", "low": 16, "high": 32, "hits": 1, "bases": 1},
        {"kind": "reverse_complement_copy", "low": 1, "high": 2, "hits": 1, "bases": 1},
    ]
