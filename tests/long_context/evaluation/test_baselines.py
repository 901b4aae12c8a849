# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.vocabulary import MASK, decode, encode, reverse_complement
from modelgenerator.long_context.evaluation.baselines import (
    base_features,
    contexts,
    gc_skew,
    kmer_counts,
    lookup,
    matrix_scores,
    reverse_complement_kmers,
    share_error,
    weight_matrix,
    window_features,
)


@given(st.text("ACGTN", max_size=60), st.integers(1, 4))
def test_kmers_are_counted(letters, k):
    counts = kmer_counts(encode(letters.encode()), k)
    assert counts.shape == (4**k,)
    kmers = [letters[i : i + k] for i in range(len(letters) - k + 1)]
    assert counts.sum() == sum("N" not in kmer for kmer in kmers)
    for kmer in set(kmers):
        if "N" not in kmer:
            number = sum("ACGT".index(letter) * 4**i for i, letter in enumerate(kmer[::-1]))
            assert counts[number] == kmers.count(kmer)


@given(st.text("ACGTN", max_size=60), st.integers(1, 4))
def test_kmers_of_the_other_strand(letters, k):
    ids = encode(letters.encode())
    other = kmer_counts(reverse_complement(ids), k)
    assert (kmer_counts(ids, k)[reverse_complement_kmers(k)] == other).all()


def test_gc_skew():
    assert gc_skew(encode(b"GGGCAATT")) == 0.5
    assert gc_skew(encode(b"AATTN")) == 0.0


class Windows:
    """Two windows: of A, and of A with C in the middle."""

    letters = (b"A" * 20, b"A" * 8 + b"CCCC" + b"A" * 8)

    def __len__(self):
        return 2

    def __getitem__(self, index):
        labels = torch.full((20,), -100)
        labels[[3, 10]] = torch.tensor([0, index])
        ids = np.pad(encode(self.letters[index]).astype(np.int64), 1, constant_values=2)
        return {"input_ids": torch.from_numpy(ids), "labels": labels if self.single else index}

    single = False


def test_window_features():
    features, labels = window_features(Windows(), 1)
    assert features.tolist() == [[1.0, 0, 0, 0], [pytest.approx(0.8), pytest.approx(0.2), 0, 0]]
    assert labels.tolist() == [0, 1]
    assert len(window_features(Windows(), 1, items=1)[0]) == 1


def test_features_of_single_bases():
    windows = Windows()
    windows.single = True
    features, labels = base_features(windows, k=1, flank=2, per_window=5, items=2)
    rows = sorted(np.column_stack([features, labels]).tolist())
    # Around base 10 of the second window stands CCCCA, everywhere else A.
    np.testing.assert_allclose(rows, [[0.2, 0.8, 0, 0, 1], *[[1, 0, 0, 0, 0]] * 3], atol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_lookup_copies_from_the_same_place_elsewhere(random_letters, reverse):
    copy = random_letters[100:150]
    if reverse:
        copy = copy.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    letters = random_letters[:700] + copy + random_letters[750:]
    ids = encode(letters.encode())
    masked = np.array([710, 713, 725, 740])
    hidden = ids.copy()
    hidden[masked] = MASK
    assert decode(lookup(hidden, masked)) == "".join(letters[i] for i in masked)


@pytest.fixture
def random_letters():
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    return np.random.default_rng(0).choice(letters, 1_000).tobytes().decode()


def test_share_error():
    assert share_error(0.5, 100) == pytest.approx(0.05)
    assert share_error(1.0, 0) == 0.0


def test_bases_around_positions_and_beyond_the_ends():
    found = contexts(encode(b"ACGTN"), np.array([0, 3]), before=1, after=2)
    assert found.tolist() == [[-1, 0, 1, 2], [2, 3, -1, -1]]


def test_a_weight_matrix_is_log_odds_with_one_pseudocount():
    background = np.array([0.4, 0.1, 0.1, 0.4])
    sites = np.array([[2, 3], [2, 3], [2, -1]])
    matrix = weight_matrix(sites, background)
    assert matrix[0, 2] == pytest.approx(np.log((3 + 0.1) / 4 / 0.1))
    assert matrix[1, 0] == pytest.approx(np.log(0.4 / 3 / 0.4))  # two known bases there
    assert weight_matrix(np.full((3, 2), -1), background) == pytest.approx(np.zeros((2, 4)))


@given(st.text("ACGTN", min_size=1, max_size=40))
def test_scores_of_a_matrix_are_the_sum_over_its_offsets(letters):
    matrix = np.random.default_rng(0).normal(size=(3, 4))
    expected = [
        sum(
            matrix[i, "ACGT".index(letters[at + i - 1])]
            for i in range(3)
            if 0 <= at + i - 1 < len(letters) and letters[at + i - 1] != "N"
        )
        for at in range(len(letters))
    ]
    assert matrix_scores(encode(letters.encode()), matrix, before=1) == pytest.approx(expected)
