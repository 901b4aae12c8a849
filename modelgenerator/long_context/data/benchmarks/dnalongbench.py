# SPDX-License-Identifier: Apache-2.0
"""Pairs of DNALongBench that fit into 64,000 nt: a gene with an enhancer, or with a variant.

wenduocheng/DNALongBench; code BSD-3-Clause. Its tracks are in `transcription_initiation`; contact
maps need 1,048,576 nt at once.
"""

from typing import List, Optional, Union

import numpy as np
import pandas as pd

from modelgenerator.long_context.data.chromosomes import canonical
from modelgenerator.long_context.data.interval_table import read_interval_table
from modelgenerator.long_context.data.interval_windows import (
    IntervalRows,
    Intervals,
    IntervalWindows,
)
from modelgenerator.long_context.data.kept import Kept

TSS_FLANK = 3000  # nt on either side of the start of transcription
REGION_FLANK = 500  # nt on either side of the tested region
NEEDED = (
    "gene_chrom", "gene_start", "gene_end", "gene_strand",
    "region_chrom", "region_start", "region_end", "target", "subset",
)  # fmt: skip


class _RegionAndGene(IntervalWindows):
    """A window from beyond a tested region to beyond a gene's start of transcription; 0 or 1.

    From 500 nt beyond the region to 3,000 nt beyond the start of transcription, read so that the
    gene's start comes first, as the owners do. Rows that need more than `window` are left out and
    counted.
    """

    needed = NEEDED
    config: str  # the owners' file that names the table

    def __init__(self, table: str, fasta: Union[str, List[str]], window: int = 64_000, **kwargs):
        super().__init__(fasta, window, **kwargs)
        self.table = table

    @property
    def masked(self) -> Optional[str]:
        """BED of stretches that are read as N where they lie between region and gene."""
        return None

    def read_intervals(self) -> Intervals:
        """Pairs as the interval that both need."""
        try:
            table = pd.read_csv(self.table, sep="\t")
        except (OSError, ValueError) as error:
            raise ValueError(
                f"table: {self.table} cannot be read ({error}). It is the tab-separated table that "
                f"{self.config} of the dataset names."
            ) from None
        missing = [name for name in self.needed if name not in table]
        if missing:
            raise ValueError(
                f"table: {self.table} has no column {', '.join(missing)}; it has "
                f"{', '.join(table.columns)}."
            )
        forward = table["gene_strand"] == "+"
        tss = np.where(forward, table["gene_start"], table["gene_end"] - 1)
        first = np.minimum(tss - TSS_FLANK, table["region_start"] - REGION_FLANK)
        last = np.maximum(tss + 1 + TSS_FLANK, table["region_end"] + REGION_FLANK)
        frame = pd.DataFrame(
            {
                "chrom": table["gene_chrom"].astype(str),
                "start": first,
                "stop": last,
                "split": table["subset"],
                # Turned around where the gene lies behind the region.
                "strand": np.where(
                    table["gene_start"] > table["region_end"] + REGION_FLANK, "-", "+"
                ),
                "apart": table["gene_chrom"] != table["region_chrom"],
                "no_strand": ~table["gene_strand"].isin(["+", "-"]),
                "between_first": np.minimum(
                    tss + 1 + TSS_FLANK, table["region_end"] + REGION_FLANK
                ),
                "between_last": np.maximum(tss - TSS_FLANK, table["region_start"] - REGION_FLANK),
            }
        )
        frame = frame.assign(**self.alleles(table))
        labels = table["target"].map({"positive": 1, "negative": 0, 1: 1, 0: 0})
        return Intervals(frame, labels.fillna(0).to_numpy(np.int64), labels.isna().to_numpy())

    def alleles(self, table: pd.DataFrame) -> dict[str, pd.Series]:
        """`ref`, `alt` and `site` of each row, where it is a variant."""
        return {}

    def window_of(self, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The interval itself."""
        return start, stop - start

    def leave_out(self, part: pd.DataFrame, kept: Kept) -> None:
        """Leave out pairs that cannot be in one window."""
        kept.leave_out(part["apart"], "with region and gene on different chromosomes")
        kept.leave_out(part["no_strand"], "whose gene has no strand")
        kept.leave_out(part["length"] > self.window, f"that need more than {self.window:,} nt")

    def _rows(self, frame: pd.DataFrame, *others) -> IntervalRows:
        rows = super()._rows(frame, *others)
        if self.masked is not None:
            rows.hidden = self._between(frame.loc[rows.index])
        return rows

    def _between(self, frame: pd.DataFrame) -> dict[int, np.ndarray]:
        """What of `masked` lies between region and gene, in global positions, of each row."""
        table = read_interval_table(self.masked)
        known = table.groupby(table["chrom"].astype(str).map(canonical))
        stretches = {name: part[["start", "stop"]].to_numpy() for name, part in known}
        hidden = {}
        for index, row in frame.iterrows():
            there = stretches.get(canonical(row["chrom"]), np.zeros((0, 2), dtype=np.int64))
            meets = (there[:, 0] < row["between_last"]) & (there[:, 1] > row["between_first"])
            inside = (there[:, 0] > row["start"]) & (there[:, 1] < row["stop"])
            if row["between_last"] > row["between_first"]:
                hidden[int(index)] = there[meets & inside] + row["low"]
        return hidden


class EnhancerTargetGene(_RegionAndGene):
    """Does an enhancer regulate a gene (CRISPRi, K562)? A window spans both; 0 or 1. hg19.

    From 500 nt beyond the tested region to 3,000 nt beyond the start of transcription, read so that
    the gene's start comes first, as the owners do. Rows that need more than `window` are left out
    and counted; of 2,602 with 450,000 nt most do at 64,000.

    Args:
        table: The owners' tab-separated table of pairs.
        fasta: hg19: FASTA files or patterns, plain or compressed.
        window: Longest window, in nucleotides; shorter ones are padded, and padding is masked.
        enhancers: BED of other enhancers; those between region and gene are read as N, as the
            owners do.
    """

    assembly = "hg19"
    config = "config/CRISPRi_EPI_K562_hg19.config"

    def __init__(
        self,
        table: str,
        fasta: Union[str, List[str]],
        window: int = 64_000,
        enhancers: Optional[str] = None,
        **kwargs,
    ):
        super().__init__(table, fasta, window, **kwargs)
        self.enhancers = enhancers

    @property
    def masked(self) -> Optional[str]:
        """Other enhancers."""
        return self.enhancers


class VariantTargetGene(_RegionAndGene):
    """Does a variant change a gene's expression (eQTL of GTEx)? A window spans both; 0 or 1. hg38.

    A pair of windows, with either allele (`pair_ids` has `allele2`), placed as those of
    `EnhancerTargetGene`. Variants that are no substitution of one base are left out and counted:
    both windows must have the same positions. The owners take insertions and deletions as well.

    Args:
        table: The owners' tab-separated table of pairs of one tissue.
        fasta: hg38: FASTA files or patterns, plain or compressed.
        window: Longest window, in nucleotides; shorter ones are padded, and padding is masked.
        variants: BED of other eQTLs; those between variant and gene are read as N, as the owners
            do.
    """

    assembly = "hg38"
    config = "config/gtex_hg38.TISSUE.config"
    needed = (*NEEDED, "allele1", "allele2")

    def __init__(
        self,
        table: str,
        fasta: Union[str, List[str]],
        window: int = 64_000,
        variants: Optional[str] = None,
        **kwargs,
    ):
        super().__init__(table, fasta, window, **kwargs)
        self.variants = variants

    @property
    def masked(self) -> Optional[str]:
        """Other eQTLs."""
        return self.variants

    @property
    def provided_columns(self) -> List[str]:
        """As of other intervals, and `pair_ids`, the window with the other allele."""
        return [*super().provided_columns, "pair_ids"]

    def alleles(self, table: pd.DataFrame) -> dict[str, pd.Series]:
        """`allele1` is what the genome has at `region_start`, which counts from 0."""
        return {"ref": table["allele1"], "alt": table["allele2"], "site": table["region_start"]}
