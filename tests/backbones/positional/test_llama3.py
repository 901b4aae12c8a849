# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.backbones.positional import llama3


def test_reference_vectors(vectors, geometry_of, assert_frequencies):
    pe = llama3(geometry_of(vectors), vectors["factor"])
    assert_frequencies(pe.inverse_frequencies(9), vectors["llama3_lf1_hf4"])
    assert pe.attention_factor(9) == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0.0}, "factor=0.0 is not allowed"),
        ({"low_freq_factor": 0.0}, "low_freq_factor=0.0 is not allowed: .* above 0"),
        ({"high_freq_factor": 1.0}, "high_freq_factor=1.0 is not allowed: .* above 1. That is low"),
    ],
)
def test_refuses(aido_dna, options, message):
    with pytest.raises(ValueError, match=message):
        llama3(aido_dna, **options)
