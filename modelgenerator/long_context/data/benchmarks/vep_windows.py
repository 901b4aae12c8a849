# SPDX-License-Identifier: Apache-2.0
"""Variants with both windows in the table: TraitGym, BRCA2, and others of the same columns.

With a genome of one's own, any window length and zero-shot scores, see `data.Variants`.
"""

from typing import List, Literal, Optional

import datasets
import numpy as np
import pandas as pd
from lightning.pytorch.utilities import rank_zero_warn

from modelgenerator.long_context.data.collate import with_special_tokens
from modelgenerator.long_context.data.kept import Kept
from modelgenerator.long_context.data.labelled_sequences import SequenceClasses
from modelgenerator.long_context.data.sequence_tables import SequenceRows, column
from modelgenerator.long_context.data.vocabulary import encode

# Dataset on the hub, and the file in it.
SETS = {
    "traitgym_mendelian": ("HuggingFaceBio/traitgym", "mendelian_traits_vep.parquet"),
    "traitgym_complex": ("HuggingFaceBio/traitgym", "complex_traits_vep.parquet"),
    "brca2": ("HuggingFaceBio/brca2-vep", "*.parquet"),
}
WIDTH = 8192  # of the windows in the tables; the variant is at WIDTH // 2
HARMFUL = {"LOF": 1, "FUNC/INT": 0, "FUNC": 0, "INT": 0}


class AlleleRows(SequenceRows):
    """Rows with the reference's window and the alternative's."""

    def _example(self, ids: np.ndarray, row: dict, part: slice, index: int, name: str) -> dict:
        out = super()._example(ids, row, part, index, name)
        return {**out, "pair_ids": with_special_tokens(encode(row["var_seq"][part].encode()))}


class VariantPairs(SequenceClasses):
    """Windows of 8,192 nt with either allele in the middle; 1 is causal or loss of function.

    Shorter windows are cropped from the middle, so that the variant stays there. The sets have one
    split, a benchmark for zero-shot scores; to train on one, chromosomes are split here.

    Args:
        name: The set.
        path: Dataset on the Hugging Face hub, or a folder with its file. By default that of `name`.
        window: Length of the windows, at most 8,192.
        test_chromosomes: Variants on these test.
        valid_chromosomes: Variants on these validate. All others train.
    """

    rows = AlleleRows

    def __init__(
        self,
        name: Literal["traitgym_mendelian", "traitgym_complex", "brca2"] = "traitgym_mendelian",
        path: Optional[str] = None,
        window: int = WIDTH,
        test_chromosomes: Optional[List[str]] = None,
        valid_chromosomes: Optional[List[str]] = None,
        test_split_name: Optional[str] = None,
        **kwargs,
    ):
        hub, file = SETS[name]
        if window > WIDTH:
            raise ValueError(
                f"window: {window}; the tables hold {WIDTH:,} nt about a variant. Give at most so "
                "many, or a genome: see data.Variants."
            )
        super().__init__(
            path or hub,
            window,
            x_col="ref_seq",
            y_col="class",
            test_split_name=test_split_name,
            **kwargs,
        )
        self.train_split_files = self.train_split_files or [file]
        self.name = name
        self.test_chromosomes = test_chromosomes
        self.valid_chromosomes = valid_chromosomes

    @property
    def label_columns(self) -> List[str]:
        """The class, and what checks that the two windows differ where they should."""
        return ["class", "var_seq", "chrom", "ref", "alt"]

    @property
    def provided_columns(self) -> List[str]:
        """As of other tables, and `pair_ids`, the window with the alternative allele."""
        return [*super().provided_columns, "pair_ids"]

    def load_and_split_dataset(self, **kwargs) -> tuple:
        """Chromosomes to each split."""
        table, _, _ = self.load_dataset(**kwargs)
        self.check_columns("train", table)
        chromosomes = column(table, "chrom").astype(str).str.removeprefix("chr")
        asked = {
            "valid": [name.removeprefix("chr") for name in self.valid_chromosomes or ()],
            "test": [name.removeprefix("chr") for name in self.test_chromosomes or ()],
        }
        for split, names in asked.items():
            unknown = set(names) - set(chromosomes)
            if unknown:
                raise ValueError(
                    f"{split}_chromosomes: no variant is on {', '.join(sorted(unknown))}; "
                    f"there are variants on {', '.join(sorted(set(chromosomes)))}."
                )
        valid, test = chromosomes.isin(asked["valid"]), chromosomes.isin(asked["test"])
        if not asked["test"]:
            test = ~valid  # a benchmark as it is: nothing trains
        masks = (~valid & ~test, valid & ~test, test)
        return tuple(table.select(np.flatnonzero(mask)) for mask in masks)

    def read_labels(self, table: datasets.Dataset, kept: Kept) -> np.ndarray:
        """1 for harmful variants; leaves out rows whose windows are not those of their alleles."""
        if not len(table):
            return np.zeros(0, dtype=np.int64)
        frame = table.select_columns(["class", "ref_seq", "var_seq", "ref", "alt"]).to_pandas()
        letters = ["ref_seq", "var_seq", "ref", "alt"]
        frame[letters] = frame[letters].fillna("")  # of no length, so it is left out
        labels = frame["class"].map(HARMFUL)
        unknown = frame["class"][labels.isna() & frame["class"].notna()]
        if len(unknown):
            known = ", ".join(HARMFUL)
            raise ValueError(f"{kept.name}: class {unknown.iloc[0]!r}; known are {known}.")
        kept.leave_out(labels.isna().to_numpy(), "without a class")
        snv = (frame["ref"].str.len() == 1) & (frame["alt"].str.len() == 1)
        kept.leave_out(~snv.to_numpy(), "that are no substitution of one base")
        kept.leave_out(_lengths(frame) != WIDTH, f"whose windows are not {WIDTH:,} nt long")
        middle = slice(WIDTH // 2, WIDTH // 2 + 1)
        differs = np.array(
            [
                (a[middle].upper(), b[middle].upper()) != (x.upper(), y.upper())
                for a, b, x, y in frame[letters].itertuples(index=False)
            ]
        )
        share = differs[kept.mask].mean() if kept.mask.any() else 0.0
        if share > 0:
            rank_zero_warn(
                f"{kept.name}: {share:.1%} of windows do not have REF and ALT in the middle."
            )
        kept.leave_out(differs, "without REF and ALT in the middle of their windows")
        return labels.fillna(0).to_numpy().astype(np.int64)


def _lengths(frame: pd.DataFrame) -> np.ndarray:
    """Length of both windows; 0 where they differ."""
    first, second = frame["ref_seq"].str.len(), frame["var_seq"].str.len()
    return np.where(first == second, first, 0)
