# SPDX-License-Identifier: Apache-2.0
"""What the tests of the positional methods share."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import strategies as st

from modelgenerator.backbones.positional import RotaryGeometry, get_positional

VECTORS = Path(__file__).parents[2] / "vectors"
CONTEXTS = ("d64_l4000_s16", "d64_l4000_s4", "d64_l4096_s16", "d16_l512_s16")


@pytest.fixture(scope="session")
def load_vectors():
    return lambda name: json.loads((VECTORS / f"{name}.json").read_text())


@pytest.fixture(params=CONTEXTS)
def vectors(request, load_vectors):
    return load_vectors(request.param)


@pytest.fixture
def geometry_of():
    def make(vectors, num_heads=4):
        return RotaryGeometry(
            vectors["rotary_dim"],
            num_heads,
            vectors["base"],
            vectors["original_max_position_embeddings"],
        )

    return make


@pytest.fixture
def assert_frequencies():
    """Relative agreement of float32 frequencies with a float64 list."""

    def check(inv_freq, expected, rtol=1e-6):
        assert inv_freq.dtype == torch.float32
        expected = torch.tensor(expected, dtype=torch.float64)
        torch.testing.assert_close(inv_freq.detach().double(), expected, rtol=rtol, atol=0.0)

    return check


@pytest.fixture
def aido_dna():
    """AIDO.DNA-300M."""
    return RotaryGeometry(64, 16, original_max_position_embeddings=4000)


@pytest.fixture
def small():
    return RotaryGeometry(16, 4, original_max_position_embeddings=512)


@pytest.fixture(scope="session")
def build():
    """Any method of the table by name; LongRoPE gets the divisors that it cannot do without."""

    def make(name, geometry, **options):
        if name == "longrope":
            channels = geometry.rotary_dim // 2
            divisors = [1.0 + 15.0 * i / channels for i in range(channels)]
            options = {"long_factor": divisors, **options}
        return get_positional(name)(geometry, **options)

    return make


@pytest.fixture(scope="session")
def geometries():
    """Hypothesis strategy: any geometry that all methods accept."""
    return st.builds(
        RotaryGeometry,
        rotary_dim=st.integers(4, 80).map(lambda half: 2 * half),
        num_heads=st.integers(1, 4),
        base=st.sampled_from([1e4, 5e5]),
        original_max_position_embeddings=st.integers(64, 8192),
    )
