# SPDX-License-Identifier: Apache-2.0
"""Reads intervals from BED, GFF, CSV, TSV or Parquet as 0-based, half-open rows."""

import csv
import gzip
import io
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pandas as pd

from modelgenerator.long_context.data.delimited import read_delimited

BED_COLUMNS = ["chrom", "start", "stop", "label", "score", "strand"]
GFF_COLUMNS = [
    "chrom",
    "source",
    "label",
    "start",
    "stop",
    "score",
    "strand",
    "phase",
    "attributes",
]
# Names that tables give to our columns, in lower case.
ALIASES = {
    "chromosome": "chrom", "chr": "chrom", "#chrom": "chrom", "seqid": "chrom",
    "end": "stop", "chromstart": "start", "chromend": "stop",
    "pos": "position", "subset": "split",
}  # fmt: skip
COMMENTS = ("#", "track ", "browser ")
LARGEST = 2**53  # beyond it not every whole number is a float
OURS = {"chrom", "start", "stop", "position", "strand", "split", "ref", "alt"}
TEXT = ("chrom", "strand")  # names, also where they look like numbers or like nothing: 01, 1, NA


def read_interval_table(
    path: str, one_based: bool = False, text: Sequence[str] = ()
) -> pd.DataFrame:
    """Rows of a table of intervals or points.

    Args:
        path: BED or GFF (by suffix) or CSV, TSV or Parquet with named columns, plain or gzip.
            `chrom` with `start` and `stop`, or with `position`; optionally `strand`, `split`,
            `ref`, `alt`. Usual other names for them, in either case, are understood.
        one_based: Whether positions of CSV, TSV and Parquet count from 1 and `stop` is the last
            base, as in GFF. BED counts from 0, GFF from 1, whatever is said here.
        text: Further columns to read as they stand: "NA" and "01" are names. Nothing is then
            missing but what is empty.

    Returns:
        The table with `chrom`, `start`, `stop` (0-based, half-open; equal for a position) and all
        other columns. In BED without a header the fourth column is `label`, in GFF the type.

    Raises:
        ValueError: If the file cannot be read or lacks a column.
    """
    if not Path(path).is_file():
        raise ValueError(f"table: {path} does not exist. Give an existing file.")
    suffix = Path(path.removesuffix(".gz")).suffix.lower()
    try:
        frame = _read(path, suffix, {*TEXT, *text})
    except Exception as error:  # of a damaged file each compression has errors of its own
        raise ValueError(f"table: {path} cannot be read: {error}") from None
    frame = frame.rename(columns=_name)
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(
            f"table: {path} has two columns that both mean {twice[0]}. Leave one of them out."
        )
    points = "position" in frame and "start" not in frame
    needed = ["chrom", "position"] if points else ["chrom", "start", "stop"]
    missing = [name for name in needed if name not in frame]
    if missing:
        raise ValueError(
            f"table: {path} has no column {', '.join(missing)}; it has "
            f"{', '.join(map(str, frame.columns))}. Needed are chrom, start and stop, or chrom and "
            "position."
        )
    for name in needed[1:]:
        numbers = pd.to_numeric(frame[name].astype(str), errors="coerce").astype(float)
        wrong = ~(numbers.abs() <= LARGEST) | (numbers % 1 != 0)
        if wrong.any():
            odd = frame[name][wrong].iloc[0]
            raise ValueError(f"table: {path}: {name} {odd!r} is no whole number.")
        frame[name] = numbers.astype("int64")
    from_one = {".bed": False, ".gff": True, ".gff3": True}.get(suffix, one_based)
    if points:
        position = frame["position"] - from_one
        return frame.assign(start=position, stop=position)
    frame["start"] -= from_one  # the last base, counted from 1, is the first one behind, from 0
    if (frame["stop"] < frame["start"]).any():
        row = int((frame["stop"] < frame["start"]).to_numpy().argmax())
        raise ValueError(f"table: {path}: row {row} ends before it starts.")
    return frame


def _name(name: object) -> object:
    lower = ALIASES.get(str(name).lower(), str(name).lower())
    return lower if lower in OURS else name


def _read(path: str, suffix: str, text: set[str]) -> pd.DataFrame:
    if suffix == ".parquet":
        return pd.read_parquet(path)
    if suffix not in (".bed", ".gff", ".gff3"):
        separator = "," if suffix == ".csv" else "\t"
        names = read_delimited(path, separator, nrows=0).columns
        return read_delimited(path, separator, converters=_as_they_stand(names, text))
    # pandas would cut a line at any "#", and take a quotation mark for one around several lines.
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        rows = takewhile(lambda line: not line.startswith("##FASTA"), file)  # GFF may end in it
        lines = [line for line in rows if line.strip()]
    header = suffix == ".bed" and bool(lines) and _is_header(lines[0])
    lines = lines[:1] * header + [x for x in lines[header:] if not x.startswith(COMMENTS)]
    names = GFF_COLUMNS
    if suffix == ".bed":
        given = lines[0].rstrip("\r\n").split("\t") if lines else []
        ours = [*BED_COLUMNS, *(f"column_{i + 1}" for i in range(6, len(given)))][: len(given)]
        names = given if header else ours
    return read_delimited(
        io.StringIO("".join(lines[header:])),
        "\t",
        names=names,
        converters=_as_they_stand(names, text),
        quoting=csv.QUOTE_NONE,
    )


def _as_they_stand(names: Sequence[str], text: set[str]) -> dict:
    """Converters of pandas that leave a column as it stands, "" being what is missing."""
    return {name: str for name in names if _name(name) in text}


def _is_header(line: str) -> bool:
    """A BED whose second field is no number names its columns, as BEND's do."""
    fields = line.rstrip("\n").split("\t")
    return len(fields) > 1 and not fields[1].lstrip("-").isdigit()
