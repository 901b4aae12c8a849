# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.index import runs_of_n
from modelgenerator.long_context.data.vocabulary import encode
from modelgenerator.long_context.data.windows import (
    count_n,
    cut_windows,
    eligible_starts,
    random_window,
    spread,
    tile,
)


def parts_of(*parts):
    return np.array(parts, dtype=np.int64).reshape(-1, 2)


def n_runs_of(sequence):
    return runs_of_n(encode(sequence.encode()))


def test_tiles_by_hand():
    assert tile(parts_of([0, 9], [20, 23], [30, 38]), 4).tolist() == [0, 4, 30, 34]
    assert tile(parts_of(), 4).tolist() == []


def test_shorter_windows_by_hand():
    assert cut_windows(np.array([0, 100]), 8, 4).tolist() == [0, 4, 100, 104]
    assert cut_windows(np.array([0, 100]), 8, 8).tolist() == [0, 100]


def test_spread_is_even():
    starts = np.arange(0, 1_000, 10)
    assert spread(starts, 4).tolist() == [120, 370, 620, 870]
    assert spread(starts, None) is starts
    assert spread(starts, 100).tolist() == starts.tolist()


@given(st.integers(1, 50), st.integers(1, 60))
def test_spread_keeps_order_and_repeats_nothing(count, at_most):
    found = spread(np.arange(count), at_most)
    assert len(found) == min(count, at_most)
    assert (np.diff(found) > 0).all()


@given(st.text("AN", min_size=1, max_size=40), st.data())
def test_n_are_counted(sequence, data):
    length = data.draw(st.integers(1, len(sequence)))
    starts = np.arange(len(sequence) - length + 1)
    expected = [sequence[s : s + length].count("N") for s in starts]
    assert count_n(starts, length, n_runs_of(sequence)).tolist() == expected


def test_eligible_starts_by_hand():
    # Windows of 4 with at most 1 N:   start 0 1 2 . . . 6 7 of AAAANNNAAAA
    found = eligible_starts(parts_of([0, 11]), 4, n_runs_of("AAAANNNAAAA"), 1)
    assert np.concatenate([np.arange(a, b) for a, b, _ in found]).tolist() == [0, 1, 6, 7]
    assert found[-1, 2] == 4


@given(
    st.lists(st.text("ANNA", max_size=30), min_size=1, max_size=3),
    st.integers(1, 12),
    st.integers(0, 12),
)
def test_eligible_starts_are_those_found_one_by_one(texts, window, most_n):
    sequence = "NN".join(texts)  # between the parts, to be left alone
    parts, position = [], 0
    for text in texts:
        if text:
            parts.append([position, position + len(text)])
        position += len(text) + 2
    expected = [
        s
        for start, stop in parts
        for s in range(start, stop - window + 1)
        if sequence[s : s + window].count("N") <= most_n
    ]
    found = eligible_starts(parts_of(*parts), window, n_runs_of(sequence), most_n)
    assert [s for low, high, _ in found for s in range(low, high)] == expected
    assert found[:, 2].tolist() == np.cumsum(found[:, 1] - found[:, 0]).tolist()


def test_random_windows_are_all_equally_likely():
    eligible = np.array([[10, 12, 2], [50, 51, 3], [70, 77, 10]])
    rng = np.random.default_rng(0)
    starts = [random_window(eligible, rng) for _ in range(5_000)]
    values, counts = np.unique(starts, return_counts=True)
    assert values.tolist() == [10, 11, 50, *range(70, 77)]
    assert counts.min() > 420
    assert counts.max() < 580


@pytest.mark.parametrize("seed", [0, 1])
def test_a_random_window_depends_on_its_generator_alone(seed):
    eligible = np.array([[0, 1_000_000, 1_000_000]])
    first, second = (random_window(eligible, np.random.default_rng(seed)) for _ in range(2))
    assert first == second
