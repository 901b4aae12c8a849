# SPDX-License-Identifier: Apache-2.0
"""What is asked of a table of intervals once it stands beside its genome."""

from collections.abc import Mapping, Sequence
from typing import Optional

import numpy as np
import pandas as pd

from modelgenerator.long_context.data.chromosomes import canonical
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.kept import Kept
from modelgenerator.long_context.data.table_files import SPLITS
from modelgenerator.long_context.data.vocabulary import decode

SPLIT_NAMES = {"validation": "valid", "val": "valid", "dev": "valid", "eval": "valid"}
MAX_MISMATCH = 0.01  # share of REF alleles that may differ from the genome
BASES = list("ACGT")


def assign_splits(
    frame: pd.DataFrame, held_out: Mapping[str, Optional[Sequence[str]]]
) -> pd.Series:
    """Split of each row: the table's own, and training rows of some chromosomes held out.

    Args:
        frame: Rows with `chrom` and `split`.
        held_out: Chromosomes of "valid" and of "test"; None leaves the table's split as it is.

    Raises:
        ValueError: If the table has other splits, has these itself, or no row is on a chromosome.
    """
    splits = frame["split"].replace(SPLIT_NAMES)
    unknown = set(splits) - set(SPLITS)
    if unknown:
        raise ValueError(
            f"split: {', '.join(sorted(map(str, unknown)))} is no split. Known are "
            f"{', '.join([*SPLITS, *SPLIT_NAMES])}."
        )
    chromosome = frame["chrom"].map(canonical)
    for split, names in held_out.items():
        if names is None:
            continue
        if (splits == split).any():
            raise ValueError(
                f"{split}_chromosomes: the table says itself which rows are {split}. Leave it out."
            )
        there = chromosome.isin([canonical(name) for name in names])
        if not there.any():
            raise ValueError(
                f"{split}_chromosomes: no row is on {', '.join(names)}; there are rows on "
                f"{some(frame['chrom'])}."
            )
        splits = splits.mask(there & (splits == "train"), split)
    return splits


def allele_sites(part: pd.DataFrame) -> np.ndarray:
    """Global position of each row's alleles: its `site`, or `start` where there is no such column.

    Args:
        part: Rows with `low`, the global position of their sequence's first base.
    """
    return (part["low"] + (part["site"] if "site" in part else part["start"])).to_numpy()


def check_alleles(part: pd.DataFrame, kept: Kept, genome: Genome) -> None:
    """Leave out what is no substitution of one base, and alleles that are not the genome's.

    Args:
        part: Rows with `alt`, perhaps `ref`, and what `allele_sites` needs.
        kept: Which rows are left.
        genome: The genome they should be of.

    Raises:
        ValueError: If more than 1% of REF differ from the genome, or of ALT do not.
    """
    alleles = {name: part[name].astype(str).str.upper() for name in ("ref", "alt") if name in part}
    single = np.logical_and.reduce([values.isin(BASES) for values in alleles.values()])
    kept.leave_out(~single, "that are no substitution of one base")
    rows = kept.mask
    if not rows.any():
        return
    site = allele_sites(part)[rows]
    expected = alleles.get("ref", alleles["alt"])[rows].to_numpy(str)

    def wrong(shift: int) -> np.ndarray:
        """Whether the base at the site is not REF or, where there is no REF, is ALT."""
        same = np.array([decode(genome.read(int(at) + shift, 1)) for at in site]) == expected
        return ~same if "ref" in alleles else same

    differs = wrong(0)
    if differs.mean() > MAX_MISMATCH:
        raise ValueError(
            f"{kept.name}: {differs.sum():,} of {len(differs):,} alleles ({differs.mean():.1%}) "
            f"are not what the genome says; {MAX_MISMATCH:.0%} are allowed. "
            + _why(differs.mean(), {shift: wrong(shift).mean() for shift in (-1, 1)})
        )
    all_rows = np.zeros(len(part), dtype=bool)
    all_rows[rows] = differs
    reason = "whose REF is not" if "ref" in alleles else "whose ALT is"
    kept.leave_out(all_rows, f"{reason} the genome's base")


def _why(share: float, shifted: Mapping[int, float]) -> str:
    best = min(shifted, key=shifted.get)
    if shifted[best] >= share / 4:
        return "Is it another assembly (hg19, hg38)?"
    return f"One base {'before' if best < 0 else 'behind'} they fit: positions are off by one."


def count_overlapping(rows: pd.DataFrame, train: pd.DataFrame) -> int:
    """How many windows share bases with a training window; both have `first` and `length`."""
    train = train.sort_values("first")
    reach = np.maximum.accumulate((train["first"] + train["length"]).to_numpy())
    # Of the training windows that begin before this one ends, does any end behind its start?
    last = np.searchsorted(train["first"], rows["first"] + rows["length"]) - 1
    return int(((last >= 0) & (reach[np.maximum(last, 0)] > rows["first"].to_numpy())).sum())


def some(names: Sequence[str]) -> str:
    """The first five different names, for messages."""
    names = list(dict.fromkeys(map(str, names)))
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
