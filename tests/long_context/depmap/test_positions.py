# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.depmap.positions import parse_positions, read_bed


def parse(given, start=100, stop=200):
    return parse_positions("rows", given, "chr1", start, stop).tolist()


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        ("all:50", [0, 50]),
        ("100-103", [0, 1, 2]),
        ("199-200,110-113", [10, 11, 12, 99]),
        ("110-120:4, 110-112", [10, 11, 14, 18]),
    ],
)
def test_parse(text, offsets):
    assert parse(text) == offsets


def test_all_is_the_region():
    assert parse("all") == list(range(100))


@pytest.mark.parametrize("text", ["99-101", "190-201", "120-120", "130-120", "all:0"])
def test_range_off_the_region_is_refused(text):
    with pytest.raises(ValueError, match=r"rows: .*does not lie in chr1:100-200"):
        parse(text)


@pytest.mark.parametrize("text", ["", " , "])
def test_nothing_is_refused(text):
    with pytest.raises(ValueError, match="rows: .* holds no position"):
        parse(text)


def test_what_is_neither_range_nor_file_is_refused():
    with pytest.raises(ValueError, match="'genes.bed' is no range and no file"):
        parse("genes.bed")


def test_bed(tmp_path):
    bed = tmp_path / "a.bed"
    bed.write_text("track name=x\nchr1\t110\t112\texon\nchr2\t0\t9\nchr1\t150\t151\n")
    assert parse(str(bed)) == [10, 11, 50]
    assert parse(f"{bed},100-101") == [0, 10, 11, 50]


def test_bed_that_sticks_out_is_cut_and_said(tmp_path):
    bed = tmp_path / "a.bed"
    bed.write_text("chr1\t90\t102\nchr1\t198\t300\n")
    with pytest.warns(UserWarning, match="2 of 2 intervals .* outside of chr1:100-200"):
        assert parse(str(bed)) == [0, 1, 98, 99]


def test_bed_off_the_sequence_is_refused(tmp_path):
    bed = tmp_path / "a.bed"
    bed.write_text("chr1\t300\t400\nchr2\t100\t200\n")
    with pytest.raises(ValueError, match=r"no interval in chr1:100-200 \(1 elsewhere on chr1\)"):
        parse(str(bed))


@pytest.mark.parametrize("line", ["chr1\t5", "chr1\t9\t3", "chr1 a b", "hello"])
def test_line_that_is_no_interval_is_refused(tmp_path, line):
    bed = tmp_path / "a.bed"
    bed.write_text(f"chr1\t1\t2\n{line}\n")
    with pytest.raises(ValueError, match=r"a.bed, line 2: no interval of a BED file"):
        read_bed(str(bed))


def test_gff_counts_from_one_with_both_ends(tmp_path):
    gff = tmp_path / "a.gff3"
    gff.write_text("##gff-version 3\nchr1\tx\tCDS\t101\t103\t.\t+\t0\tID=a\n")
    assert read_bed(str(gff)) == [("chr1", 100, 103, "CDS")]


@given(st.integers(0, 50), st.integers(1, 50), st.integers(1, 7))
def test_step_is_a_subset_and_starts_where_the_range_does(low, size, step):
    every = parse_positions("rows", f"{low}-{low + size}:{step}", "r", 0, 100).tolist()
    assert every == list(range(low, low + size))[::step]


def test_missing_file_is_said(tmp_path):
    with pytest.raises(ValueError, match="no.bed cannot be read"):
        read_bed(str(tmp_path / "no.bed"))
