# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modelgenerator.long_context.evaluation.attention import attention_spread, distance_bins


def naive(query, key):
    """All of the probabilities [H, n, n], as a textbook has them."""
    return (query @ key.transpose(1, 2) / key.shape[-1] ** 0.5).softmax(-1)


def test_distances_of_a_window():
    assert distance_bins(1) == [(0, 1)]
    assert distance_bins(4) == [(0, 1), (1, 2), (2, 4)]
    assert distance_bins(5)[-1] == (4, 8)


def test_even_attention_by_hand():
    """All n tokens get 1/n. Token 2 of [CLS] A C G T [SEP] is C: A and G at 1, T at 2 from it."""
    spread = attention_spread(torch.ones(1, 1, 8), torch.zeros(1, 6, 8), torch.tensor([2]))
    assert spread.entropy.item() == pytest.approx(math.log(6))
    assert spread.share[0].tolist() == pytest.approx([1 / 6, 2 / 6, 1 / 6])
    assert spread.special.item() == pytest.approx(2 / 6)


def test_attention_on_one_token_by_hand():
    key = torch.zeros(1, 10, 4)
    key[0, 7] = 100.0  # the sixth nucleotide further on from token 1 is token 7
    spread = attention_spread(torch.full((1, 1, 4), 100.0), key, torch.tensor([1]))
    assert spread.entropy.item() == pytest.approx(0.0, abs=1e-6)
    assert spread.share[0].tolist() == pytest.approx([0, 0, 0, 1])  # distances 4 to 7


def test_distances_are_exact_where_bf16_is_the_default(bf16_by_default):
    n = 4096
    even = torch.zeros(1, n + 2, 2)
    spread = attention_spread(even[:, :1], even, torch.tensor([1]))
    low, high = torch.tensor(distance_bins(n)).T
    expected = (high.clamp(max=n) - low).float() / (n + 2)
    torch.testing.assert_close(spread.share[0].float(), expected, rtol=1e-4, atol=0)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 99), st.floats(0.1, 8.0))
def test_as_of_the_whole_matrix(nucleotides, heads, seed, scale):
    generator = torch.Generator().manual_seed(seed)
    query, key = torch.randn(2, heads, nucleotides + 2, 8, generator=generator) * scale
    positions = torch.randperm(nucleotides, generator=generator)[:5] + 1
    spread = attention_spread(query[:, positions], key, positions)

    p = naive(query, key)[:, positions]
    entropy = torch.special.entr(p).sum(-1).mean(-1)
    torch.testing.assert_close(spread.entropy, entropy, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(spread.special, p[..., [0, -1]].sum(-1).mean(-1))
    for i, (low, high) in enumerate(distance_bins(nucleotides)):
        share = sum(
            p[:, row, 1 + other]
            for row, at in enumerate(positions.tolist())
            for other in range(nucleotides)
            if low <= abs(at - 1 - other) < high
        )
        expected = torch.as_tensor(share / len(positions)).expand(heads)
        torch.testing.assert_close(spread.share[:, i], expected, atol=1e-6, rtol=1e-4)
    total = spread.share.sum(1) + spread.special
    torch.testing.assert_close(total, torch.ones(heads))


def test_autocast_does_not_round_the_scores():
    query, key = torch.randn(2, 1, 66, 32, generator=torch.Generator().manual_seed(0)) * 4
    at = torch.arange(1, 65)
    exact = attention_spread(query[:, at], key, at)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = attention_spread(query[:, at], key, at)
    assert torch.equal(exact.entropy, again.entropy)
