# SPDX-License-Identifier: Apache-2.0
from collections import Counter

import pytest
import torch
from scipy.stats import chisquare

from modelgenerator.backbones.positional import RotaryGeometry, gene


def factors_drawn(pe, seq_len, steps):
    found = Counter()
    for pe.step in range(steps):
        found[pe.drawn(seq_len)] += 1
    return found


def test_reference_vectors(vectors, geometry_of, assert_frequencies):
    pe = gene(geometry_of(vectors), vectors["factor"]).eval()
    assert_frequencies(pe.inverse_frequencies(9), vectors["gene"])
    assert pe.attention_factor(9) == 1.0


def test_learned_reference_vectors(load_vectors, assert_frequencies):
    vectors = load_vectors("gene_param_d16_h4")
    geometry = RotaryGeometry(16, 4, original_max_position_embeddings=512)
    for factor, expected in zip(vectors["r"], vectors["inv_freq"], strict=True):
        pe = gene(geometry, factor, learnable=True).eval()
        with torch.no_grad():
            for name, parameter in pe.named_parameters():
                parameter.copy_(torch.tensor(vectors[name]))
        assert_frequencies(pe.inverse_frequencies(9), expected)
        assert pe(9).cos.shape == (4, 9, 8)


def test_learned_parameters(aido_dna):
    pe = gene(aido_dna, learnable=True)
    assert {name: p.shape for name, p in pe.named_parameters()} == {
        "base_coef": (16, 32),
        "specific_coef": (16, 32),
    }
    assert sum(p.numel() for p in pe.parameters()) == 16 * 64
    assert not any(p.any() for p in pe.parameters())


@pytest.mark.parametrize("factor", [1.0, 4.0, 16.0])
def test_zero_coefficients_change_no_bit(aido_dna, factor):
    fixed, learned = (gene(aido_dna, factor, learnable=flag).eval() for flag in (False, True))
    for head in learned.inverse_frequencies(9):
        assert torch.equal(head, fixed.inverse_frequencies(9))


@pytest.mark.parametrize(
    ("seq_len", "factor", "original", "quirks", "expected"),
    [  # published pairs, and what special tokens do to them
        (16384, 16.0, 4096, True, {4, 8, 12, 16}),
        (4096, 16.0, 4096, True, set(range(1, 17))),
        (8192, 16.0, 4096, True, set(range(2, 17, 2))),
        (4096, 4.0, 4096, True, {1, 2, 3, 4}),
        (4002, 16.0, 4000, True, set(range(2, 17, 2))),
        (4002, 16.0, 4000, False, set(range(1, 17))),
        (16002, 16.0, 4000, True, {5, 10, 15}),
        (16002, 16.0, 4000, False, {4, 8, 12, 16}),
        (64002, 16.0, 4000, False, {16}),
    ],
)
def test_support_of_the_training_draw(seq_len, factor, original, quirks, expected):
    geometry = RotaryGeometry(64, 16, original_max_position_embeddings=original)
    pe = gene(geometry, factor, quirks=quirks)
    assert set(factors_drawn(pe, seq_len, 400)) == expected


def test_training_draw_has_the_published_probabilities(aido_dna):
    steps = 4000
    found = factors_drawn(gene(aido_dna, 16.0), 4002, steps)
    counts = [found[float(r)] for r in range(1, 17)]
    expected = [0.25 * steps] + [0.5 / 14 * steps] * 14 + [0.25 * steps]
    assert chisquare(counts, expected).pvalue > 0.001


def test_draw_is_a_function_of_seed_and_step(aido_dna):
    first, again, other = gene(aido_dna), gene(aido_dna), gene(aido_dna, seed=1)

    def draws(pe):
        drawn = []
        for pe.step in range(20):
            drawn.append(pe.drawn(4002))
        return drawn

    assert draws(first) == draws(again) == draws(first)
    assert draws(first) != draws(other)


def test_training_uses_the_drawn_factor(aido_dna):
    pe = gene(aido_dna, 16.0, temperature="yarn").train()
    seen = set()
    for pe.step in range(6):
        factor = pe.drawn(4002)
        fixed = gene(aido_dna, factor, random_scale=False, temperature="yarn")
        assert torch.equal(pe(4002).cos, fixed(4002).cos)
        assert torch.equal(pe(4002).cos, pe(4002).cos)  # the same step again, as recomputation does
        seen.add(factor)
    assert len(seen) > 1


def test_factor_in_evaluation(aido_dna):
    released, by_length = gene(aido_dna).eval(), gene(aido_dna, eval_scale="length").eval()
    quirky = gene(aido_dna, quirks=True).eval()
    lengths = (100, 4002, 8002, 64002, 128002)
    assert [released.applied_factor(n) for n in lengths] == [16, 16, 16, 16, 32]
    assert [by_length.applied_factor(n) for n in lengths] == [1, 1, 2, 16, 32]
    assert [quirky.applied_factor(n) for n in lengths] == [16, 16, 16, 17, 33]


def test_without_random_scale_the_factor_is_always_the_same(aido_dna):
    pe = gene(aido_dna, 8.0, random_scale=False)
    for mode in (True, False):
        pe.train(mode)
        assert {pe.applied_factor(n) for n in (9, 4002, 64002)} == {8.0}


def test_factor_too_small_for_the_training_length(aido_dna):
    pe = gene(aido_dna, 4.0).train()
    pe(16002)
    with pytest.raises(
        ValueError,
        match="factor=4.0 is too small to train on 32002 tokens.*give a factor of at least 8",
    ):
        pe(32002)
    pe.eval()(32002)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0.5}, "factor=0.5 is not allowed"),
        ({"num_rotations": 0.0}, "num_rotations=0.0 is not allowed: .* above 0"),
        ({"num_rotations": 0.05}, "num_rotations=0.05 is not allowed.*4000 positions, 0.0849 and"),
        ({"num_rotations": 700.0}, "num_rotations=700.0 is not allowed.*0.0849 and 637"),
        ({"eval_scale": "max"}, "eval_scale='max' is not allowed: give one of factor, length"),
        ({"random_scale": False, "eval_scale": "length"}, "eval_scale='length' has no effect"),
        ({"learnable": 1}, "learnable=1 is not allowed"),
        ({"seed": -1}, "seed=-1 is not allowed: give an integer of at least 0"),
    ],
)
def test_refuses(aido_dna, options, message):
    with pytest.raises(ValueError, match=message):
        gene(aido_dna, **options)
