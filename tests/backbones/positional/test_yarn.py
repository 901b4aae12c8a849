# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.backbones.positional import RotaryGeometry, pi, rope, yarn


def test_reference_vectors(vectors, geometry_of, assert_frequencies):
    geometry, factor = geometry_of(vectors), vectors["factor"]
    pe = yarn(geometry, factor)
    assert_frequencies(pe.inverse_frequencies(9), vectors["yarn"])
    assert pe.attention_factor(9) == pytest.approx(vectors["yarn_attention_factor"], rel=1e-12)
    by_parts = yarn(geometry, factor, ramp="turns", temperature="none")
    assert_frequencies(by_parts.inverse_frequencies(9), vectors["by_parts_paper"])
    assert by_parts.attention_factor(9) == 1.0


@pytest.mark.parametrize(
    ("original", "expected"), [(4096, 5.696214401412e-03), (4000, 5.632059935153e-03)]
)
def test_without_truncate(original, expected):
    # jquesnelle/yarn and transformers with `truncate: false`, channel 16 at D = 64, s = 16
    geometry = RotaryGeometry(64, 1, original_max_position_embeddings=original)
    channel = yarn(geometry, 16.0, truncate=False).inverse_frequencies(9)[16]
    assert channel.item() == pytest.approx(expected, rel=1e-6)


def test_d136_of_the_7b_model(assert_frequencies):
    geometry = RotaryGeometry(136, 32, original_max_position_embeddings=4000)
    channels = yarn(geometry, 16.0).inverse_frequencies(9)[[0, 34, 67]]
    assert_frequencies(channels, [1.0, 5.673076923077e-03, 7.156547312114e-06], rtol=1e-6)


def test_fast_channels_kept_and_slow_ones_interpolated():
    # D 64, L 4096, s 8: ramp from channel 10 to 23
    geometry = RotaryGeometry(64, 1, original_max_position_embeddings=4096)
    ratio = yarn(geometry, 8.0).inverse_frequencies(9) / rope(geometry).inverse_frequencies(9)
    assert torch.equal(ratio[:11], torch.ones(11))
    assert torch.equal(ratio[23:], torch.full((9,), 0.125))
    assert ((ratio[11:23] < 1.0) & (ratio[11:23] > 0.125)).all()


def test_extreme_bounds_give_pi_and_rope(aido_dna):
    # every channel turns less than 1e6 times within L, and every one more than 1e-6 times
    all_slow = yarn(aido_dna, 16.0, beta_fast=2e6, beta_slow=1e6, ramp="turns")
    all_fast = yarn(aido_dna, 16.0, beta_fast=2e-6, beta_slow=1e-6, ramp="turns")
    assert torch.equal(all_slow.inverse_frequencies(9), pi(aido_dna, 16.0).inverse_frequencies(9))
    assert torch.equal(all_fast.inverse_frequencies(9), rope(aido_dna).inverse_frequencies(9))


@pytest.mark.parametrize(("beta_slow", "beta_fast"), [(640.0, 700.0), (5000.0, 6000.0)])
def test_ramp_of_no_width_is_a_step(aido_dna, beta_slow, beta_fast):
    # the fastest channel makes 636.6 turns, so both ends are clamped to it
    scaled = yarn(aido_dna, 16.0, beta_fast, beta_slow).inverse_frequencies(9)
    assert scaled[0] == 1.0
    assert torch.equal(scaled[1:], pi(aido_dna, 16.0).inverse_frequencies(9)[1:])


def test_ramp_may_end_beyond_the_last_channel(assert_frequencies):
    # D 16, base 100, L 4000: 32 turns at channel 5.2 and one at 11.2, so the ramp is 5 to 12
    geometry = RotaryGeometry(16, 1, base=100.0, original_max_position_embeddings=4000)
    scaled = yarn(geometry, 16.0).inverse_frequencies(9)
    plain = 100.0 ** (-14 / 16)
    assert_frequencies(scaled[7:], [(2 / 7) * plain / 16 + (5 / 7) * plain])


def test_given_attention_factor(aido_dna):
    assert yarn(aido_dna, 16.0, attention_factor=1.5).attention_factor(9) == 1.5
    dynamic = yarn(aido_dna, 16.0, attention_factor=1.5, dynamic=True)
    assert dynamic.attention_factor(4002) == 1.0
    assert dynamic.attention_factor(4003) == 1.5


def test_dynamic_takes_the_factor_from_the_length(aido_dna):
    dynamic = yarn(aido_dna, dynamic=True)
    fixed = yarn(aido_dna, 4.0)
    assert torch.equal(dynamic.inverse_frequencies(16000), fixed.inverse_frequencies(9))
    assert dynamic.attention_factor(16000) == 0.1 * math.log(4.0) + 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": math.nan}, "factor=nan is not allowed"),
        ({"beta_fast": 1.0}, r"beta_fast=1.0 is not allowed: .* above 1. That is beta_slow"),
        ({"beta_slow": 32.0}, "beta_fast=32.0 is not allowed: .* above 32"),
        ({"beta_slow": 0.0}, "beta_slow=0.0 is not allowed: give a finite number above 0"),
        ({"attention_factor": 0.0}, "attention_factor=0.0 is not allowed: .* above 0"),
        ({"attention_factor": -1.0}, "attention_factor=-1.0 is not allowed"),
        ({"ramp": "linear"}, "ramp='linear' is not allowed: give one of channels, turns"),
        ({"truncate": 1}, "truncate=1 is not allowed"),
        ({"temperature": "yern"}, "temperature='yern' is not allowed"),
    ],
)
def test_refuses(aido_dna, options, message):
    with pytest.raises(ValueError, match=message):
        yarn(aido_dna, **options)
