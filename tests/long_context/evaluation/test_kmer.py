# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.evaluation.kmer import TwoSidedKmer

HIDDEN = 9


def digits(text):
    return np.array(["ACGT".find(c) if c in "ACGT" else HIDDEN for c in text])


def test_composition_without_context():
    model = TwoSidedKmer(k=0, prior=0.0).fit(digits("AAAC"))
    p = model.probabilities(digits("."), np.array([0]))
    np.testing.assert_allclose(p, [[0.75, 0.25, 0, 0]])


def test_both_sides_are_read():
    model = TwoSidedKmer(k=1, prior=1e-9).fit(digits("ACGACGATGATG"))
    text = digits("A.GA.")
    p = model.probabilities(text, np.array([1, 4]))
    np.testing.assert_allclose(p[0], [0, 0.5, 0, 0.5], atol=1e-6)  # between A and G: C or T
    np.testing.assert_allclose(p[1], [0, 0.5, 0, 0.5], atol=1e-6)  # after A, at the end


def test_a_masked_neighbour_ends_its_side():
    model = TwoSidedKmer(k=2, prior=1e-9).fit(digits("AACAACTTGTTG"))
    seen = model.probabilities(digits("AA."), np.array([2]))
    np.testing.assert_allclose(seen, [[0, 1, 0, 0]], atol=1e-6)
    cut = model.probabilities(digits("A.."), np.array([2]))
    assert cut.max() < 0.9, "the masked base between hides the A"


def test_thin_counts_fall_back_on_the_parent():
    model = TwoSidedKmer(k=1, prior=10.0).fit(digits("ACGT"))
    p = model.probabilities(digits("G.C"), np.array([1]))  # never seen: (G, C)
    assert p.sum() == pytest.approx(1.0)
    assert p.min() > 0.1


def test_probabilities_sum_to_one_and_beat_guessing_on_structure():
    rng = np.random.default_rng(0)
    unit = rng.integers(0, 4, 7)
    sequence = np.tile(unit, 200)
    model = TwoSidedKmer(k=3).fit(sequence)
    hidden = sequence.copy()
    at = np.arange(50, 1300, 31)
    hidden[at] = HIDDEN
    p = model.probabilities(hidden, at)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    assert p[np.arange(len(at)), sequence[at]].min() > 0.9


def test_limited_is_the_smaller_model():
    rng = np.random.default_rng(1)
    sequence = rng.integers(0, 4, 500)
    at = np.arange(10, 490, 7)
    small = TwoSidedKmer(k=2, prior=3.0).fit(sequence)
    cut = TwoSidedKmer(k=4).fit(sequence).limited(2, 3.0)
    hidden = sequence.copy()
    hidden[at] = HIDDEN
    np.testing.assert_array_equal(small.probabilities(hidden, at), cut.probabilities(hidden, at))
