# SPDX-License-Identifier: Apache-2.0
"""Reads FASTA, plain or gzip or bgzip, in pieces of bounded size; refuses what is not nucleotides.

Biopython's parser does the parsing. What is added here: files are recognised by content, a
chromosome comes in pieces instead of whole, and a bad file is refused with a message that says
what it seems to be.
"""

import gzip
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from Bio.SeqIO.FastaIO import SimpleFastaParser
from tqdm import tqdm

PIECE = 1 << 20  # letters
PROGRESS_FROM = 30 << 20  # bytes of file; smaller ones are done within about a second

_CONTINUED = "\0continued"  # a file that has it is refused as binary
_COMPRESSED = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
# The empty block that ends every whole bgzip file (SAM specification, section 4.1.2).
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_NOT_FASTA = {"@": "FASTQ", "LOCUS": "GenBank", "ID  ": "EMBL", "##": "GFF or VCF"}

_BASES = "ACGTUN"
# IUPAC codes for several bases, a gap, and the X of programs that mask repeats.
AMBIGUOUS = "RYSWKMBDHVX-"
_KNOWN = np.zeros(256, dtype=bool)
_KNOWN[list((_BASES + AMBIGUOUS + (_BASES + AMBIGUOUS).lower()).encode())] = True
_PROTEIN_ONLY = set("EFIJLOPQZ*")


class Piece(NamedTuple):
    """Letters of a record, in order; a record comes as one piece or several.

    Attributes:
        name: First word after ">" for the first piece of a record, None for those that go on.
        letters: ASCII codes, uint8 [n], of IUPAC nucleotides in either case.
    """

    name: str | None
    letters: np.ndarray


def read_fasta(path: Path, progress: bool = True) -> Iterator[Piece]:
    """Stream the records of a FASTA file.

    Args:
        path: A file, plain or gzip or bgzip, whatever its suffix.
        progress: Whether to show a bar for a large file.

    Raises:
        ValueError: If the file is missing, empty, damaged, or not nucleotides in FASTA.
    """
    _check_file(path)
    size = path.stat().st_size
    name = ""
    with (
        open(path, "rb") as raw,
        io.TextIOWrapper(_decompressed(raw), "utf-8-sig", errors="replace") as text,
        tqdm(
            desc=f"Indexing {path.name}",
            total=size,
            unit="B",
            unit_scale=True,
            disable=not progress or size < PROGRESS_FROM,
        ) as bar,
    ):
        for title, sequence in SimpleFastaParser(_in_pieces(_lines(text, path))):
            starts = title != _CONTINUED
            if starts:
                name = _name(title, path)
            letters = np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)
            _check_letters(letters, name, path)
            bar.update(raw.tell() - bar.n)
            yield Piece(name if starts else None, letters)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise ValueError(f"fasta: {path} does not exist. Give an existing file or a pattern.")
    if not path.is_file():
        raise ValueError(f"fasta: {path} is not a file. For a folder give a pattern: {path}/*.fa")
    if not os.access(path, os.R_OK):
        raise ValueError(f"fasta: {path} cannot be read. Change its permissions.")
    with open(path, "rb") as raw:
        head = raw.read(16)
        for magic, kind in _COMPRESSED.items():
            if head.startswith(magic):
                raise ValueError(
                    f"fasta: {path} is compressed with {kind}; plain, gzip and bgzip are read. "
                    "Decompress it first."
                )
        if head[:2] == b"\x1f\x8b" and head[3:4] == b"\x04" and head[12:14] == b"BC":
            raw.seek(-min(path.stat().st_size, len(_BGZIP_END)), os.SEEK_END)
            if raw.read() != _BGZIP_END:
                raise _damaged(path, "its bgzip end-of-file block is missing")


def _damaged(path: Path, reason: str) -> ValueError:
    return ValueError(
        f"fasta: {path} is truncated or damaged: {reason}. Fetch or compress it again."
    )


def _binary(path: Path) -> ValueError:
    return ValueError(f"fasta: {path} is binary, not FASTA. Give FASTA text, plain or gzip.")


def _decompressed(raw: io.BufferedReader) -> BinaryIO:
    """The file itself, or what is inside if its first bytes say gzip; bgzip is gzip in blocks."""
    return gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == b"\x1f\x8b" else raw


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """Lines of text, an endless line in pieces, after a look at how they begin."""
    try:
        line = text.readline(PIECE)
        while line.isspace():
            line = text.readline(PIECE)
        _check_head(line, path)
        while line:
            if line.startswith(f">{_CONTINUED}"):
                raise _binary(path)
            yield line
            line = text.readline(PIECE)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, str(error)) from None


def _check_head(line: str, path: Path) -> None:
    """Refuse a file whose first line with any text is not a FASTA header."""
    if not line:
        raise ValueError(f"fasta: {path} is empty. Give a file with sequences.")
    if "\0" in line:
        raise _binary(path)
    if not line.startswith(">"):
        kind = next((k for sign, k in _NOT_FASTA.items() if line.startswith(sign)), "text")
        raise ValueError(
            f"fasta: {path} is not FASTA: it begins with {line[:20].rstrip()!r} ({kind}) where "
            "a line like '>name' belongs. Convert it to FASTA."
        )


def _in_pieces(lines: Iterable[str]) -> Iterator[str]:
    """Cut long records by a header of our own.

    SimpleFastaParser holds the record it is in as strings: gigabytes for a large chromosome.
    """
    length = 0
    for line in lines:
        if line.startswith(">"):
            length = 0
        elif length >= PIECE:
            yield f">{_CONTINUED}\n"
            length = 0
        length += len(line)
        yield line


def _name(title: str, path: Path) -> str:
    words = title.split(maxsplit=1)
    if not words:
        raise ValueError(f"fasta: {path} has a record without a name: '>' alone. Name it.")
    return words[0]


def _check_letters(letters: np.ndarray, name: str, path: Path) -> None:
    known = _KNOWN[letters]
    if known.all():
        return
    odd = chr(letters[np.argmin(known)])
    if odd.upper() in _PROTEIN_ONLY:
        seems = "looks like protein: " + repr(odd) + " is an amino acid, not a nucleotide"
    else:
        seems = f"holds {odd!r}, which is no nucleotide"
    raise ValueError(
        f"fasta: {path}, record {name!r} {seems}. "
        f"Allowed are {_BASES}, the codes {AMBIGUOUS}, and lower case."
    )
