# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.backbones.positional.frequencies import (
    clex_alpha,
    correction_channel,
    dynamic_ntk_alpha,
    exponents_at,
    gene_exponents,
    gene_ramp_end,
    interpolate_by_parts,
    ntk_exponents,
    rope_frequencies,
    rotations,
    yarn_ramp_channels,
)


def test_all_is_float64():
    inv_freq = rope_frequencies(8, 1e4)
    assert inv_freq.tolist() == pytest.approx([1.0, 0.1, 0.01, 0.001], rel=1e-15)
    assert inv_freq.dtype == torch.float64


def test_rotations():
    # theta = 1 radian a token: 2 pi tokens are one turn
    assert rotations(torch.tensor([1.0, 0.5]), 4000).tolist() == pytest.approx(
        [4000 / (2 * math.pi), 2000 / (2 * math.pi)]
    )


def test_ntk_exponents():
    assert ntk_exponents(8).tolist() == [0.0, 1 / 3, 2 / 3, 1.0]
    assert ntk_exponents(2).tolist() == [0.0]


def test_dynamic_alpha():
    assert dynamic_ntk_alpha(1.0, 2.0) == 1.0
    assert dynamic_ntk_alpha(16.0, 1.0) == 16.0
    assert dynamic_ntk_alpha(16.0, 2.0) == clex_alpha(16.0) == 31.0


@pytest.mark.parametrize(
    ("original", "fast", "slow"), [(4096, 10.472241, 22.513441), (4000, 10.389841, 22.431041)]
)
def test_correction_channel(original, fast, slow):
    assert correction_channel(32.0, 64, 1e4, original) == pytest.approx(fast, abs=1e-6)
    assert correction_channel(1.0, 64, 1e4, original) == pytest.approx(slow, abs=1e-6)


def test_yarn_ramp_ends(vectors):
    low, high = vectors["yarn_range"]
    ramp = yarn_ramp_channels(
        vectors["rotary_dim"],
        vectors["base"],
        vectors["original_max_position_embeddings"],
        32.0,
        1.0,
        True,
    )
    assert ramp[low] == 0.0
    assert ramp[low + 1] > 0.0
    assert ramp[high] == 1.0
    assert ramp[high - 1] < 1.0


def test_interpolate_by_parts_is_exact_at_its_ends():
    inv_freq = rope_frequencies(64, 1e4)
    zero, one = torch.zeros_like(inv_freq), torch.ones_like(inv_freq)
    assert torch.equal(interpolate_by_parts(inv_freq, zero, 16.0), inv_freq)
    assert torch.equal(interpolate_by_parts(inv_freq, one, 3.0), inv_freq / 3.0)
    assert torch.equal(interpolate_by_parts(inv_freq, torch.rand_like(inv_freq), 1.0), inv_freq)


@pytest.mark.parametrize(
    ("rotary_dim", "original", "end"),
    [(64, 4000, 19), (64, 4096, 19), (64, 512, 12), (136, 4000, 40), (16, 512, 3)],
)
def test_gene_ramp_end(rotary_dim, original, end):
    assert gene_ramp_end(rope_frequencies(rotary_dim, 1e4), original, 3.0) == end


def test_gene_exponents():
    assert gene_exponents(5, 2).tolist() == [0.0, 0.5, 1.0, 1.0, 1.0]


def test_exponents_at_a_factor():
    inv_freq = torch.tensor([1.0, 0.1, 0.01], dtype=torch.float64)
    slowed = inv_freq / torch.tensor([1.0, 4.0, 16.0])  # 16^0, 16^(1/2), 16^1
    assert exponents_at(inv_freq, slowed, 16.0).tolist() == pytest.approx([0.0, 0.5, 1.0])
