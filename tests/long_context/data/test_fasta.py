# SPDX-License-Identifier: Apache-2.0
import gzip
import re

import pytest
from Bio import bgzf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelgenerator.long_context.data import fasta
from modelgenerator.long_context.data.fasta import read_fasta


def records(path):
    """All records as [(name, sequence)]."""
    found = []
    for name, letters in read_fasta(path):
        if name is not None:
            found.append([name, b""])
        found[-1][1] += letters.tobytes()
    return [(name, letters.decode()) for name, letters in found]


@pytest.fixture
def write(tmp_path):
    def write(content, name="file"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def bgzip(path, content):
    with bgzf.BgzfWriter(str(path)) as out:
        out.write(content)
    return path


def refused(path, *parts):
    with pytest.raises(ValueError, match=re.escape(str(path))) as error:
        records(path)
    for part in parts:
        assert part in str(error.value)


def test_names_are_first_words_and_lines_are_joined(write):
    path = write(b"\n>chr1 first one\nACGT\nacg\n\n>chr2\nNNRY\n>empty\n")
    assert records(path) == [("chr1", "ACGTacg"), ("chr2", "NNRY"), ("empty", "")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system(write, end):
    assert records(write(end.join([">a", "AC", "GT", ""]).encode())) == [("a", "ACGT")]


def test_a_last_line_without_end_and_a_byte_order_mark(write):
    assert records(write(b"\xef\xbb\xbf>a\nAC")) == [("a", "AC")]


@pytest.mark.parametrize("suffix", [".fa", ".fa.gz", ".txt"])
def test_plain_gzip_and_bgzip_are_told_by_content(tmp_path, write, random_dna, suffix):
    content = ">a\n" + random_dna(200_000) + "\n>b\nACGT\n"
    plain = records(write(content.encode(), f"plain{suffix}"))
    assert plain == [("a", random_dna(200_000)), ("b", "ACGT")]
    assert records(write(gzip.compress(content.encode()), f"gzip{suffix}")) == plain
    assert records(bgzip(tmp_path / f"bgzip{suffix}", content)) == plain


@pytest.mark.parametrize("width", [1, 7, 50])
def test_long_records_come_in_pieces_that_join(write, monkeypatch, width):
    monkeypatch.setattr(fasta, "PIECE", 50)
    sequences = {"a": "ACGTN" * 40, "b": "GG", "c": "TTTA" * 25}
    content = "".join(
        f">{name}\n" + "\n".join(s[i : i + width] for i in range(0, len(s), width)) + "\n"
        for name, s in sequences.items()
    )
    path = write(content.encode())
    assert records(path) == list(sequences.items())
    assert max(len(piece.letters) for piece in read_fasta(path)) < 50 + width + 1


def test_a_record_on_one_line_comes_in_pieces_too(write, monkeypatch):
    monkeypatch.setattr(fasta, "PIECE", 50)
    path = write(b">a\n" + b"ACGTN" * 100 + b"\n>b\nAC\n")
    assert records(path) == [("a", "ACGTN" * 100), ("b", "AC")]
    assert max(len(piece.letters) for piece in read_fasta(path)) <= 100


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text("ACGTNacgtnRYSWKMBDHVX-", max_size=200), min_size=1, max_size=5),
    st.integers(1, 80),
)
def test_what_is_written_is_read(write, sequences, width):
    content = "".join(
        f">r{i}\n" + "".join(s[j : j + width] + "\n" for j in range(0, len(s), width))
        for i, s in enumerate(sequences)
    )
    assert records(write(content.encode())) == [(f"r{i}", s) for i, s in enumerate(sequences)]


def test_a_large_file_shows_a_progress_bar(write, monkeypatch, capsys):
    monkeypatch.setattr(fasta, "PROGRESS_FROM", 10)
    path = write(b">a\nACGTACGT\n", "genome.fa")
    records(path)
    assert "Indexing genome.fa: 100%" in capsys.readouterr().err
    list(read_fasta(path, progress=False))
    assert capsys.readouterr().err == ""


def test_missing(tmp_path):
    refused(tmp_path / "no.fa", "does not exist", "Give an existing file")


def test_folder(tmp_path):
    refused(tmp_path, "is not a file", f"give a pattern: {tmp_path}/*.fa")


@pytest.mark.parametrize("content", [b"", b"\n \n", gzip.compress(b"", mtime=0)])
def test_empty(write, content):
    refused(write(content), "is empty")


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)) * 4, gzip.compress(b"BAM\1\0\0", mtime=0), ">a\nAC".encode("utf-16")],
)
def test_binary(write, content):
    refused(write(content), "is binary, not FASTA")


@pytest.mark.parametrize(
    ("magic", "kind"), [(b"PK\x03\x04", "zip"), (b"BZh91AY", "bzip2"), (b"\xfd7zXZ\0", "xz")]
)
def test_other_compression_is_named(write, magic, kind):
    refused(write(magic + b"..........."), f"compressed with {kind}", "Decompress it first")


def test_truncated_gzip(write, random_dna):
    whole = gzip.compress(f">a\n{random_dna(9_000)}\n".encode())
    for end in (len(whole) // 2, len(whole) - 4):
        refused(write(whole[:end]), "truncated or damaged", "again")


def test_damaged_gzip(write, random_dna):
    content = bytearray(gzip.compress(f">a\n{random_dna(9_000)}\n".encode()))
    content[-8] ^= 1  # the checksum
    refused(write(bytes(content)), "truncated or damaged")


def test_bgzip_cut_between_two_blocks(tmp_path, write, random_dna):
    whole = bgzip(tmp_path / "whole.gz", f">a\n{random_dna(200_000)}\n").read_bytes()
    second = whole.index(b"\x1f\x8b\x08\x04", 10)
    assert gzip.decompress(whole[:second])  # to gzip it is a whole file
    refused(write(whole[:second]), "truncated or damaged", "end-of-file block is missing")


@pytest.mark.parametrize("letter", list("EFILPQZeq*"))
def test_protein(write, letter):
    refused(
        write(f">nad1\nMAW{letter}GG\n".encode()), "'nad1'", "looks like protein", f"{letter!r}"
    )


def test_protein_that_begins_like_dna(write):
    refused(write(b">ok\nACGT\n>p53\nMTAMEESQSDISLELPLSQ\n"), "record 'p53'", "'E'")


@pytest.mark.parametrize("letter", ["1", ";", "\t", "é"])
def test_no_letter_of_a_sequence(write, letter):
    refused(write(f">a\nAC{letter}GT\n".encode()), "record 'a'", "which is no nucleotide")


@pytest.mark.parametrize(
    ("text", "kind"),
    [("@read\nACGT\n+\n!!!!\n", "FASTQ"), ("LOCUS  X", "GenBank"), ("Dear all,\n>a\nACGT", "text")],
)
def test_text_that_is_not_fasta(write, text, kind):
    refused(write(text.encode()), "is not FASTA: it begins with", f"({kind})", "Convert it")


def test_record_without_a_name(write):
    refused(write(b">\nACGT\n"), "without a name")


def test_a_header_that_means_something_to_us_alone(write):
    refused(write(b">a\nACGT\n>\0continued\nACGT\n"), "is binary, not FASTA")
