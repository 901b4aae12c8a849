# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.monitor.lines import (
    HIGH,
    LOW,
    MEAN,
    POINTS,
    STEP,
    Line,
    Lines,
    smoothed,
)


def points(values, first=1):
    values = np.asarray(values, dtype=float)
    steps = np.arange(first, first + len(values), dtype=float)
    return np.stack([steps, steps * 10, steps * 100, values], axis=1)


def test_a_short_line_is_as_it_was_logged():
    line = Line()
    line.extend(points([3, 2]))
    line.extend(points([1], first=3))
    assert line.table()[:, [STEP, MEAN]].tolist() == [[1, 3], [2, 2], [3, 1]]
    assert (line.first, line.last) == (3, 1)


@pytest.mark.parametrize("chunk", [1, 7, 5000])
def test_a_long_line_keeps_means_and_peaks(chunk):
    values = np.random.default_rng(0).normal(size=9000)
    values[4321] = 50.0
    line = Line()
    for start in range(0, len(values), chunk):
        line.extend(points(values[start : start + chunk], first=start + 1))
    table = line.table()
    assert POINTS / 2 <= len(table) <= POINTS
    assert line.per_bucket == 8
    assert table[:, HIGH].max() == 50.0
    assert table[:, LOW].min() == values.min()
    whole = len(values) // 8
    expected = values[: whole * 8].reshape(-1, 8).mean(axis=1)
    np.testing.assert_allclose(table[:whole, MEAN], expected)
    assert table[-1, STEP] == 9000


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.lists(st.integers(1, 20), min_size=1, max_size=20),
)
def test_parts_do_not_matter(values, sizes):
    whole, parts = Line(), Line()
    whole.extend(points(values))
    start = 0
    while start < len(values):
        size = sizes[start % len(sizes)]
        parts.extend(points(values[start : start + size], first=start + 1))
        start += size
    np.testing.assert_array_equal(whole.table(), parts.table())


def test_a_resumed_run_replaces_what_it_repeats():
    line = Line()
    line.extend(points([1, 2, 3, 4, 5]))
    line.extend(points([30, 40], first=3))
    assert line.table()[:, MEAN].tolist() == [1, 2, 30, 40]
    line = Line()  # the same, read at once
    line.extend(np.concatenate([points([1, 2, 3, 4, 5]), points([30, 40], first=3)]))
    assert line.table()[:, MEAN].tolist() == [1, 2, 30, 40]


def test_what_is_not_finite_is_a_gap():
    line = Line()
    line.extend(points([1, np.nan, np.inf, 4]))
    np.testing.assert_array_equal(line.table()[:, MEAN], [1, np.nan, np.nan, 4])
    line.extend(points(np.full(3 * POINTS, np.nan), first=5))
    assert line.table()[0, MEAN] == 2.5, "the mean of what is finite"
    assert np.isnan(line.table()[-1, MEAN])


def test_records_of_every_kind():
    lines = Lines()
    lines.extend(
        [
            {
                "step": 1,
                "tokens": 5,
                "time": 9.0,
                "loss": 2.0,
                "word": "x",
                "none": None,
                "t": True,
            },
            {"step": 2, "loss": "nan"},
            {"loss": 7.0},
            {"step": "x", "loss": 7.0},
            {"step": 3, "other": 1, "nested": {"a": 1}},
        ]
    )
    assert set(lines.by_name) == {"loss", "other"}
    table = lines.by_name["loss"].table()
    np.testing.assert_array_equal(table[:, :4], [[1, 5, 9, 2], [2, np.nan, np.nan, np.nan]])


def test_a_number_larger_than_any_float_is_a_gap():
    lines = Lines()
    lines.extend([{"step": 1, "loss": 10**400}, {"step": 2, "loss": 1}])
    np.testing.assert_array_equal(lines.by_name["loss"].table()[:, 3], [np.nan, 1])


def test_names_without_end_are_left_out(monkeypatch):
    monkeypatch.setattr("modelgenerator.long_context.monitor.lines.MOST_METRICS", 2)
    lines = Lines()
    lines.extend([{"step": 1, "a": 1, "b": 1, "c": 1}])
    lines.extend([{"step": 2, "c": 1, "b": 2}])
    assert {name: line.last for name, line in lines.by_name.items()} == {"a": 1, "b": 2}


def test_smoothing():
    values = np.array([1.0, 1.0, np.nan, 1.0, 4.0])
    assert smoothed(values, 0) is values
    out = smoothed(values, 0.5)
    np.testing.assert_allclose(out[[0, 1, 3]], 1.0)
    assert np.isnan(out[2])
    # weights 1, 1/2, 1/4, 1/8 from the newest of the four that are there
    assert out[4] == pytest.approx((4 + 0.5 + 0.25 + 0.125) / 1.875)
