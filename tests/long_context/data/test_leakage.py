# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.leakage import K, SharedKmers, hash_kmers
from modelgenerator.long_context.data.vocabulary import encode, reverse_complement


@given(st.text("ACGT", min_size=1, max_size=40), st.integers(1, 12))
def test_equal_kmers_of_either_strand_have_equal_hashes_and_others_not(letters, k):
    def canonical(at):
        kmer = letters[at : at + k]
        return min(kmer, kmer.translate(str.maketrans("ACGT", "TGCA"))[::-1])

    hashes = hash_kmers(encode(letters.encode()), k).tolist()
    kmers = [canonical(at) for at in range(len(letters) - k + 1)]
    assert len(hashes) == len(kmers)
    assert len(set(zip(hashes, kmers, strict=True))) == len(set(hashes)) == len(set(kmers))


def test_the_other_strand_has_the_same_hashes():
    ids = np.random.default_rng(0).integers(5, 9, 5_000).astype(np.uint8)
    assert (hash_kmers(ids)[::-1] == hash_kmers(reverse_complement(ids))).all()


@pytest.fixture
def genome(write_fasta, random_dna):
    one, other = random_dna(40_000, 1), random_dna(20_000, 2)
    complement = one[:20_000].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    half = one[20_000:30_000] + other[:10_000]
    records = {"one": one, "reverse": complement, "half": half, "new": other[10_000:] + "N" * 9_000}
    return Genome([write_fasta(records)])


def test_the_share_of_a_window_that_also_trains(genome):
    known = SharedKmers(genome, np.array([[0, 40_000]]))
    starts = genome.offsets[:-1]
    assert known.share(genome, starts[:1], 40_000).tolist() == [1.0]
    assert known.share(genome, starts[1:2], 20_000).tolist() == [1.0]
    assert known.share(genome, starts[2:3], 20_000)[0] == pytest.approx(0.5, abs=0.05)
    assert known.share(genome, starts[3:4], 19_000).tolist() == [0.0]


def test_pieces_change_nothing(genome, monkeypatch):
    whole = SharedKmers(genome, np.array([[0, 40_000]]))._known
    monkeypatch.setattr("modelgenerator.long_context.data.leakage.PIECE", 1_000)
    assert (SharedKmers(genome, np.array([[0, 40_000]]))._known == whole).all()


def test_nothing_to_compare(genome):
    assert SharedKmers(genome, np.zeros((0, 2), int)).share(genome, np.array([0]), 500)[0] == 0
    known = SharedKmers(genome, np.array([[0, 40_000]]))
    assert known.share(genome, np.array([0]), K - 1)[0] == 0
