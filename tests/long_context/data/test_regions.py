# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.regions import (
    NOTHING,
    complement,
    intersect,
    overlay,
    subtract,
    union,
)

LENGTH = 30
rows = st.lists(st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH)), max_size=6).map(
    lambda found: np.array([sorted(row) for row in found], dtype=np.int64).reshape(-1, 2)
)


def bases(runs):
    covered = np.zeros(LENGTH, dtype=bool)
    for start, stop in runs:
        covered[start:stop] = True
    return covered


@given(rows, rows)
def test_runs_are_sets_of_bases(one, other):
    one, other = union(one), union(other)
    assert (bases(union(one, other)) == bases(one) | bases(other)).all()
    assert (bases(intersect(one, other)) == bases(one) & bases(other)).all()
    assert (bases(subtract(one, other)) == bases(one) & ~bases(other)).all()
    assert (bases(complement(one, LENGTH)) == ~bases(one)).all()


@given(rows)
def test_runs_are_sorted_and_do_not_touch(one):
    runs = union(one)
    assert (runs[:, 1] > runs[:, 0]).all()
    assert (runs[1:, 0] > runs[:-1, 1]).all()


@given(st.lists(rows, max_size=3), st.integers(0, LENGTH - 1), st.integers(1, LENGTH))
def test_a_track_reads_what_the_last_class_says(classes, start, length):
    expected = np.zeros(LENGTH, dtype=int)
    for label, runs in enumerate(classes, 1):
        expected[bases(runs)] = label
    found = overlay(classes).read(start, min(length, LENGTH - start))
    assert (found == expected[start : start + length]).all()


def test_by_hand():
    assert union(np.array([[2, 4], [0, 3], [6, 6]])).tolist() == [[0, 4]]
    assert complement(NOTHING, 5).tolist() == [[0, 5]]
    gene, exon = np.array([[2, 9]]), np.array([[2, 4], [7, 9]])
    assert overlay([gene, exon]).read(0, 11).tolist() == [0, 0, 2, 2, 1, 1, 1, 2, 2, 0, 0]
