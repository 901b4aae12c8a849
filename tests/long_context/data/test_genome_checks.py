# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.data import Genome
from modelgenerator.long_context.data.genome_checks import (
    check_apart,
    check_long_enough,
    warn_repeated,
)


def test_no_sequence_as_long_as_a_window(write_fasta):
    genome = Genome([write_fasta({"a": "A" * 900, "b": "C" * 1_200})])
    check_long_enough("fasta", genome, 1_200)
    with pytest.raises(ValueError, match="fasta: no sequence.*1,201 bases; the longest has 1,200"):
        check_long_enough("fasta", genome, 1_201)


def test_one_sequence_under_two_names(write_fasta, random_dna, recwarn):
    records = {"a": random_dna(100), "b": random_dna(100, 1), "c": random_dna(100).lower()}
    genome = Genome([write_fasta(records)])
    warn_repeated(genome, 101)  # too short to hold a window
    assert not recwarn.list
    with pytest.warns(UserWarning, match="the records a, c hold sequences that occur more than"):
        warn_repeated(genome, 100)


def test_testing_on_what_trains(write_fasta, random_dna):
    train = Genome([write_fasta({"a": random_dna(100), "tiny": "ACGT"}, "train.fa")])
    check_apart(train, Genome([write_fasta({"b": random_dna(100, 1), "tiny": "ACGT"}, "b.fa")]), 50)
    same = Genome([write_fasta({"again": random_dna(100)}, "same.fa")])
    with pytest.raises(ValueError, match="test_fasta: the sequence of again is also in fasta"):
        check_apart(train, same, 50)
