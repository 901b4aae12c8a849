# SPDX-License-Identifier: Apache-2.0
"""Intervals as tables write them, from 0 or from 1."""

import gzip

import pytest

from modelgenerator.long_context.data.interval_table import read_interval_table


def read(tmp_path, name, content, **options):
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content)
    return read_interval_table(str(path), **options)


def rows(frame, *columns):
    return frame[["chrom", "start", "stop", *columns]].values.tolist()


@pytest.mark.parametrize("name", ["x.bed", "x.bed.gz"])
def test_bed_counts_from_0(tmp_path, name):
    found = read(tmp_path, name, "chr1\t9\t12\tgene\t0\t-\nchr1\t20\t30\ttRNA\t0\t+\n")
    assert rows(found, "label", "strand") == [
        ["chr1", 9, 12, "gene", "-"],
        ["chr1", 20, 30, "tRNA", "+"],
    ]


def test_bed_with_a_header_names_its_columns(tmp_path):
    text = "chromosome\tstart\tend\tsplit\tlabel\nchr1\t9\t12\ttrain\t1\n"
    assert rows(read(tmp_path, "x.bed", text), "split", "label") == [["chr1", 9, 12, "train", 1]]


def test_gff_counts_from_1_and_includes_the_last_base(tmp_path):
    text = "##gff-version 3\nchr1\tx\tgene\t10\t12\t.\t-\t.\tID=a\n"
    found = rows(read(tmp_path, "x.gff3", text), "label", "strand")
    assert found == [["chr1", 9, 12, "gene", "-"]]


def test_gff_may_end_in_its_sequences(tmp_path):
    text = "##gff-version 3\nchr1\tx\tgene\t10\t12\t.\t-\t.\tID=a\n##FASTA\n>chr1\nACGT\n"
    assert rows(read(tmp_path, "x.gff", text), "label") == [["chr1", 9, 12, "gene"]]


def test_csv_counts_as_is_said(tmp_path):
    text = "CHROM,START,STOP,y\n1,10,12,5\n"
    assert rows(read(tmp_path, "x.csv", text)) == [["1", 10, 12]]
    assert rows(read(tmp_path, "x.csv", text, one_based=True)) == [["1", 9, 12]]


@pytest.mark.parametrize("name", ["x.csv", "x.bed", "x.gff"])
def test_names_that_look_like_numbers_or_like_nothing(tmp_path, name):
    text = {
        "x.csv": "Chromosome,start,stop,strand,label,y\n01,9,12,-1,NA,NA\n02,9,12,,null,3\n",
        "x.bed": "01\t9\t12\tNA\t0\t-1\n02\t9\t12\tnull\t0\t\n",
        "x.gff": "01\tx\tNA\t10\t12\t.\t-1\t.\ta\n02\tx\tnull\t10\t12\t.\t\t.\tb\n",
    }
    found = read(tmp_path, name, text[name], text=["label"])
    expected = [["01", 9, 12, "-1", "NA"], ["02", 9, 12, "", "null"]]
    assert rows(found, "strand", "label") == expected
    if name == "x.csv":
        assert found["y"].isna().tolist() == [True, False]  # only what is asked for is text


def test_positions_are_points(tmp_path):
    text = "chrom\tPOS\tref\talt\n1\t10\tA\tC\n"
    found = read(tmp_path, "x.tsv", text, one_based=True)
    assert rows(found, "ref", "alt") == [["1", 9, 9, "A", "C"]]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "chrom,begin,stop\n1,2,3\n", "has no column start; it has chrom, begin, stop"),
        ("x.csv", "chrom,start,stop\n1,two,3\n", "start 'two' is no whole number"),
        ("x.csv", "chrom,start,stop\n1,2.5,3\n", "start 2.5 is no whole number"),
        ("x.csv", "chrom,start,stop\n1,2,inf\n", "stop inf is no whole number"),
        ("x.csv", "chrom,start,stop\n1,2,3,4\n", "more fields than the header"),
        ("x.csv", "chrom,start,stop,end\n1,2,3,4\n", "two columns that both mean stop"),
        ("x.csv", "chrom,start,stop\n1,9,3\n", "row 0 ends before it starts"),
        ("x.csv", "", "cannot be read"),
        ("x.bed.gz", "", "cannot be read"),
    ],
)
def test_bad_tables_are_refused(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, name, text)
    with pytest.raises(ValueError, match="does not exist"):
        read_interval_table(str(tmp_path / "none.bed"))


def test_bed_has_no_quotes_and_comments_are_whole_lines(tmp_path):
    text = '#a\nchr1\t1\t2\t"a\t0\t-\n#b\nchr1\t3\t4\tb"\t0\t-\nchr1\t5\t6\tc#1\t0\t+\n'
    found = rows(read(tmp_path, "x.bed", text), "label", "strand")
    assert found == [
        ["chr1", 1, 2, '"a', "-"],
        ["chr1", 3, 4, 'b"', "-"],
        ["chr1", 5, 6, "c#1", "+"],
    ]
