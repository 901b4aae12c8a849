# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.backbones.positional import POSITIONAL, RotaryGeometry
from modelgenerator.backbones.positional.scaled import ScaledRotaryEmbedding

GEOMETRY = RotaryGeometry(64, 16, 10000.0, 4000)
SCALED = sorted(n for n, c in POSITIONAL.items() if issubclass(c, ScaledRotaryEmbedding))
GIVEN = {"longrope": {"long_factor": [2.0] * 32}}


def test_all_methods_with_a_factor_are_scaled():
    assert SCALED == ["gene", "llama3", "longrope", "ntk", "pi", "yarn"]


@pytest.mark.parametrize("name", SCALED)
@given(factor=st.floats(1.0, 64.0))
def test_reach_is_the_factor_times_the_original_context(name, factor):
    pe = POSITIONAL[name](GEOMETRY, factor=factor, **GIVEN.get(name, {}))
    assert abs(pe.max_position_embeddings - factor * 4000) <= 0.5
    assert pe.eval().applied_factor(4002) == factor


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0.5}, "factor=0.5 is not allowed: give a finite number of at least 1"),
        ({"temperature": "hot"}, "temperature='hot' is not allowed: give one of none, yarn, log_n"),
        ({"original_max_position_embeddings": 1}, "original_max_position_embeddings=1"),
    ],
)
def test_refuses(name, options, message):
    with pytest.raises(ValueError, match=message):
        POSITIONAL[name](GEOMETRY, **{**GIVEN.get(name, {}), **options})
