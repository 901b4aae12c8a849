# SPDX-License-Identifier: Apache-2.0
"""The nine tasks of the Genomics Long-Range Benchmark of InstaDeep, cut to windows of any length.

The owners' loading script no longer runs (`datasets` 4 runs none); this reads their tables itself.
Positions count from 1. Windows are placed as that script does.
"""

import json
from collections.abc import Sequence
from typing import List, Literal, NamedTuple, Optional, Union

import numpy as np
import pandas as pd
import torch

from modelgenerator.long_context.data.benchmarks.files import dataset_file
from modelgenerator.long_context.data.interval_windows import Intervals, IntervalWindows

HUB = "InstaDeepAI/genomics-long-range-benchmark"
CAGE_BIN = 128
CAGE_BINS = 896
CAGE_SHARD = 1000  # windows in a file of targets
CAGE_ROWS = {"train": 33_891, "valid": 2_195, "test": 1_922}


class Layout(NamedTuple):
    """How a task's table is laid out.

    Attributes:
        file: The table.
        assembly: The genome of its coordinates.
        label: Its column with the label.
        start: Column with the position, or the first base.
        stop: Column with the last base, None for a position.
        subset: Whether a smaller table is published beside it.
    """

    file: str
    assembly: str
    label: Optional[str]
    start: str = "POS"
    stop: Optional[str] = None
    subset: bool = False


TASKS = {
    "variant_effect_causal_eqtl": Layout(
        "variant_effect_causal_eqtl/All_Tissues.csv", "hg38", "label"
    ),
    "variant_effect_pathogenic_clinvar": Layout(
        "variant_effect_pathogenic/vep_pathogenic_coding.csv", "hg38", "INT_LABEL"
    ),
    "variant_effect_pathogenic_omim": Layout(
        "variant_effect_pathogenic/vep_pathogenic_non_coding.csv", "hg38", "INT_LABEL", subset=True
    ),
    "cage_prediction": Layout(
        "cage_prediction/sequences_coordinates.csv", "hg38", None, "start", "stop"
    ),
    "bulk_rna_expression": Layout(
        "bulk_rna_expression/gene_coordinates.csv", "hg19", None, "CAGE_representative_TSS"
    ),
    "chromatin_features_histone_marks": Layout(
        "chromatin_features/histones_and_dnase.csv", "hg19", "HISTONES", subset=True
    ),
    "chromatin_features_dna_accessibility": Layout(
        "chromatin_features/histones_and_dnase.csv", "hg19", "DNASE", subset=True
    ),
    "regulatory_element_promoter": Layout(
        "regulatory_elements/promoter_dataset.csv", "hg38", "label", "START", "STOP", subset=True
    ),
    "regulatory_element_enhancer": Layout(
        "regulatory_elements/enhancer_dataset.csv", "hg38", "label", "START", "STOP", subset=True
    ),
}
Task = Literal[
    "variant_effect_causal_eqtl",
    "variant_effect_pathogenic_clinvar",
    "variant_effect_pathogenic_omim",
    "cage_prediction",
    "bulk_rna_expression",
    "chromatin_features_histone_marks",
    "chromatin_features_dna_accessibility",
    "regulatory_element_promoter",
    "regulatory_element_enhancer",
]


class CageTargets(Sequence):
    """Targets of CAGE windows, read from their archives when asked for.

    Args:
        path: Folder with the dataset's files, or its name on the hub.
        splits: Split of each row, as in the names of the files.
        numbers: Number of each row's window within its split.
        bins: Bins in the middle that are kept.
    """

    def __init__(self, path: str, splits: Sequence[str], numbers: np.ndarray, bins: int):
        self.path = path
        self.splits = list(splits)
        self.numbers = numbers
        self.bins = bins

    def __len__(self) -> int:
        return len(self.splits)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Targets of row `index`, float32 [bins, tracks]."""
        split, number = self.splits[index], int(self.numbers[index])
        first = number // CAGE_SHARD * CAGE_SHARD
        last = min(first + CAGE_SHARD, CAGE_ROWS[split]) - 1
        name = f"cage_prediction/targets_subset/targets-{split}-{first}-{last}.npz"
        with np.load(dataset_file(self.path, name)) as archive:
            targets = archive[f"target-{split}-{number}.npy"][0]
        skipped = (CAGE_BINS - self.bins) // 2
        return torch.from_numpy(targets[skipped : skipped + self.bins].astype(np.float32))


class LongRangeBenchmark(IntervalWindows):
    """One of the nine tasks of the Genomics Long-Range Benchmark, in windows of any length.

    Note:
        The labels: eQTL, ClinVar and OMIM are pairs (`pair_ids` has the alternative allele, in the
        middle) with 0 or 1; promoter and enhancer 0 or 1; histone marks and accessibility a list of
        0 and 1; bulk RNA 218 numbers, standardised as published; CAGE 50 numbers for each bin of
        128 nt. The tables have no validation split but for CAGE: give `valid_chromosomes`.
        OMIM only tests. Window and coordinates are hg19's for bulk RNA, histone marks and
        accessibility, and hg38's for the others. Licence of the data: CC BY-NC-SA 4.0.

    Args:
        task: The task.
        fasta: hg38 or hg19, as the task needs: FASTA files or patterns, plain or compressed.
        path: Dataset on the Hugging Face hub, or a folder with its files.
        window: Length of the windows, in nucleotides. For CAGE at most 114,688 and a multiple of
            256; for chromatin features at least 200.
        subset: Whether to read the smaller table published beside OMIM, histone marks,
            accessibility, promoters and enhancers.
    """

    def __init__(
        self,
        task: Task,
        fasta: Union[str, List[str]],
        path: str = HUB,
        window: int = 64_000,
        subset: bool = False,
        **kwargs,
    ):
        super().__init__(fasta, window, **kwargs)
        self.task = task
        self.path = path
        self.subset = subset
        self.layout = TASKS[task]
        self.assembly = self.layout.assembly
        if subset and not self.layout.subset:
            raise ValueError(f"subset: true, but none is published for {task}. Leave it out.")
        if task == "cage_prediction" and (window > CAGE_BINS * CAGE_BIN or window % 256):
            raise ValueError(
                f"window: {window}; for cage_prediction give a multiple of 256, at most "
                f"{CAGE_BINS * CAGE_BIN:,}, such as 65536: as many bins are cropped on either side."
            )

    @property
    def provided_columns(self) -> List[str]:
        """As of other intervals; variant tasks also have `pair_ids`."""
        pairs = ["pair_ids"] if self.task.startswith("variant_effect") else []
        return [*super().provided_columns, *pairs]

    def read_intervals(self) -> Intervals:
        """The task's table."""
        layout = self.layout
        name = layout.file.replace(".csv", "_subset.csv") if self.subset else layout.file
        file = dataset_file(self.path, name)
        table = pd.read_csv(file, dtype={"CHROM": str, "chrom": str}, low_memory=False)
        chrom = "chrom" if "chrom" in table else "CHROM"
        variants = self.task.startswith("variant_effect")
        needed = [chrom, layout.start, layout.stop, layout.label, "ALT" if variants else None]
        needed += {"cage_prediction": ["npy_idx"], "bulk_rna_expression": ["strand"]}.get(
            self.task, []
        )
        needed += [] if self.task == "variant_effect_pathogenic_omim" else ["split"]
        missing = [name for name in needed if name is not None and name not in table]
        if missing:
            raise ValueError(
                f"{file} has no column {', '.join(missing)}; it has {', '.join(table.columns)}. Is "
                f"it the file of {self.task}?"
            )
        start = table[layout.start] - 1
        frame = pd.DataFrame(
            {
                "chrom": table[chrom],
                "start": start,
                "stop": start if layout.stop is None else table[layout.stop] - 1,  # as the script
                "split": table["split"] if "split" in table else "test",
            }
        )
        if variants:
            frame["alt"] = table["ALT"]
            if "REF" in table:
                frame["ref"] = table["REF"]
        if self.task == "bulk_rna_expression":
            frame["strand"] = table["strand"]
        labels, missing = self._labels(table)
        return Intervals(frame, labels, missing)

    def _labels(self, table: pd.DataFrame) -> tuple[Sequence, np.ndarray]:
        if self.task == "cage_prediction":
            splits = table["split"].replace({"validation": "valid"})
            bins = self.window // CAGE_BIN
            labels = CageTargets(self.path, splits, table["npy_idx"].to_numpy(), bins)
            return labels, np.zeros(len(table), dtype=bool)
        if self.task == "bulk_rna_expression":
            values = pd.read_csv(
                dataset_file(self.path, "bulk_rna_expression/rna_expression_values.csv")
            )
            if len(values) != len(table):
                raise ValueError(
                    f"rna_expression_values.csv has {len(values):,} rows and gene_coordinates.csv "
                    f"{len(table):,}; they belong together row by row. Fetch both again."
                )
            values = values.to_numpy(dtype=np.float32)
            return values, ~np.isfinite(values).all(axis=1)
        column = table[self.layout.label]
        if self.layout.label in ("HISTONES", "DNASE"):
            lists = [json.loads(text) if isinstance(text, str) else None for text in column]
            width = max((len(one) for one in lists if one), default=0)
            missing = np.array([one is None or len(one) != width for one in lists], dtype=bool)
            rows = [[0] * width if gone else one for one, gone in zip(lists, missing, strict=True)]
            return np.array(rows, dtype=np.int64).reshape(len(lists), width), missing
        numbers = pd.to_numeric(column, errors="coerce")
        odd = numbers[numbers.notna() & ~numbers.isin([0, 1])]
        if len(odd):
            raise ValueError(f"{self.layout.label}: label {odd.iloc[0]:g}; 0 and 1 are allowed.")
        return numbers.fillna(0).to_numpy().astype(np.int64), numbers.isna().to_numpy()
