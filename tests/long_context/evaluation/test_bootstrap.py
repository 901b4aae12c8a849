# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from modelgenerator.long_context.evaluation.bootstrap import paired_difference


def test_difference_by_hand():
    """Perplexities e^(6/4) and e^(4/4): segments weigh by their bases."""
    found = paired_difference([[5.0, 1.0]], [[3.0, 1.0]], [3, 1], np.exp)
    assert found.value == pytest.approx(math.exp(1.5) - math.e)
    seeds = paired_difference([[2.0, 2.0], [4.0, 4.0]], [[1.0, 1.0]], [10, 10], np.asarray)
    assert seeds.value == pytest.approx(0.3 - 0.1)


def test_what_both_find_hard_cancels():
    """Segments differ a hundred times more than the methods do, by a constant."""
    hard = np.random.default_rng(0).normal(100.0, 10.0, 50)
    found = paired_difference([hard + 1.0], [hard], np.full(50, 10), np.asarray)
    assert found == pytest.approx((0.1, 0.1, 0.1))
    same = paired_difference([hard], [hard], np.full(50, 10), np.exp)
    assert same == (0.0, 0.0, 0.0)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """300 experiments of 60 segments, the true difference 0.5 a base."""
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(300):
        bases = rng.integers(5, 15, 60)
        hard = rng.normal(0, 2, 60)
        first, second = (bases * (mean + hard + rng.normal(0, 0.5, 60)) for mean in (1.5, 1.0))
        found = paired_difference([first], [second], bases, np.asarray, resamples=400, seed=seed)
        inside += found.low <= 0.5 <= found.high
    assert 0.90 <= inside / 300 <= 0.98


def test_empty_segments_do_not_matter():
    rng = np.random.default_rng(2)
    first, second, bases = rng.random(20), rng.random(20), np.full(20, 8)
    longer = [np.append(x, 0) for x in (first, second, bases)]
    assert paired_difference([first], [second], bases, np.asarray) == paired_difference(
        [longer[0]], [longer[1]], longer[2], np.asarray
    )


def test_one_segment_has_no_interval():
    found = paired_difference([[2.0]], [[1.0]], [10], np.asarray)
    assert found.value == pytest.approx(0.1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_what_does_not_pair_is_refused():
    with pytest.raises(ValueError, match="Sums of 2 and 1 segments do not pair with 2 segments"):
        paired_difference([[1.0, 2.0]], [[1.0]], [1, 1], np.exp)
    with pytest.raises(ValueError, match="bases: none was scored"):
        paired_difference([[0.0]], [[0.0]], [0], np.exp)
