# SPDX-License-Identifier: Apache-2.0
"""Methods that must agree with one another, over any geometry."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from modelgenerator.backbones.positional import (
    RotaryGeometry,
    clex,
    gene,
    llama3,
    longrope,
    ntk,
    pi,
    rope,
    yarn,
)

FACTORS = st.floats(1.0, 64.0)
any_case = settings(max_examples=40, deadline=None)


def frequencies(pe, seq_len=9):
    return pe.eval().inverse_frequencies(seq_len).detach()


def assert_same(a, b):
    assert_close(a, b, rtol=1e-6, atol=0.0)


@any_case
@given(data=st.data(), factor=FACTORS, fraction=st.integers(0, 200))
def test_pi_at_s_times_p_is_rope_at_p(geometries, data, factor, fraction):
    geometry = data.draw(geometries)
    angle = fraction * factor * frequencies(pi(geometry, factor)).double()
    assert_close(angle, fraction * frequencies(rope(geometry)).double(), rtol=1e-6, atol=0.0)


@any_case
@given(data=st.data(), factor=FACTORS)
def test_ntk_ends_and_constant_ratio(geometries, data, factor):
    geometry = data.draw(geometries)
    scaled = frequencies(ntk(geometry, factor))
    assert scaled[0] == 1.0
    assert_same(scaled[-1], frequencies(pi(geometry, factor))[-1])
    ratio = (scaled[1:].double() / scaled[:-1].double()).float()
    assert_same(ratio, ratio[:1].expand_as(ratio))


@any_case
@given(data=st.data(), n=st.integers(1, 130_000))
def test_dynamic_ntk_is_static_ntk_of_its_length(geometries, data, n):
    geometry = data.draw(geometries)
    extension = rope(geometry).extension(n)
    dynamic = ntk(geometry, dynamic=True)
    assert torch.equal(frequencies(dynamic, n), frequencies(ntk(geometry, extension)))
    doubled = ntk(geometry, dynamic=True, dynamic_factor=2.0)
    alpha = 2 * extension - 1
    assert torch.equal(frequencies(doubled, n), frequencies(ntk(geometry, 16.0, alpha=alpha)))


@any_case
@given(data=st.data(), share=st.floats(0.0, 1.0))
def test_untrained_clex_is_ntk_with_alpha_2t_minus_1(geometries, data, share):
    geometry = data.draw(geometries)
    original = geometry.original_max_position_embeddings
    n = original + 3 + int(share * (4 * original - original - 3))
    untrained = clex(geometry, max_factor=4.0, time_step=1.0)
    assert_same(frequencies(untrained, n), frequencies(ntk(geometry, alpha=2 * n / original - 1)))
    doubled = ntk(geometry, dynamic=True, dynamic_factor=2.0)
    assert_same(frequencies(untrained, n), frequencies(doubled, n))


@any_case
@given(data=st.data(), factor=FACTORS)
def test_yarn_is_rope_before_its_ramp_and_pi_after(geometries, data, factor):
    geometry = data.draw(geometries)
    plain, squeezed = frequencies(rope(geometry)), frequencies(pi(geometry, factor))
    turns = plain.double() * geometry.original_max_position_embeddings / (2 * math.pi)
    scaled = frequencies(yarn(geometry, factor, ramp="turns"))
    fast, slow = turns > 32.001, turns < 0.999
    assert torch.equal(scaled[fast], plain[fast])
    assert torch.equal(scaled[slow], squeezed[slow])


@any_case
@given(data=st.data(), factor=FACTORS)
def test_llama3_is_yarns_turns_ramp_from_1_to_4(geometries, data, factor):
    geometry = data.draw(geometries)
    by_turns = yarn(geometry, factor, beta_fast=4.0, beta_slow=1.0, ramp="turns")
    assert torch.equal(frequencies(llama3(geometry, factor)), frequencies(by_turns))


@any_case
@given(data=st.data(), factor=FACTORS)
def test_gene_is_rope_at_channel_0_and_pi_beyond_its_ramp(geometries, data, factor):
    geometry = data.draw(geometries)
    plain, squeezed = frequencies(rope(geometry)), frequencies(pi(geometry, factor))
    turns = plain.double() * geometry.original_max_position_embeddings / (2 * math.pi)
    scaled = frequencies(gene(geometry, factor))
    assert scaled[0] == 1.0
    assert_same(scaled[turns < 2.999], squeezed[turns < 2.999])
    assert (scaled[1:] < plain[1:]).all() or factor < 1.0001


@any_case
@given(data=st.data(), factor=FACTORS)
def test_gene_with_a_ramp_to_the_last_channel_is_ntk(geometries, data, factor):
    geometry = data.draw(geometries)
    plain = frequencies(rope(geometry)).double()
    turns = plain * geometry.original_max_position_embeddings / (2 * math.pi)
    between = math.sqrt(turns[-1] * turns[-2])  # only the last channel turns less often
    wide = gene(geometry, factor, num_rotations=between)
    assert_same(frequencies(wide), frequencies(ntk(geometry, factor)))


@any_case
@given(data=st.data(), factor=FACTORS)
def test_longrope_with_the_same_divisor_everywhere_is_pi(geometries, data, factor):
    geometry = data.draw(geometries)
    original = geometry.original_max_position_embeddings
    pe = longrope(geometry, [factor] * (geometry.rotary_dim // 2), factor=factor)
    n = original + 3
    assert torch.equal(frequencies(pe, n), frequencies(pi(geometry, factor), n))
    assert torch.equal(frequencies(pe, original), frequencies(rope(geometry)))
    expected = math.log(factor * original) / math.log(original)
    assert pe.attention_factor(n) ** 2 == pytest.approx(expected, rel=1e-12)


def test_exponent_form_is_yarn_at_its_own_factor_only(aido_dna):
    # theta * s^-w with w taken from YaRN at 16: 25 % off at 4, 18 % at 2 and 8
    plain = frequencies(rope(aido_dna)).double()
    exponents = -(frequencies(yarn(aido_dna, 16.0)).double() / plain).log() / math.log(16.0)

    def gap(factor):
        target = frequencies(yarn(aido_dna, factor)).double()
        return (plain * factor**-exponents / target - 1).abs().max().item()

    assert gap(16.0) < 1e-6
    assert gap(4.0) == pytest.approx(0.25, abs=0.02)
    assert gap(2.0) == pytest.approx(0.18, abs=0.02)
    assert gap(8.0) == pytest.approx(0.18, abs=0.02)


def test_partial_rotary_uses_the_rotated_width():
    # half the channels of a head of 64: the frequencies of a 32-wide embedding
    geometry = RotaryGeometry(32, 16, original_max_position_embeddings=4000)
    assert frequencies(rope(geometry)).numel() == 16
    assert frequencies(rope(geometry))[1].item() == pytest.approx(10000 ** (-2 / 32), rel=1e-6)
