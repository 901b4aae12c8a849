# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.backbones.positional import longrope


def test_divides_each_channel_by_its_own_number(small, assert_frequencies):
    long, short = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0, 16.0, 20.0], [1.0] * 7 + [2.0]
    pe = longrope(small, long, short)
    plain = [10 ** (-i / 2) for i in range(8)]
    beyond = [theta / divisor for theta, divisor in zip(plain, long, strict=True)]
    within = [theta / divisor for theta, divisor in zip(plain, short, strict=True)]
    assert_frequencies(pe.inverse_frequencies(515), beyond)
    assert_frequencies(pe.inverse_frequencies(514), within)


def test_attention_factor_is_on_at_every_length(vectors, geometry_of):
    geometry = geometry_of(vectors)
    ones = [1.0] * (vectors["rotary_dim"] // 2)
    pe = longrope(geometry, ones, factor=vectors["factor"])
    for n in (9, vectors["seq_len"]):
        expected = vectors["log_n_attention_factor"]
        assert pe.attention_factor(n) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"long_factor": [2.0] * 7}, "long_factor must be a list of 8 numbers.*got 7 of them"),
        ({"long_factor": 2.0}, "long_factor must be a list of 8 numbers.*got 2.0"),
        ({"long_factor": [1.0] * 7 + [0.0]}, r"long_factor\[7\]=0.0 is not allowed: .* above 0"),
        ({"short_factor": [1.0]}, "short_factor must be a list of 8 numbers.*got 1 of them"),
        ({"factor": 0.5}, "factor=0.5 is not allowed"),
    ],
)
def test_refuses(small, options, message):
    with pytest.raises(ValueError, match=message):
        longrope(small, **{"long_factor": [2.0] * 8, **options})
