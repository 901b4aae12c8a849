# SPDX-License-Identifier: Apache-2.0
"""Sums over segments, by hand."""

import torch

from modelgenerator.long_context.evaluation import Segments


def test_bases_are_counted_in_their_segment():
    segments = Segments(windows=2, per_window=4)
    segments.update(
        window=torch.tensor([0, 0, 1]),
        position=torch.tensor([0.0, 0.26, 0.999]),
        nll=torch.tensor([1.0, 2.0, 3.0]),
        hit=torch.tensor([True, False, True]),
    )
    segments.update(
        torch.tensor([0]), torch.tensor([0.2]), torch.tensor([0.5]), torch.tensor([True])
    )
    assert segments.compute() == {
        "nll": [1.5, 2.0, 0, 0, 0, 0, 0, 3.0],
        "hits": [2, 0, 0, 0, 0, 0, 0, 1],
        "bases": [2, 1, 0, 0, 0, 0, 0, 1],
    }


def test_nothing_scored_is_no_error():
    segments = Segments(windows=1, per_window=1)
    segments.update(
        *(torch.zeros(0, dtype=t) for t in (torch.long, torch.float, torch.float)),
        hit=torch.zeros(0, dtype=torch.bool),
    )
    assert segments.compute() == {"nll": [0.0], "hits": [0], "bases": [0]}
