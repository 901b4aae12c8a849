# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from scipy.stats import chisquare, kstest

from modelgenerator.backbones.positional.draw import (
    draw_factor,
    draw_index,
    draw_integer,
    draw_sorted,
    draw_uniform,
    gene_probabilities,
    step_generator,
)

STEPS = 4000


def test_generator_depends_on_seed_step_and_purpose():
    def first(*key):
        return torch.rand(4, generator=step_generator(*key)).tolist()

    assert first(0, 1, "factor") == first(0, 1, "factor")
    others = [(1, 0, "factor"), (0, 0, "factor"), (0, 1, "positions"), (0, 11, "factor")]
    assert all(first(0, 1, "factor") != first(*key) for key in others)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [1.0]),
        (2, [0.5, 0.5]),
        (4, [0.25] * 4),
        (5, [0.25, 1 / 6, 1 / 6, 1 / 6, 0.25]),
        (8, [0.25] + [0.5 / 6] * 6 + [0.25]),
        (16, [0.25] + [0.0357142857] * 14 + [0.25]),
    ],
)
def test_gene_probabilities(count, expected):
    probabilities = gene_probabilities(count)
    assert probabilities.tolist() == pytest.approx(expected)
    assert float(probabilities.sum()) == pytest.approx(1.0)


def test_index_follows_its_probabilities_over_steps():
    probabilities = gene_probabilities(16)
    drawn = [draw_index(probabilities, step_generator(0, s, "factor")) for s in range(STEPS)]
    counts = torch.bincount(torch.tensor(drawn), minlength=16)
    assert chisquare(counts, STEPS * probabilities / probabilities.sum()).pvalue > 0.001


def test_integers_over_steps():
    drawn = [draw_integer(3, 6, step_generator(0, s, "factor")) for s in range(STEPS)]
    assert set(drawn) == {3, 4, 5, 6}
    assert chisquare(torch.bincount(torch.tensor(drawn))[3:]).pvalue > 0.001


def test_uniform_over_steps():
    drawn = [draw_uniform(2.0, 6.0, step_generator(0, s, "factor")) for s in range(STEPS)]
    assert kstest(drawn, "uniform", args=(2.0, 4.0)).pvalue > 0.001
    assert draw_uniform(5.0, 5.0, step_generator(0, 0, "factor")) == 5.0


def test_factor_over_steps():
    drawn = [draw_factor(4.0, 16.0, step_generator(0, s, "factor")) for s in range(STEPS)]
    counts = [drawn.count(4.0), drawn.count(16.0)]
    middle = [math.log(s / 4.0) for s in drawn if 4.0 < s < 16.0]
    assert chisquare([*counts, len(middle)], [STEPS / 4, STEPS / 4, STEPS / 2]).pvalue > 0.001
    assert kstest(middle, "uniform", args=(0.0, math.log(4.0))).pvalue > 0.001
    assert draw_factor(5.0, 5.0, step_generator(0, 0, "factor")) == 5.0


def test_sorted():
    generator = step_generator(0, 0, "positions")
    places = draw_sorted(50, 20, generator)
    assert (places.diff() > 0).all()
    assert 0 <= places[0]
    assert places[-1] < 50
    assert draw_sorted(5, 5, generator).tolist() == [0, 1, 2, 3, 4]
