# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from modelgenerator.backbones.positional import RotaryGeometry, ntk, pi, rope


def test_reference_vectors(vectors, geometry_of, assert_frequencies):
    geometry, factor, n = geometry_of(vectors), vectors["factor"], vectors["seq_len"]
    dynamic = [ntk(geometry, factor, dynamic=True, dynamic_factor=f) for f in (1.0, 2.0)]
    assert_frequencies(ntk(geometry, factor).inverse_frequencies(n), vectors["ntk"])
    assert_frequencies(dynamic[0].inverse_frequencies(n), vectors["ntk_dynamic_f1"])
    assert_frequencies(dynamic[1].inverse_frequencies(n), vectors["ntk_dynamic_f2"])


def test_fastest_channel_stays_and_slowest_equals_pi(aido_dna):
    scaled = ntk(aido_dna, 16.0).inverse_frequencies(9)
    plain = rope(aido_dna).inverse_frequencies(9)
    assert scaled[0] == plain[0] == 1.0
    assert scaled[-1] == pi(aido_dna, 16.0).inverse_frequencies(9)[-1]


def test_is_a_change_of_base(aido_dna, assert_frequencies):
    # methods of the literature quote the base: 16x at D = 64 is base 174,969.6
    other_base = RotaryGeometry(64, 16, 174969.5854013777, 4000)
    expected = rope(other_base).inverse_frequencies(9).tolist()
    assert_frequencies(ntk(aido_dna, 16.0).inverse_frequencies(9), expected)


def test_alpha_goes_before_factor(aido_dna):
    larger = ntk(aido_dna, 16.0, alpha=42.0)
    assert larger.max_position_embeddings == 64000
    expected = ntk(aido_dna, 42.0).inverse_frequencies(9)
    assert torch.equal(larger.inverse_frequencies(9), expected)


def test_single_pair_of_channels_stays():
    pe = ntk(RotaryGeometry(2, 1, original_max_position_embeddings=512), 16.0)
    assert pe.inverse_frequencies(9).tolist() == [1.0]


def test_dynamic_ignores_factor_and_follows_length(aido_dna):
    small, large = ntk(aido_dna, 2.0, dynamic=True), ntk(aido_dna, 16.0, dynamic=True)
    assert torch.equal(small.inverse_frequencies(12000), large.inverse_frequencies(12000))
    # n = 3 L at f = 1 is alpha 3
    assert torch.equal(
        small.inverse_frequencies(12000), ntk(aido_dna, 3.0).inverse_frequencies(12000)
    )
    assert large.attention_factor(12000) == 1.0
    warm = ntk(aido_dna, 16.0, dynamic=True, temperature="yarn")
    assert warm.attention_factor(4002) == 1.0
    assert warm.attention_factor(64000) == pytest.approx(1.27725887)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0.5}, "factor=0.5 is not allowed: give a finite number of at least 1"),
        ({"alpha": 0.5}, "alpha=0.5 is not allowed: give a finite number of at least 1"),
        ({"dynamic": True, "alpha": 2.0}, "alpha=2.0 has no effect with dynamic=True"),
        ({"dynamic_factor": 2.0}, "dynamic_factor=2.0 has no effect with dynamic=False"),
        ({"dynamic": True, "dynamic_factor": 0.0}, "dynamic_factor=0.0 is not allowed"),
        ({"dynamic": "true"}, "dynamic='true' is not allowed"),
        ({"temperature": "hot"}, "temperature='hot' is not allowed"),
    ],
)
def test_refuses(aido_dna, options, message):
    with pytest.raises(ValueError, match=message):
        ntk(aido_dna, **options)
