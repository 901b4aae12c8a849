# SPDX-License-Identifier: Apache-2.0
"""Long-window benchmarks of BGI (Genos): JSON lines with the fields `seq` and `label`. MIT."""

from typing import Literal, Optional

from modelgenerator.long_context.data.labelled_sequences import SequenceClasses

Size = Literal[8192, 32768, 131072]
FILES = {"train": "train.jsonl", "valid": "eval.jsonl", "test": "test.jsonl"}


class _GenosWindows(SequenceClasses):
    """Windows of one of three lengths, a folder each, with the files of `FILES`.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files. By default the hub's.
        size: Length of the windows as they were published.
        window: Longest window; longer ones are cropped. By default `size`.
    """

    hub: str
    folder: str
    published_classes: int

    def __init__(
        self,
        path: Optional[str] = None,
        size: Size = 8192,
        window: Optional[int] = None,
        valid_split_name: Optional[str] = "valid",
        **kwargs,
    ):
        super().__init__(
            path or self.hub,
            window or size,
            n_classes=self.published_classes,
            x_col="seq",
            y_col="label",
            valid_split_name=valid_split_name,
            **kwargs,
        )
        self.size = size
        for split, file in FILES.items():
            if getattr(self, f"{split}_split_files") is None:
                setattr(self, f"{split}_split_files", [f"{self.folder}_{size}/{file}"])


class VariantHotspot(_GenosWindows):
    """Is a window of the Chinese Pangenome dense in variants? Two classes, balanced.

    59,011 / 526 / 3,192 windows to train, validate and test at 8,192 nt; 14,471 / 132 / 788 at
    32,768. How the splits were separated is not known, and windows lie side by side: neighbours of
    test windows may train.
    """

    hub = "BGI-HangzhouAI/Benchmark_Dataset-variant_hotspot"
    folder = "CPC"
    published_classes = 2


class HumanPopulation(_GenosWindows):
    """From which population is a haplotype of chr9? 0 European, 1 African, 2 East Asian.

    23,172 / 2,906 / 2,916 windows at 8,192 nt, of 149 people; test windows share loci, and perhaps
    people, with training.
    """

    hub = "BGI-HangzhouAI/Benchmark_Dataset-Human_population_classification"
    folder = "Human_population_classification"
    published_classes = 3
