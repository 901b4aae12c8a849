# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.data import window_sets
from modelgenerator.long_context.data.window_sets import cut_tiles, find_starts, find_tiles

NO_N = np.zeros((0, 2), dtype=np.int64)
PARTS = np.array([[0, 100], [200, 350]])


@pytest.fixture
def log(monkeypatch):
    """The lines that were logged."""
    lines = []
    monkeypatch.setattr(window_sets, "rank_zero_info", lines.append)
    return lines


def test_starts_are_reported(log):
    found = find_starts(PARTS, 40, np.array([[0, 20]]), 0.1)
    # Windows from 16 on hold at most 4 N: 61 - 16 starts in the first part, 111 in the second.
    assert [s for low, high, _ in found for s in range(low, high)] == [
        *range(16, 61),
        *range(200, 311),
    ]
    assert log == [
        "GenomeWindows train: 2 blocks, 250 bases, windows of 40 at 156 starts "
        "(16 left out: more than 4 N)"
    ]


def test_tiles_are_reported(log):
    found = find_tiles("valid", PARTS, 50, np.array([[0, 20]]), 0.1, 3)
    assert found.tolist() == [50, 250, 300]
    assert log == [
        "GenomeWindows valid: 2 blocks, 250 bases, 3 of 4 windows of 50 (1 left out: more than 5 N)"
    ]


def test_windows_of_n_alone_are_left_out_of_a_tile():
    windows = cut_tiles(np.array([0, 100]), 100, 20, np.array([[15, 45]]))
    assert windows[:5].tolist() == [[0, 0], [40, 0], [60, 0], [80, 0], [100, 100]]
    assert len(windows) == 9


def test_empty_for_want_of_blocks():
    with pytest.raises(ValueError, match="train split is empty: none.*of 200 bases.*lower valid"):
        find_starts(PARTS, 200, NO_N, 0.05)
    with pytest.raises(ValueError, match="The test split is empty.*change block.*raise test_share"):
        find_tiles("test", NO_N, 10, NO_N, 0.05, None)


def test_empty_for_n():
    with pytest.raises(ValueError, match="train split is empty: all of.*Raise max_n_fraction"):
        find_starts(PARTS, 40, np.array([[0, 400]]), 0.05)
    with pytest.raises(ValueError, match="valid split is empty: all of.*Raise max_n_fraction"):
        find_tiles("valid", PARTS, 40, np.array([[0, 400]]), 0.05, None)
