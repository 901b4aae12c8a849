# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.data.annotation import Feature
from modelgenerator.long_context.data.feature_runs import Placed, runs_of, select
from modelgenerator.long_context.data.genome import Genome

FEATURES = [
    Feature("1", 10, 20, 1, "gene", "", "Name=a;product=Phage tail"),
    Feature("1", 10, 13, 1, "exon", "t1"),
    Feature("1", 15, 20, 1, "exon", "t1,t2"),
    Feature("1", 30, 35, -1, "gene", "", "Name=ab"),
    Feature("chr2", 0, 5, -1, "exon", "t3"),
    Feature("chr2", 8, 9, -1, "exon", "t3"),
    Feature("chr9", 0, 5, 1, "gene"),
]


@pytest.fixture
def genome(write_fasta):
    return Genome([write_fasta({"chr1": "ACGT" * 25, "chr2": "ACGT" * 5})])


def test_global_positions_whatever_chromosomes_are_called(genome):
    placed = Placed("annotation", genome, FEATURES)
    assert len(placed.features) == 6  # chr9 is not in the genome
    assert runs_of(placed.select(["gene"])).tolist() == [[10, 20], [30, 35]]
    assert runs_of(placed.select(["gene"]), strand=-1).tolist() == [[30, 35]]
    assert runs_of(placed.select(["exon"]), strand=-1).tolist() == [[100, 105], [108, 109]]


def test_gaps_are_joined(genome):
    placed = Placed("annotation", genome, FEATURES)
    assert runs_of(placed.select(["gene"]), join=9).tolist() == [[10, 20], [30, 35]]
    assert runs_of(placed.select(["gene"]), join=10).tolist() == [[10, 35]]


def test_introns(genome):
    placed = Placed("annotation", genome, FEATURES)
    assert placed.introns() == [(13, 15, 1), (105, 108, -1)]


def test_exons_of_no_transcript_have_no_introns_between_them(genome):
    features = [*FEATURES, Feature("1", 40, 45, 1, "exon"), Feature("1", 60, 65, 1, "exon")]
    placed = Placed("annotation", genome, features)
    with pytest.warns(UserWarning, match="annotation: 2 of 6 exons name no transcript"):
        assert placed.introns() == [(13, 15, 1), (105, 108, -1)]


def test_transcripts_of_two_records_may_be_called_alike(genome):
    features = [feature._replace(parent="rna0") for feature in FEATURES if feature.type == "exon"]
    assert Placed("annotation", genome, features).introns() == [(13, 15, 1), (105, 108, -1)]


def test_the_end_of_a_record_and_the_start_of_the_next_are_not_joined(genome):
    features = [Feature("1", 90, 98, 1, "gene"), Feature("chr2", 3, 5, 1, "gene")]
    placed = Placed("annotation", genome, features)
    assert runs_of(placed.select(["gene"]), join=50).tolist() == [[90, 98], [103, 105]]


def test_what_is_left_out_is_counted(genome, caplog):
    with caplog.at_level("INFO"):
        Placed("annotation", genome, FEATURES)
    assert "annotation: 6 of 7 features kept; 1 on other records" in caplog.text


def names(*wanted):
    return [feature.attributes for feature in select(FEATURES, wanted)]


def test_types_and_attributes():
    assert len(select(FEATURES, ["gene"])) == 3
    assert names("gene:Name=a") == ["Name=a;product=Phage tail"]
    assert names("gene:product~PHAGE") == ["Name=a;product=Phage tail"]
    assert names("gene:Name~a", "gene:Name=c") == ["Name=a;product=Phage tail", "Name=ab"]
    with pytest.raises(ValueError, match="CDS, gene:Name=c fits none of 7 features"):
        select(FEATURES, ["CDS", "gene:Name=c"])


def test_one_record_needs_no_common_name(write_fasta):
    genome = Genome([write_fasta({"NC_1": "ACGT" * 25})])
    assert len(Placed("annotation", genome, FEATURES[:4]).features) == 4


def test_annotation_of_something_else(genome):
    features = [*FEATURES[-1:], Feature("X", 0, 5, 1, "gene")]
    with pytest.raises(ValueError, match="none of 2 features lies on the genome"):
        Placed("annotation", genome, features)


def test_features_beyond_the_end_of_a_record_are_left_out_with_a_warning(genome):
    features = [*FEATURES, Feature("1", 90, 101, 1, "gene")]
    with pytest.warns(UserWarning, match="annotation: 1 features reach beyond the end of 1"):
        placed = Placed("annotation", genome, features)
    assert runs_of(placed.select(["gene"])).tolist() == [[10, 20], [30, 35]]
