# SPDX-License-Identifier: Apache-2.0
import numpy as np

from modelgenerator.long_context.data.centres import (
    class_starts,
    label_centres,
    most_outside,
    outside,
    place_centres,
)
from modelgenerator.long_context.data.regions import NOTHING


def test_centres_have_their_longest_window_in_a_part():
    assert place_centres(np.array([[0, 9], [20, 23], [30, 34]]), 4, 4).tolist() == [2, 6, 32]
    assert place_centres(np.array([[0, 8]]), 4, 1).tolist() == [2, 3, 4, 5, 6]
    assert place_centres(NOTHING, 4, 4).tolist() == []


def test_a_window_has_the_label_of_its_bases_at_every_length():
    classes = [np.array([[0, 50]]), np.array([[50, 100]])]
    outsides = [outside(runs, NOTHING, 100) for runs in classes]
    at = np.array([10, 46, 54, 90])
    strict = label_centres(at, [8, 20], outsides, NOTHING, 1.0)
    assert strict.rows.tolist() == [[10, 0], [90, 1]]
    assert (strict.found, strict.no_label, strict.no_bases) == (4, 2, 0)
    # 46 has 14 of its 20 bases in the first class: a share of 0.7.
    assert label_centres(at, [8, 20], outsides, NOTHING, 0.7).rows.tolist() == [
        [10, 0], [46, 0], [54, 1], [90, 1],
    ]  # fmt: skip
    assert label_centres(at, [8], outsides, NOTHING, 1.0).rows.tolist() == [
        [10, 0], [46, 0], [54, 1], [90, 1],
    ]  # fmt: skip


def test_n_is_outside_of_every_class_and_counted_apart():
    n_runs = np.array([[5, 15]])
    outsides = [outside(np.array([[0, 100]]), n_runs, 100)]
    found = label_centres(np.array([10, 50]), [20], outsides, n_runs, 0.9)
    assert found.rows.tolist() == [[50, 0]]
    assert (found.no_bases, found.no_label) == (1, 0)


def test_training_starts_of_a_class():
    rows = class_starts(np.array([[0, 100]]), 10, outside(np.array([[20, 60]]), NOTHING, 100), 0.9)
    starts = [start for first, stop, _ in rows.tolist() for start in range(first, stop)]
    assert starts == list(range(19, 52))  # one base of ten may be outside, at either end


def test_a_share_is_not_lost_to_rounding():
    assert most_outside(0.9, 10) == 1
    assert most_outside(1.0, 64_000) == 0
    assert most_outside(0.95, 20) == 1
