# SPDX-License-Identifier: Apache-2.0
"""Adapters on hidden states whose answer is known, and on batches with padding."""

from functools import partial

import pytest
import torch

from modelgenerator.adapters import LinearMaxPoolAdapter, LinearMeanPoolAdapter
from modelgenerator.long_context.adapters import (
    LinearAttentionPoolAdapter,
    LinearCentrePoolAdapter,
)

ADAPTERS = [
    LinearMeanPoolAdapter,  # upstream's
    LinearMaxPoolAdapter,
    LinearAttentionPoolAdapter,
    partial(LinearCentrePoolAdapter, width=5),
]


@pytest.mark.parametrize("make", ADAPTERS)
def test_a_row_gives_the_same_alone_and_padded(make):
    torch.manual_seed(0)
    adapter = make(8, 3)
    if hasattr(adapter, "query"):
        torch.nn.init.normal_(adapter.query)
    hidden = torch.randn(1, 20, 8)
    padded = torch.cat([hidden, torch.randn(1, 13, 8)], dim=1)
    mask = torch.tensor([[1] * 20 + [0] * 13])
    alone = adapter(hidden, torch.ones(1, 20, dtype=torch.long))
    assert alone.shape == (1, 3)
    torch.testing.assert_close(adapter(padded, mask), alone)


def test_attention_starts_as_the_mean_and_can_look_at_one_position():
    adapter = LinearAttentionPoolAdapter(4, 1)
    torch.nn.init.ones_(adapter.linear.weight)
    torch.nn.init.zeros_(adapter.linear.bias)
    hidden = torch.zeros(1, 102, 4)
    hidden[0, 77, 0] = 10.0
    mask = torch.ones(1, 102)
    assert adapter(hidden, mask).item() == pytest.approx(10 / 100)  # mean of 100 nucleotides
    adapter.query.data[0] = 10.0
    assert adapter(hidden, mask).item() == pytest.approx(10.0, rel=1e-3)


def test_the_query_learns():
    adapter = LinearAttentionPoolAdapter(4, 1)
    adapter(torch.randn(2, 30, 4), torch.ones(2, 30)).sum().backward()
    assert adapter.query.grad.abs().max() > 0


def test_a_width_below_one_is_refused():
    with pytest.raises(ValueError, match="width: 0; give at least 1"):
        LinearCentrePoolAdapter(4, 2, width=0)


@pytest.mark.parametrize("make", ADAPTERS[2:])
def test_half_precision_hidden_states(make):
    adapter = make(8, 2)
    out = adapter(torch.randn(1, 30, 8, dtype=torch.bfloat16), torch.ones(1, 30))
    assert out.dtype == torch.float32
    assert out.isfinite().all()
