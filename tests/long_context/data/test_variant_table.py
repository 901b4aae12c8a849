# SPDX-License-Identifier: Apache-2.0
import gzip

import pandas as pd
import pytest

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.variant_table import place_variants, read_variants

CHR1 = "ACGTACGTAC"
VCF = """##fileformat=VCFv4.2
##INFO=<ID=CLNSIG,Number=.,Type=String,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
1\t1\t.\tA\tC,g\t.\t.\tX=1;CLNSIG=Pathogenic
1\t2\t.\tC\tCA\t.\t.\tCLNSIG=Benign
1\t3\t.\tGT\tTA\t.\t.\tCLNSIG=Benign
1\t5\t.\tA\t<DEL>\t.\t.\tCLNSIG=Benign
1\t6\t.\tC\tT\t.\t.\tCLNSIG=Uncertain_significance
2\t1\t.\tT\tA\t.\t.\tNOTCLNSIG=Benign
"""


@pytest.fixture
def vcf(tmp_path):
    path = tmp_path / "v.vcf"
    path.write_text(VCF)
    return str(path)


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text(f">chr1\n{CHR1}\n>chr2\nTTTTT\n>chrM\nGGG\n")
    return Genome([path])


def table(*rows, columns=("chrom", "pos", "ref", "alt")):
    return pd.DataFrame(rows, columns=list(columns))


def read(frame, tmp_path, suffix=".tsv", **options):
    path = tmp_path / f"t{suffix}"
    frame.to_csv(path, sep="," if ".csv" in suffix else "\t", index=False)
    return read_variants(str(path), **options)


def test_vcf_without_labels(vcf):
    frame, left_out = read_variants(vcf)
    assert frame.to_numpy().tolist() == [
        ["1", 1, "A", "C"],
        ["1", 1, "A", "G"],
        ["1", 3, "GT", "TA"],
        ["1", 6, "C", "T"],
        ["2", 1, "T", "A"],
    ]
    assert left_out["no substitution (indel, symbolic or missing allele)"] == 2


def test_vcf_with_labels_in_info(vcf):
    frame, left_out = read_variants(vcf, "CLNSIG", ["Pathogenic"], ["Benign"])
    assert frame["label"].tolist() == [1, 1, 0]
    assert left_out["neither positive nor negative"] == 2


@pytest.mark.parametrize("suffix", [".vcf.gz", ".vcf.bgz"])
def test_compressed_vcf_is_the_same(vcf, tmp_path, suffix):
    path = tmp_path / f"z{suffix}"
    path.write_bytes(gzip.compress(VCF.encode()))
    pd.testing.assert_frame_equal(read_variants(str(path))[0], read_variants(vcf)[0])


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".csv.gz", ".txt"])
def test_tables(tmp_path, suffix):
    frame = table(("chr1", 1, "a", "C", True), columns=("Chrom", "POS", "Ref", "ALT", "label"))
    found, _ = read(frame, tmp_path, suffix)
    assert found.to_numpy().tolist() == [["chr1", 1, "A", "C", 1]]


def test_parquet_and_json_lines(tmp_path):
    frame = table(("1", 1, "A", "C"))
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    for suffix in ("parquet", "jsonl"):
        found, _ = read_variants(str(tmp_path / f"t.{suffix}"))
        assert found.to_numpy().tolist() == [["1", 1, "A", "C"]]


def test_row_without_a_position_is_counted(tmp_path):
    frame, left_out = read(table(("1", "x", "A", "C"), ("1", 2, "A", "C")), tmp_path)
    assert (len(frame), left_out["no position"]) == (1, 1)


def test_bad_files(tmp_path, vcf):
    with pytest.raises(ValueError, match="does not exist"):
        read_variants(str(tmp_path / "no.tsv"))
    with pytest.raises(ValueError, match="unknown suffix"):
        read_variants(str(tmp_path / "no.xlsx"))
    with pytest.raises(ValueError, match="has no column ref, alt; it has chrom, pos, x"):
        read(table(("1", 1, 2), columns=("chrom", "pos", "x")), tmp_path)
    with pytest.raises(ValueError, match="no column or INFO key 'SIG'"):
        read_variants(vcf, "SIG")
    with pytest.raises(ValueError, match=r"labels other than 0 and 1 \(Benign, Pathogenic"):
        read_variants(vcf, "CLNSIG")
    with pytest.raises(ValueError, match="positive, negative: give both"):
        read_variants(vcf, "CLNSIG", ["Pathogenic"])
    headless = tmp_path / "h.vcf"
    headless.write_text("##fileformat=VCFv4.2\n1\t1\t.\tA\tC\n")
    with pytest.raises(ValueError, match="cannot be read: no line begins with #CHROM"):
        read_variants(str(headless))


def test_names_with_and_without_chr(genome):
    frame = table(("1", 2, "C", "A"), ("chr2", 1, "T", "A"), ("MT", 3, "G", "A"))
    found, _ = place_variants(frame, genome, 1, 0.0)
    assert found["start"].tolist() == [1, 10, 17]
    assert found[["low", "high"]].to_numpy().tolist() == [[0, 10], [10, 15], [15, 18]]


def test_what_cannot_be_placed_is_counted(genome):
    frame = table(
        ("1", 2, "C", "A"), ("7", 1, "A", "C"), ("1", 11, "A", "C"), ("1", 0, "A", "C"),
        ("1", 10, "CA", "GG"), ("2", 1, "T", "C"), ("1", 3, "A", "C"),
    )  # fmt: skip
    found, left_out = place_variants(frame, genome, 6, 0.5)
    assert found["pos"].tolist() == [2]
    assert +left_out == {
        "sequence not in the genome": 1,
        "beyond the end of its sequence": 3,
        "sequence shorter than 6": 1,
        "REF is not what the genome says": 1,
    }


def test_wrong_assembly_is_refused_with_the_fraction(genome):
    frame = table(("1", 2, "C", "A"), ("1", 3, "C", "A"), ("1", 4, "C", "A"), ("1", 5, "C", "A"))
    message = r"3 of 4 REF alleles \(75.0%\) .* 1.0% are allowed .* another assembly"
    with pytest.raises(ValueError, match=message):
        place_variants(frame, genome, 1, 0.01)


def test_positions_from_zero_are_recognised(genome):
    frame = table(*[("1", pos, CHR1[pos], "N") for pos in range(1, 9)])
    with pytest.raises(ValueError, match="counts from 0 there, and must count from 1"):
        place_variants(frame, genome, 1, 0.01)


def test_none_is_left(genome):
    message = r"none can be placed .* sequences not found: 7; the genome has chr1"
    with pytest.raises(ValueError, match=message):
        place_variants(table(("7", 1, "A", "C")), genome, 1, 0.01)


def test_a_row_without_a_chromosome_does_not_change_the_others(tmp_path):
    frame, _ = read(table(["1", 3, "G", "T"], [None, 4, "T", "A"]), tmp_path)
    assert frame["chrom"].tolist()[0] == "1"


def test_positions_are_whole_numbers(tmp_path):
    frame, left_out = read(table(["1", "3.5", "G", "T"], ["1", "4", "T", "A"]), tmp_path)
    assert frame["pos"].tolist() == [4]
    assert left_out["no position"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (VCF + "1\t1\t.\tA\tC\t.\t.\tX\t\n", "cannot be read"),
        ("#CHROM\tPOS\tID\tREF\tALT\n1\t1\t.\tA\tC\tx\n", "more fields than the header"),
        ("#CHROM\tPOS\tID\tREF\tALT\tpos\n1\t1\t.\tA\tC\t2\n", "two columns pos"),
        ("#CHROM\tPOS\t\tD\tREF\tALT\n1\t1\t.\tA\tC\n", "no line begins with #CHROM, POS, ID, REF"),
    ],
)
def test_rows_that_would_be_misread_are_refused(tmp_path, text, message):
    (tmp_path / "x.vcf").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_variants(str(tmp_path / "x.vcf"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"chrom": "1"\n "pos": 3, "ref": "A", "alt": "C"}\n', "line 1: .*delimiter"),
        ('{"chrom": "1", "pos": 3, "ref": "A", "alt": "C"}\n[1]\n', "line 2 is no object"),
    ],
)
def test_damaged_json_lines(tmp_path, text, said):
    """Two halves of a record are not put together."""
    path = tmp_path / "v.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"v.jsonl cannot be read: {said}"):
        read_variants(str(path))


@pytest.mark.parametrize(
    "text", ["chrom,pos\0,ref,alt\n1,1,A,C\n", "chrom,pos,ref,alt\n1\0,1,A,C\n"]
)
def test_nul_byte_is_refused(tmp_path, text):
    """pandas would cut the name or the value there."""
    path = tmp_path / "v.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match="v.csv cannot be read: it holds a NUL byte"):
        read_variants(str(path))
