# SPDX-License-Identifier: Apache-2.0
import gzip
import re

import pytest

from modelgenerator.long_context.data.annotation import Feature, read_annotation

GFF = """##gff-version 3
chr1\tx\tgene\t11\t40\t.\t+\t.\tID=g1;Name=abc
chr1\tx\texon\t11\t20\t.\t+\t.\tID=e1;Parent=t1
chr1\tx\texon\t31\t40\t.\t-\t.\tParent=t1;Note=x

##FASTA
>chr1
ACGT
"""
GENES = """#NAME\tCHROM\tSTRAND\tTX_START\tTX_END\tEXON_START\tEXON_END
A\t20\t-\t10\t40\t10,30,\t20,40,
"""
GENBANK = """LOCUS       TEST                      60 bp    DNA     linear   BCT 01-JAN-2000
DEFINITION  A test.
ACCESSION   TEST
VERSION     TEST.1
FEATURES             Location/Qualifiers
     source          1..60
                     /organism="none"
     CDS             complement(join(11..20,31..40))
                     /is_phage="1"
ORIGIN
        1 acgtacgtac gtacgtacgt acgtacgtac gtacgtacgt acgtacgtac gtacgtacgt
//
"""
LST = """190 255 D CDS ECO.C001_00001 Valid thrL | phage; leader
337 400 C tRNA ECO.C001_00002 Valid x
"""


def read(tmp_path, text, name="a.txt"):
    path = tmp_path / name
    (gzip.open if name.endswith("gz") else open)(path, "wt").write(text)
    return read_annotation(path)


def test_gff(tmp_path):
    assert read(tmp_path, GFF) == [
        Feature("chr1", 10, 40, 1, "gene", "", "ID=g1;Name=abc"),
        Feature("chr1", 10, 20, 1, "exon", "t1", "ID=e1;Parent=t1"),
        Feature("chr1", 30, 40, -1, "exon", "t1", "Parent=t1;Note=x"),
    ]


def test_gtf(tmp_path):
    text = """#!genome-build x
chr1\tx\tgene\t11\t40\t.\t+\t.\tgene_id "g1"; gene_name "a; b";
chr1\tx\ttranscript\t11\t40\t.\t+\t.\tgene_id "g1"; transcript_id "t1";
chr1\tx\texon\t11\t20\t.\t+\t.\tgene_id "g1"; transcript_id "t1"; exon_number 1;
"""
    gene, transcript, exon = read(tmp_path, text)
    assert gene == Feature("chr1", 10, 40, 1, "gene", "", "gene_id=g1;gene_name=a, b")
    assert transcript.parent == "g1"
    assert exon.parent == "t1"
    assert exon.attributes == "gene_id=g1;transcript_id=t1;exon_number=1"


def test_a_parent_is_no_other_key_that_ends_alike(tmp_path):
    line = "chr1\tx\texon\t1\t4\t.\t+\t.\tgrandParent=g1; Parent=t1\n"
    assert read(tmp_path, line)[0].parent == "t1"


def test_gzip_is_known_by_content(tmp_path):
    assert read(tmp_path, GFF, "a.gff.gz") == read(tmp_path, GFF)


def test_bed(tmp_path):
    text = "track name=x\nchr1\t0\t5\nchr2\t7\t9\tpeak\t0\t-\n"
    assert read(tmp_path, text) == [
        Feature("chr1", 0, 5, 0, "region"),
        Feature("chr2", 7, 9, -1, "peak"),
    ]


def test_gene_table(tmp_path):
    assert read(tmp_path, GENES) == [
        Feature("20", 10, 40, -1, "gene", "", "Name=A"),
        Feature("20", 10, 20, -1, "exon", "20:A"),
        Feature("20", 30, 40, -1, "exon", "20:A"),
    ]


def test_genbank(tmp_path):
    source, *parts = read(tmp_path, GENBANK)
    assert (source.record, source.start, source.stop, source.type) == ("TEST.1", 0, 60, "source")
    assert sorted((p.start, p.stop, p.strand) for p in parts) == [(10, 20, -1), (30, 40, -1)]
    assert {(p.type, p.attributes) for p in parts} == {("CDS", "is_phage=1")}
    assert len({p.parent for p in parts} | {""}) == 2


def test_gembase(tmp_path):
    one, other = read(tmp_path, LST)
    assert one[:5] == ("ECO.C001", 189, 255, 1, "CDS")
    assert one.attributes == "product=Valid thrL | phage, leader"
    assert other[:5] == ("ECO.C001", 336, 400, -1, "tRNA")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not GFF3, GenBank, BED"),
        ("hello world\n", "is not GFF3, GenBank, BED"),
        (">chr1\nACGT\n", "is not GFF3, GenBank, BED"),
        (GFF + "", None),
        ("chr1\t5\t9\nchr1\t7\n", "line 2 is not complete: 'chr1\\t7'"),
        ("chr1\t5\t9\nchr1\tseven\t9\n", "line 2 is not complete"),
        ("chr1\t9\t5\n", "line 1: 9 to 5 (0-based, half-open) is no stretch"),
        (GENES.replace("20,40,", "20,"), "line 2 is not complete"),
        ("#NAME\tCHROM\tSTRAND\n", "holds no feature"),
    ],
)
def test_bad_files(tmp_path, text, message):
    if message is None:
        assert read(tmp_path, text)
        return
    with pytest.raises(ValueError, match=re.escape(message)):
        read(tmp_path, text)
