# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.backbones.positional import pi, rope


def test_reference_vectors(vectors, geometry_of, assert_frequencies):
    pe = pi(geometry_of(vectors), vectors["factor"])
    assert_frequencies(pe.inverse_frequencies(9), vectors["pi"])
    assert pe.attention_factor(9) == 1.0


@pytest.mark.parametrize("factor", [2.0, 3.0, 16.0])
def test_every_token_stands_where_a_plain_one_did(aido_dna, factor):
    # token s * p of the squeezed sequence has the angles of token p
    squeezed, plain = pi(aido_dna, factor)(3001), rope(aido_dna)(3001)
    kept = torch.arange(0, 3001, int(factor))
    torch.testing.assert_close(squeezed.cos[kept], plain.cos[: len(kept)], rtol=0, atol=2e-4)


def test_fractional_factor(aido_dna):
    # at factor 2.5 token 5 is where plain token 2 was
    squeezed, plain = pi(aido_dna, 2.5)(6), rope(aido_dna)(6)
    torch.testing.assert_close(squeezed.sin[5], plain.sin[2], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("factor", [0.99, 0.0, -2.0, math.nan, math.inf, "16", None])
def test_refuses_factor(aido_dna, factor):
    with pytest.raises(ValueError, match="factor=.* is not allowed: give a finite number of at"):
        pi(aido_dna, factor)


def test_temperature(aido_dna):
    assert pi(aido_dna, 16.0, temperature="yarn").attention_factor(9) == pytest.approx(1.27725887)
