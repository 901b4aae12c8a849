# SPDX-License-Identifier: Apache-2.0
"""Reads annotation of genomes: GFF3, GTF, GenBank, BED, and two tables of gene coordinates.

All become the same rows, 0-based and half-open. A format is recognised by content.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Optional, TextIO
from urllib.parse import unquote

from Bio import SeqIO


class Feature(NamedTuple):
    """One stretch of one record.

    Attributes:
        record: Name of the sequence.
        start: First base, 0-based.
        stop: Base after the last.
        strand: 1, -1, or 0 if it has none.
        type: What it is: gene, CDS, exon, ...
        parent: What it is a part of, such as an exon's transcript; "" if nothing.
        attributes: Everything else, "key=value" joined by ";".
    """

    record: str
    start: int
    stop: int
    strand: int
    type: str
    parent: str = ""
    attributes: str = ""


_STRANDS = {"+": 1, "-": -1, "D": 1, "C": -1}
_GTF = re.compile(r'\s*\w+ "')  # how the attributes of GTF begin; those of GFF3 as key=
_GTF_ATTRIBUTE = re.compile(r'(\w+) (?:"([^"]*)"|([^";\s]+))')


def read_annotation(path: Path) -> list[Feature]:
    """The features of a file, in its order.

    Args:
        path: GFF3, GTF, GenBank, BED (three columns or more, the fourth is the type), a table of
            the columns NAME, CHROM, STRAND, TX_START, TX_END, EXON_START, EXON_END (as of
            SpliceAI), or a gembase .lst; plain or gzip.

    Raises:
        ValueError: If the file is none of these, a line is not complete, or there is no feature.
    """
    try:
        features = _read(path)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"annotation: {path} cannot be read: {error}") from None
    if not features:
        raise ValueError(f"annotation: {path} holds no feature.")
    return features


def _read(path: Path) -> list[Feature]:
    opened = gzip.open if _is_gzip(path) else open
    with opened(path, "rt", errors="replace") as text:
        parse = _format_of(text, path)
        text.seek(0)
        if parse is None:
            return _genbank(text, path)
        return [
            feature
            for number, line in _lines(text)
            for feature in _checked(parse, line, f"{path}, line {number}")
        ]


def _is_gzip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _format_of(text: TextIO, path: Path) -> Optional[Callable[[str], list[Feature]]]:
    """What parses a line of a file, by its first line that is no comment; None if GenBank."""
    for line in text:
        if line.startswith("LOCUS "):
            return None
        if line.startswith("#NAME\tCHROM"):
            return _gene_table
        if _is_comment(line):
            continue
        columns, words = line.split("\t"), line.split()
        if len(columns) == 9 and columns[3].isdigit():
            return _gff
        if len(columns) >= 3 and columns[1].isdigit() and columns[2].strip().isdigit():
            return _bed
        if len(words) > 4 and words[0].isdigit() and words[2] in ("D", "C"):
            return _gembase
        break
    raise ValueError(
        f"annotation: {path} is not GFF3, GenBank, BED, GTF, a table of genes or a gembase .lst. "
        "Give one of these, plain or gzip."
    )


def _is_comment(line: str) -> bool:
    return not line.strip() or line.startswith(("#", "track ", "browser "))


def _lines(text: TextIO) -> Iterator[tuple[int, str]]:
    """Number and text of each line that holds a feature; a GFF3 file may end in FASTA."""
    for number, line in enumerate(text, 1):
        if line.startswith("##FASTA"):
            return
        if not _is_comment(line):
            yield number, line.rstrip("\r\n")


def _checked(parse: Callable[[str], list[Feature]], line: str, place: str) -> list[Feature]:
    try:
        features = parse(line)
    except (IndexError, KeyError, ValueError):
        raise ValueError(f"annotation: {place} is not complete: {line[:60]!r}. Mend it.") from None
    for feature in features:
        if not 0 <= feature.start < feature.stop:
            raise ValueError(
                f"annotation: {place}: {feature.start} to {feature.stop} (0-based, half-open) is "
                "no stretch of bases. Mend it."
            )
    return features


def _gff(line: str) -> list[Feature]:
    """GFF3 or GTF: 1-based, the last base included."""
    record, _, kind, start, stop, _, strand, _, attributes = line.split("\t")
    key = "Parent="
    if _GTF.match(attributes):
        found = _GTF_ATTRIBUTE.findall(attributes)
        attributes = ";".join(
            f"{k}={quoted.replace(';', ',') or bare}" for k, quoted, bare in found
        )
        key = "gene_id=" if kind == "transcript" else "transcript_id="
    parents = [part.strip() for part in attributes.split(";") if part.strip().startswith(key)]
    parent = parents[0].removeprefix(key) if parents else ""
    start, stop, strand = int(start) - 1, int(stop), _STRANDS.get(strand, 0)
    return [Feature(unquote(record), start, stop, strand, kind, parent, attributes)]


def _bed(line: str) -> list[Feature]:
    """BED: 0-based, half-open; name and strand are columns 4 and 6."""
    columns = line.split("\t")
    kind = columns[3] if len(columns) > 3 else "region"
    strand = _STRANDS.get(columns[5], 0) if len(columns) > 5 else 0
    return [Feature(columns[0], int(columns[1]), int(columns[2]), strand, kind)]


def _gene_table(line: str) -> list[Feature]:
    """A transcript: a gene and its exons, starts 0-based."""
    name, record, strand, start, stop, starts, stops = line.split("\t")
    strand = _STRANDS[strand]
    exons = zip(starts.strip(",").split(","), stops.strip(",").split(","), strict=True)
    return [Feature(record, int(start), int(stop), strand, "gene", "", f"Name={name}")] + [
        Feature(record, int(begin), int(end), strand, "exon", f"{record}:{name}")
        for begin, end in exons
    ]


def _gembase(line: str) -> list[Feature]:
    """Start, stop (1-based, included), D or C for the strand, type, RECORD_NUMBER, product."""
    start, stop, strand, kind, name, product = (*line.split(None, 5), "")[:6]
    record = name.rpartition("_")[0]
    product = product.replace(";", ",")
    return [
        Feature(record, int(start) - 1, int(stop), _STRANDS[strand], kind, "", f"product={product}")
    ]


def _genbank(text: TextIO, path: Path) -> list[Feature]:
    try:
        return list(_genbank_features(text))
    except Exception as error:  # Biopython raises many kinds, and asserts
        raise ValueError(f"annotation: {path} is no whole GenBank file: {error}") from None


def _genbank_features(text: TextIO) -> Iterator[Feature]:
    """GenBank; a joined location becomes a row for each part, with one parent."""
    for record in SeqIO.parse(text, "genbank"):
        for number, feature in enumerate(record.features):
            attributes = ";".join(
                f"{key}={value}" for key, values in feature.qualifiers.items() for value in values
            )
            parts = feature.location.parts if feature.location else ()
            parent = f"{record.id}:{number}" if len(parts) > 1 else ""
            for part in parts:
                start, stop, strand = int(part.start), int(part.end), part.strand or 0
                yield Feature(record.id, start, stop, strand, feature.type, parent, attributes)
