# SPDX-License-Identifier: Apache-2.0
"""Long-window benchmarks of BGI (Genos): JSON lines with the fields `seq` and `label`. MIT."""

from typing import Literal, Optional

from modelgenerator.long_context.data.labelled_sequences import SequenceClasses

Size = Literal[8192, 32768, 131072]


FILES = {"train": "train.jsonl", "valid": "eval.jsonl", "test": "test.jsonl"}


def _published(data: SequenceClasses, folder: str) -> None:
    """The files of a folder, for the splits that no files were given for."""
    for split, file in FILES.items():
        if getattr(data, f"{split}_split_files") is None:
            setattr(data, f"{split}_split_files", [f"{folder}/{file}"])


class VariantHotspot(SequenceClasses):
    """Is a window of the Chinese Pangenome dense in variants? Two classes, balanced.

    59,011 / 526 / 3,192 windows to train, validate and test at 8,192 nt; 14,471 / 132 / 788 at
    32,768. How the splits were separated is not known, and windows lie side by side: neighbours of
    test windows may train.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files.
        size: Length of the windows as they were published.
        window: Longest window; longer ones are cropped. By default `size`.
    """

    def __init__(
        self,
        path: str = "BGI-HangzhouAI/Benchmark_Dataset-variant_hotspot",
        size: Size = 8192,
        window: Optional[int] = None,
        valid_split_name: Optional[str] = "valid",
        **kwargs,
    ):
        super().__init__(
            path,
            window or size,
            n_classes=2,
            x_col="seq",
            y_col="label",
            valid_split_name=valid_split_name,
            **kwargs,
        )
        self.size = size
        _published(self, f"CPC_{size}")


class HumanPopulation(SequenceClasses):
    """From which population is a haplotype of chr9? 0 European, 1 African, 2 East Asian.

    23,172 / 2,906 / 2,916 windows at 8,192 nt, of 149 people; test windows share loci, and perhaps
    people, with training.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with its files.
        size: Length of the windows as they were published.
        window: Longest window; longer ones are cropped. By default `size`.
    """

    def __init__(
        self,
        path: str = "BGI-HangzhouAI/Benchmark_Dataset-Human_population_classification",
        size: Size = 8192,
        window: Optional[int] = None,
        valid_split_name: Optional[str] = "valid",
        **kwargs,
    ):
        super().__init__(
            path,
            window or size,
            n_classes=3,
            x_col="seq",
            y_col="label",
            valid_split_name=valid_split_name,
            **kwargs,
        )
        self.size = size
        _published(self, f"Human_population_classification_{size}")
