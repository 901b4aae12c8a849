# SPDX-License-Identifier: Apache-2.0
"""PoSE positions: what they reach, and what they leave alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.backbones.positional.skip import PositionSkip


@given(seq_len=st.integers(2, 60), more=st.integers(0, 500), step=st.integers(0, 10**6))
def test_two_runs_of_neighbours_within_reach(seq_len, more, step):
    reach = seq_len + more
    positions = PositionSkip(reach).positions(seq_len, reach, step)
    assert positions[0] == 0
    assert positions[-1] < reach
    gaps = positions.diff()
    assert (gaps != 1).sum() <= 1
    assert (gaps >= 1).all()


def test_the_whole_reach_is_drawn_from():
    skip = PositionSkip(100)
    drawn = [skip.positions(10, 100, step) for step in range(3000)]
    cuts = torch.tensor([int((p.diff() != 1).float().argmax()) + 1 for p in drawn if p[-1] > 9])
    assert set(cuts.tolist()) == set(range(1, 10))
    skips = torch.tensor([float(p[-1]) - 9 for p in drawn])
    assert skips.min() == 0
    assert skips.max() == 90
    assert abs(skips.mean() - 45) < 2  # 91 values, standard error of the mean 0.5


def test_the_step_and_the_seed_decide():
    skip = PositionSkip(1000, seed=1)
    again = PositionSkip(1000, seed=1)
    assert torch.equal(skip.positions(50, 1000, 7), again.positions(50, 1000, 7))
    assert not torch.equal(skip.positions(50, 1000, 7), skip.positions(50, 1000, 8))
    other = PositionSkip(1000, seed=2)
    assert not torch.equal(skip.positions(50, 1000, 7), other.positions(50, 1000, 7))


def test_a_full_row_and_a_single_token_have_nothing_to_skip():
    assert torch.equal(PositionSkip(8).positions(8, 8, 0), torch.arange(8.0))
    assert PositionSkip(8).positions(1, 8, 0).tolist() == [0.0]


def test_rows_beyond_the_reach_are_refused():
    with pytest.raises(ValueError, match="length=8 is too short .* rows of 12 tokens"):
        PositionSkip(8).positions(12, 10, 0)


@pytest.mark.parametrize(("field", "value"), [("length", 0), ("length", 2.5), ("seed", -1)])
def test_bad_fields_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field}={value} is not allowed"):
        PositionSkip(**{"length": 8, field: value})
