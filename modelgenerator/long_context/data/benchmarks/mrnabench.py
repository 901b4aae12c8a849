# SPDX-License-Identifier: Apache-2.0
"""mRNABench: whole transcripts in parquet, with the columns `sequence`, `target` and `gene`.

Isoforms of a gene are nearly alike, and there are no published splits in the files: rows of a gene
are kept together here. The benchmark's own splits also keep homologous genes together.
"""

from typing import Literal, Optional

from modelgenerator.long_context.data.labelled_sequences import (
    SequenceMultilabels,
    SequenceValues,
)
from modelgenerator.long_context.data.sequence_tables import SequenceTable

# Dataset on the hub, and the file in it.
VALUES = {
    "half_life_human": ("morrislab/rnahl-saluki-human", "rnahl-saluki-human.parquet"),
    "half_life_mouse": ("morrislab/rnahl-saluki-mouse", "rnahl-saluki-mouse.parquet"),
    "ribosome_load": ("morrislab/mrl-sugimoto", "mrl-sugimoto.parquet"),
    "translation_efficiency_human": ("morrislab/translation-efficiency-human", "te_human.parquet"),
}
LABELS = {
    "go_molecular_function": ("morrislab/go-mf", "go_dna_dataset_mf.parquet"),
    "protein_localization": ("morrislab/protein-localization", "protein-localization.parquet"),
}


class _Transcripts(SequenceTable):
    """One file with all rows, split by gene; mixed into either kind of labels."""

    sets: dict

    def __init__(
        self,
        name: str,
        path: Optional[str] = None,
        window: int = 12_288,
        y_col: str = "target",
        group_col: Optional[str] = "gene",
        test_split_name: Optional[str] = None,
        **kwargs,
    ):
        hub, file = self.sets[name]
        super().__init__(
            path or hub,
            window,
            y_col=y_col,
            group_col=group_col,
            test_split_name=test_split_name,
            **kwargs,
        )
        self.name = name
        self.train_split_files = self.train_split_files or [file]


class TranscriptValues(_Transcripts, SequenceValues):
    """A number for a transcript: half-life (Saluki), ribosome load or translation efficiency.

    Args:
        name: The set.
        path: Dataset on the Hugging Face hub, or a folder with its file. By default that of `name`.
        window: Longest window, in nucleotides; longer transcripts are cropped.
        y_col: Column with the numbers.
    """

    sets = VALUES

    def __init__(
        self,
        name: Literal[
            "half_life_human", "half_life_mouse", "ribosome_load", "translation_efficiency_human"
        ] = "half_life_human",
        **kwargs,
    ):
        super().__init__(name, **kwargs)


class TranscriptLabels(_Transcripts, SequenceMultilabels):
    """Several yes or no for a transcript: molecular functions (GO), or where its protein is found.

    Args:
        name: The set.
        path: Dataset on the Hugging Face hub, or a folder with its file. By default that of `name`.
        window: Longest window, in nucleotides; longer transcripts are cropped.
        y_col: Column with the labels.
    """

    sets = LABELS

    def __init__(
        self,
        name: Literal["go_molecular_function", "protein_localization"] = "go_molecular_function",
        **kwargs,
    ):
        super().__init__(name, **kwargs)
