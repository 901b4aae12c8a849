# SPDX-License-Identifier: Apache-2.0
"""Files as they should not be: a ValueError, or every line of them is accounted for.

`MGEN_LC_FUZZ=10000` tries so many of each.
"""

import gzip
import os
import re
import warnings
from itertools import dropwhile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelgenerator.long_context.data.annotation import read_annotation
from modelgenerator.long_context.data.fasta import read_fasta
from modelgenerator.long_context.data.interval_table import read_interval_table
from modelgenerator.long_context.data.variant_table import read_variants
from modelgenerator.long_context.depmap.known_pairs import read_pairs
from modelgenerator.long_context.depmap.positions import read_bed
from modelgenerator.long_context.monitor.jsonl import Reader

FUZZ = settings(
    max_examples=int(os.environ.get("MGEN_LC_FUZZ", 50)),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ROWS = {
    "bed": ["chr1\t0\t5\tgene\t0\t+", "chr2\t7\t9\tpeak\t0\t-", "chrX\t10\t12\ta#b\t1\t."],
    "gff": ["chr1\tx\tgene\t11\t40\t.\t+\t.\tID=g1", "chr1\tx\texon\t31\t40\t.\t-\t.\tParent=g1"],
    "csv": ["1,10,12,a", "X,0,1,b", "2,100000,100001,c"],
    "vcf": ["1\t1\t.\tA\tC,g\t.\t.\tX=1", "2\t2\t.\tC\tCA\t.\t.\tX", "X\t3\t.\tGT\tTA\t.\t.\t."],
    "jsonl": [
        '{"chrom": "1", "pos": 3, "ref": "A", "alt": "C"}',
        '{"chrom": "X", "pos": 4, "ref": "G", "alt": "T", "more": [1]}',
    ],
    "pairs": ["10\t20", "30 40", "7\t9\tname"],
}
HEADS = {
    "bed": "",
    "gff": "##gff-version 3\n",
    "csv": "chrom,start,stop,label\n",
    "vcf": "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
    "jsonl": "",
    "pairs": "",
}
WORDS = [
    "", "-", "-1", "0", "1", "1.5", "1e400", "nan", "inf", "NA", "9" * 30, "chr1", ".", "<DEL>",
    '"', "'", "#", "\0", "\r", "\x0b", "é", "\ufeff", "²", "true", "null", "[]", "{}", "track x",
    "A,C", "acgt",
]  # fmt: skip


@st.composite
def damaged(draw, kind):
    """Some rows of a kind with fields, separators, lines and bytes changed."""
    rows = draw(st.lists(st.sampled_from(ROWS[kind]), max_size=5))
    cut = r"([\t ,:{}])"
    for _ in range(draw(st.integers(0, 3))):
        if not rows:
            break
        number = draw(st.integers(0, len(rows) - 1))
        parts = re.split(cut, rows[number])
        at = draw(st.integers(0, len(parts) - 1))
        parts[at] = draw(st.sampled_from([*WORDS, "\t", ",", "\n"]) | st.text(max_size=4))
        rows[number] = "".join(parts)
    content = (HEADS[kind] + "".join(f"{row}\n" for row in rows)).encode(errors="replace")
    if draw(st.integers(0, 9)) == 0:
        content = content[: draw(st.integers(0, len(content)))]
    if content and draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(content) - 1))
        content = content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]
    return content


PACKINGS = st.sampled_from(["", "", "", ".gz", ".cut.gz", ".broken.gz"])


def packed(content, suffix):
    """As it is, as gzip, or as gzip cut short or with a byte changed."""
    if not suffix:
        return content
    whole = gzip.compress(content, mtime=0)
    middle = len(whole) // 2
    broken = whole[:middle] + bytes([whole[middle] ^ 0x55]) + whole[middle + 1 :]
    return {".gz": whole, ".cut.gz": whole[:-9], ".broken.gz": broken}[suffix]


def lines_of(content, comments=("#", "track ", "browser ")):
    """Lines that hold something, as any editor counts them; None if it is no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    lines = re.split(r"\r\n|\r|\n", text)
    return [line for line in lines if line.strip() and not line.startswith(comments)]


def whole_fasta(path):
    return list(read_fasta(path))


PATHS = (read_annotation, whole_fasta)  # take no strings


def read(reader, path, content, **options):
    """What a reader makes of a file, or None where it refuses it by name."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return reader(path if reader in PATHS else str(path), **options)
        except ValueError as error:
            if str(path) not in str(error):
                raise AssertionError("the message does not name the file") from error
            return None


@pytest.mark.parametrize("kind", ["bed", "gff"])
@given(data=st.data())
@FUZZ
def test_interval_tables_hold_every_line_or_are_refused(tmp_path, kind, data):
    content, suffix = data.draw(damaged(kind)), data.draw(PACKINGS)
    found = read(read_interval_table, tmp_path / f"x.{kind}{suffix}", packed(content, suffix))
    if found is not None:
        assert suffix in ("", ".gz"), "a damaged file was read"
        assert (found["stop"] >= found["start"]).all()
        lines = lines_of(content)
        header = kind == "bed" and not lines_of(content, ())[0].split("\t")[1].isdigit()
        assert len(found) in (len(lines), len(lines) - header)


@given(content=damaged("csv"))
@FUZZ
def test_comma_separated_intervals_are_whole_numbers_or_refused(tmp_path, content):
    found = read(read_interval_table, tmp_path / "x.csv", content)
    if found is not None and '"' not in content.decode(errors="replace"):
        assert len(found) == len(lines_of(content, ())) - 1  # the header
        written = [line.split(",") for line in lines_of(content, ())]
        start, stop = (
            next(i for i, name in enumerate(written[0]) if name.strip().lower() == wanted)
            for wanted in ("start", "stop")
        )
        assert found["start"].tolist() == [int(float(row[start])) for row in written[1:]]
        assert found["stop"].tolist() == [int(float(row[stop])) for row in written[1:]]


@pytest.mark.parametrize("kind", ["bed", "gff"])
@given(data=st.data())
@FUZZ
def test_intervals_of_maps_hold_every_line_or_are_refused(tmp_path, kind, data):
    content = data.draw(damaged(kind))
    found = read(read_bed, tmp_path / f"x.{kind}", content)
    if found is not None:
        assert len(found) >= len(lines_of(content))


@given(content=damaged("pairs"))
@FUZZ
def test_pairs_hold_every_line_or_are_refused(tmp_path, content):
    found = read(read_pairs, tmp_path / "x.tsv", content)
    if found is not None:
        # A pair given twice counts once.
        lines = {frozenset(x.split()[:2]) for x in lines_of(content, ("\0none",))}
        assert len(found) >= len(lines) - 1  # a header


@pytest.mark.parametrize("kind", ["bed", "gff"])
@given(data=st.data())
@FUZZ
def test_annotation_holds_every_line_or_is_refused(tmp_path, kind, data):
    content, suffix = data.draw(damaged(kind)), data.draw(PACKINGS)
    found = read(read_annotation, tmp_path / f"x{suffix}", packed(content, suffix))
    if found is not None:
        assert suffix in ("", ".gz"), "a damaged file was read"
        text = content.decode(errors="replace")
        lines = [x for x in re.split(r"\r\n|\r|\n", text) if x.strip()]
        assert len(found) == sum(not x.startswith(("#", "track ", "browser ")) for x in lines)


@given(content=damaged("vcf"), suffix=PACKINGS)
@FUZZ
def test_variants_are_kept_or_counted(tmp_path, content, suffix):
    found = read(read_variants, tmp_path / f"x.vcf{suffix}", packed(content, suffix))
    if found is not None:
        assert suffix in ("", ".gz"), "a damaged file was read"
        frame, left_out = found
        rows = list(dropwhile(lambda line: line.startswith("##"), lines_of(content, ())))[1:]
        assert len(frame) + left_out.total() >= len(rows)
        if b"\r" not in content:  # else pandas and we count lines differently
            assert len(frame) + left_out.total() == sum(map(alleles, rows))


def alleles(line):
    """Alternative alleles of a line of VCF that has a place; 1 without."""
    fields = line.split("\t")
    try:
        placed = float(fields[1]) % 1 == 0 and abs(float(fields[1])) <= 2**53
    except (ValueError, IndexError):
        placed = False
    return fields[4].count(",") + 1 if placed and len(fields) > 4 else 1


@given(content=damaged("jsonl"))
@FUZZ
def test_variants_of_json_lines_are_kept_or_counted(tmp_path, content):
    found = read(read_variants, tmp_path / "x.jsonl", content)
    if found is not None:
        frame, left_out = found
        lines = content.decode("utf-8-sig").split("\n")  # a "\r" alone ends no line of JSON
        assert len(frame) + left_out.total() >= sum(bool(line.strip()) for line in lines)


@given(
    parts=st.lists(
        st.sampled_from(
            [">a", ">b c", ">", ">\0continued", "ACGT", "acgtn", "RYX-", "E", "é", "\0"]
        )
        | st.text(max_size=3),
        max_size=6,
    ),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n", " \n"]),
    suffix=PACKINGS,
)
@FUZZ
def test_every_letter_of_fasta_is_read_or_the_file_refused(tmp_path, parts, end, suffix):
    content = end.join(parts).encode(errors="replace")
    found = read(whole_fasta, tmp_path / f"x{suffix}", packed(content, suffix))
    if found is not None:
        assert suffix in ("", ".gz"), "a damaged file was read"
        lines = re.split(r"\r\n|\r|\n", content.decode("utf-8-sig"))
        letters = "".join(re.sub(r"\s", "", x) for x in lines if not x.startswith(">"))
        assert b"".join(piece.letters.tobytes() for piece in found).decode() == letters
        names = [piece.name for piece in found if piece.name is not None]
        assert names == [x[1:].split()[0] for x in lines if x.startswith(">")]


@given(content=damaged("jsonl") | st.binary(max_size=60))
@FUZZ
def test_lines_of_the_live_page_are_read_or_counted(tmp_path, content):
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run/metrics.jsonl").write_bytes(content)
    reader = Reader(tmp_path, "run", "metrics.jsonl")
    records, _ = reader.read()
    whole = content[: content.rfind(b"\n") + 1]
    assert len(records) + reader.skipped == sum(bool(x.strip()) for x in whole.splitlines())
