# SPDX-License-Identifier: Apache-2.0
"""Reads variants from VCF or a table and finds them in a genome; what is left out is counted."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Optional

import fsspec
import numpy as np
import pandas as pd

from modelgenerator.long_context.data.chromosomes import find_records
from modelgenerator.long_context.data.delimited import read_delimited
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.interval_table import LARGEST
from modelgenerator.long_context.data.vocabulary import decode

READERS = {
    # As text, or a chromosome 1 becomes 1.0 where another row has none.
    ".csv": lambda path: read_delimited(path, ",", dtype=str),
    ".tsv": lambda path: read_delimited(path, "\t", dtype=str),
    ".txt": lambda path: read_delimited(path, "\t", dtype=str),
    ".parquet": pd.read_parquet,
    ".jsonl": lambda path: _read_json_lines(path),
    ".vcf": lambda path: _read_vcf(path),
}
COMPRESSED = (".gz", ".bgz", ".bz2", ".xz", ".zst")
REQUIRED = ("chrom", "pos", "ref", "alt")
VCF_COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT"]
SHIFTED = 0.95  # share of REF alleles found one base off that tells a counting from 0


def read_variants(
    path: str,
    label: str = "label",
    positive: Optional[Sequence[str]] = None,
    negative: Optional[Sequence[str]] = None,
) -> tuple[pd.DataFrame, Counter]:
    """Variants of a file, one row for each alternative allele.

    Args:
        path: VCF, CSV, TSV, Parquet or JSON lines, by its suffix, compressed or not; or any address
            that pandas reads, such as hf://datasets/NAME/FILE.parquet. Columns `chrom`, `pos`
            (1-based), `ref` and `alt` in either case.
        label: Column, or INFO key of a VCF, with the label. `label` itself may be missing.
        positive: Values of `label` that count as 1, e.g. Pathogenic. By default labels are 0 and 1.
        negative: Values that count as 0; rows with neither are left out.

    Returns:
        Columns `chrom`, `pos`, `ref`, `alt`, and `label` (0 or 1) if there are labels; how many
        rows were left out for which reason.

    Raises:
        ValueError: If the file cannot be read, or lacks a column, or holds other labels.
    """
    frame = _read(path).rename(columns=lambda name: _canonical_column(str(name)))
    missing = [name for name in REQUIRED if name not in frame]
    if missing:
        raise ValueError(
            f"variants: {path} has no column {', '.join(missing)}; it has "
            f"{', '.join(map(str, frame.columns))}. Needed are {', '.join(REQUIRED)}."
        )
    twice = [name for name in REQUIRED if (frame.columns == name).sum() > 1]
    if twice:
        raise ValueError(
            f"variants: {path} has two columns {twice[0]}, in upper and lower case. Leave one out."
        )
    left_out: Counter = Counter()
    labels = _labels(frame, path, label, positive, negative)
    frame = frame[list(REQUIRED)].astype({"chrom": str, "ref": str, "alt": str})
    if labels is not None:
        left_out["neither positive nor negative"] = int(labels.isna().sum())
        frame = frame.assign(label=labels)[labels.notna()].astype({"label": int})
    pos = pd.to_numeric(frame["pos"].astype(str), errors="coerce").astype(float)
    frame["pos"] = pos.where((pos.abs() <= LARGEST) & (pos % 1 == 0))
    left_out["no position"] = int(frame["pos"].isna().sum())
    frame = frame.dropna(subset="pos").astype({"pos": int})
    frame = frame.assign(
        ref=frame["ref"].str.upper(), alt=frame["alt"].str.upper().str.split(",")
    ).explode("alt", ignore_index=True)
    substitution = (
        frame["ref"].str.fullmatch("[ACGT]+")
        & frame["alt"].str.fullmatch("[ACGT]+")
        & (frame["ref"].str.len() == frame["alt"].str.len())
        & (frame["ref"] != frame["alt"])
    )
    left_out["no substitution (indel, symbolic or missing allele)"] = int((~substitution).sum())
    return frame[substitution].reset_index(drop=True), left_out


def place_variants(
    frame: pd.DataFrame, genome: Genome, longest: int, max_mismatch: float
) -> tuple[pd.DataFrame, Counter]:
    """Variants with their place in a genome.

    Args:
        frame: From `read_variants`.
        genome: The reference; `chr1` and `1`, `chrM` and `MT` are taken for the same.
        longest: Longest window; variants of sequences shorter than that are left out.
        max_mismatch: Largest share of variants whose REF is not what the genome says.

    Returns:
        `frame` without the variants left out, with `start` (global position of the first base) and
        `low`, `high` (where its sequence begins and ends); how many were left out, and why.

    Raises:
        ValueError: If more REF alleles than `max_mismatch` differ, or if no variant is left.
    """
    left_out: Counter = Counter()
    index = frame["chrom"].map(find_records(genome, frame["chrom"]))
    left_out["sequence not in the genome"] = int((index < 0).sum())
    unknown = sorted(set(frame["chrom"][index < 0]))
    frame, index = frame[index >= 0], index[index >= 0].to_numpy(dtype=int)
    low, high = genome.offsets[index], genome.offsets[index + 1]
    start = low + frame["pos"].to_numpy() - 1
    inside = (start >= low) & (start + frame["ref"].str.len().to_numpy() <= high)
    left_out["beyond the end of its sequence"] = int((~inside).sum())
    long_enough = high - low >= longest
    left_out[f"sequence shorter than {longest:,}"] = int((inside & ~long_enough).sum())
    keep = inside & long_enough
    frame = frame[keep].assign(start=start[keep], low=low[keep], high=high[keep])
    if frame.empty:
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in left_out.items() if n)
        raise ValueError(
            f"variants: none can be placed in the genome ({reasons or 'the file holds none'}; "
            f"sequences not found: {', '.join(unknown[:5]) or 'none'}; the genome has "
            f"{', '.join(genome.names[:5])}). Give the FASTA the variants were called on."
        )
    differs = ~_found(frame, genome, 0)
    if differs.mean() > max_mismatch:
        raise ValueError(
            f"variants: {differs.sum():,} of {len(frame):,} REF alleles ({differs.mean():.1%}) are "
            f"not what the genome says, {max_mismatch:.1%} are allowed (max_mismatch). "
            + _why(frame, genome)
        )
    left_out["REF is not what the genome says"] = int(differs.sum())
    return frame[~differs].reset_index(drop=True), left_out


def _read(path: str) -> pd.DataFrame:
    name = Path(path).name
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    reader = READERS.get(Path(name).suffix.lower())
    if reader is None:
        raise ValueError(
            f"variants: {path} has an unknown suffix. Allowed are {', '.join(READERS)}, and each "
            f"with {', '.join(COMPRESSED)}."
        )
    if "://" not in path and not Path(path).is_file():
        raise ValueError(f"variants: {path} does not exist. Give an existing file.")
    try:
        return reader(path)
    except Exception as error:  # of a damaged file each compression has errors of its own
        raise ValueError(f"variants: {path} cannot be read: {error}") from None


def _read_vcf(path: str) -> pd.DataFrame:
    """Columns of a VCF, from the line that begins with #CHROM."""
    compression = _compression(path)
    with fsspec.open(path, "rt", compression=compression) as lines:
        header = sum(1 for _ in takewhile(lambda line: line.startswith("##"), lines))
    options = {"skiprows": header, "dtype": str, "compression": compression}
    frame = read_delimited(path, "\t", quoting=csv.QUOTE_NONE, **options)
    if list(frame.columns[:5]) != VCF_COLUMNS:
        raise ValueError(f"no line begins with {', '.join(VCF_COLUMNS)}, separated by tabs.")
    return frame


def _read_json_lines(path: str) -> pd.DataFrame:
    """An object a line; pandas would join two halves of one."""
    rows = []
    with fsspec.open(path, "rt", compression=_compression(path), encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no object with names: {line[:60]!r}")
            rows.append(row)
    return pd.DataFrame(rows)


def _compression(path: str) -> str:
    return "gzip" if path.endswith(".bgz") else "infer"


def _canonical_column(name: str) -> str:
    lower = name.lstrip("#").lower()
    return lower if lower in REQUIRED else name


def _labels(
    frame: pd.DataFrame,
    path: str,
    label: str,
    positive: Optional[Sequence[str]],
    negative: Optional[Sequence[str]],
) -> Optional[pd.Series]:
    """0, 1 or NaN (neither) for each row; None if there are no labels."""
    if label in frame:
        values = frame[label]
    elif "INFO" in frame:
        key = rf"(?:^|;){re.escape(label)}=([^;]*)"
        values = frame["INFO"].astype(str).str.extract(key, expand=False)
        values = None if values.isna().all() else values
    else:
        values = None
    if values is None:
        if label == "label" and positive is None:
            return None
        raise ValueError(
            f"variants: {path} has no column or INFO key {label!r}; it has "
            f"{', '.join(map(str, frame.columns))}. Give its name as `label`."
        )
    if (positive is None) != (negative is None):
        raise ValueError("positive, negative: give both, or neither where labels are 0 and 1.")
    text = values.astype(str).str.strip()
    known = {"1": 1, "0": 0, "1.0": 1, "0.0": 0, "True": 1, "False": 0}
    if positive is not None:
        known = {**{value: 0 for value in negative}, **{value: 1 for value in positive}}
        return text.map(known)
    labels = text.map(known)
    if labels.isna().any():
        odd = ", ".join(sorted(set(text[labels.isna()]))[:5])
        raise ValueError(
            f"variants: {path} has labels other than 0 and 1 ({odd}). Say which count, e.g. "
            "positive: [Pathogenic], negative: [Benign]."
        )
    return labels


def _found(frame: pd.DataFrame, genome: Genome, shift: int) -> np.ndarray:
    """Whether REF stands in the genome so many bases from where the table says, bool [rows]."""
    return np.array(
        [
            start + shift >= 0 and decode(genome.read(start + shift, len(ref))) == ref
            for start, ref in zip(frame["start"], frame["ref"], strict=True)
        ]
    )


def _why(frame: pd.DataFrame, genome: Genome) -> str:
    sample = frame.sample(min(len(frame), 1000), random_state=0)
    if _found(sample, genome, 1).mean() > SHIFTED:
        return "One base further on they fit: `pos` counts from 0 there, and must count from 1."
    return "Is it another assembly (hg19, hg38)?"
