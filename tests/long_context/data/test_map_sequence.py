# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.data.map_sequence import with_special_tokens
from modelgenerator.long_context.data.mutants import Mutants
from modelgenerator.long_context.data.vocabulary import decode, encode


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "two.fa"
    path.write_text(">a\nACGTACGTNN\n>b:c\nTTTTT\n")
    return str(path)


def opened(fasta, **options):
    data = Mutants(fasta, **options)
    data.setup()
    return data


def test_region_is_half_open_and_counts_from_zero(fasta):
    data = opened(fasta, region="a:1-4")
    assert decode(data.ids) == "CGT"
    assert (data.record, data.start, data.stop, data.longest) == ("a", 1, 4, 3)


def test_whole_record_and_names_with_a_colon(fasta):
    assert decode(opened(fasta, region="b:c").ids) == "TTTTT"
    assert decode(opened(fasta, region="b:c:1-3").ids) == "TT"


def test_reference_of_either_strand(fasta):
    data = opened(fasta, region="a:0-4")
    assert decode(data.reference("+")[1:-1].astype(np.uint8)) == "ACGT"
    data = opened(fasta, region="a:0-3")
    assert decode(data.reference("-")[1:-1].astype(np.uint8)) == "CGT"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "fasta holds 2 records"),
        ({"region": "c"}, "'c' names no record; fasta holds a, b:c"),
        ({"region": "a:5-11"}, "not within a:0-10"),
        ({"region": "a:5-5"}, "not within a:0-10"),
        ({"region": "a:x-5"}, "not within a:0-10"),
        ({"region": "a:0-4", "rows": "2-8"}, "rows: 2-8 does not lie in a:0-4"),
        ({"region": "a:0-4", "columns": ","}, "columns: ',' holds no position"),
        ({"region": "a", "rows": "8-10"}, "rows: '8-10' holds nothing but N"),
        ({"region": "a", "strand": "+", "batch_size": 0}, "batch_size: 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:rows")
def test_what_is_not_there_is_refused(fasta, options, message):
    with pytest.raises(ValueError, match=message):
        opened(fasta, **options)


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "is empty"), (">p\nMKVLWA\n", "looks like protein"), (">e\n", "is empty")],
)
def test_no_dna(tmp_path, content, message):
    path = tmp_path / "bad.fa"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        opened(str(path))


def test_n_is_not_mutated_and_that_is_said(fasta):
    with pytest.warns(UserWarning, match="2 of 10 positions are N"):
        data = opened(fasta, region="a")
    assert data.row_offsets.tolist() == list(range(8))
    assert data.column_offsets.tolist() == list(range(10))


def test_special_tokens():
    ids = np.stack([encode(b"AC"), encode(b"GT")])
    assert with_special_tokens(ids).tolist() == [[2, 5, 7, 3], [2, 6, 8, 3]]


def test_a_record_without_a_base_is_refused(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nACGT\n>b\n")
    with pytest.raises(ValueError, match="region: b holds no base"):
        opened(str(tmp_path / "x.fa"), region="b")
