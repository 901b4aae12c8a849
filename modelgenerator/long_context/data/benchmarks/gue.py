# SPDX-License-Identifier: Apache-2.0
"""The long sets of GUE+ (DNABERT-2): CSV with the columns `sequence` and `label`."""

from typing import Literal, Optional

from modelgenerator.long_context.data.labelled_sequences import SequenceClasses

CLASSES = {
    "fungi_species_20": 20,
    "virus_species_40": 40,
    "EPI_GM12878": 2,
    "EPI_HeLa-S3": 2,
    "EPI_HUVEC": 2,
    "EPI_IMR90": 2,
    "EPI_K562": 2,
    "EPI_NHEK": 2,
}
Name = Literal[
    "fungi_species_20",
    "virus_species_40",
    "EPI_GM12878",
    "EPI_HeLa-S3",
    "EPI_HUVEC",
    "EPI_IMR90",
    "EPI_K562",
    "EPI_NHEK",
]


class GUELong(SequenceClasses):
    """Species of fungi (5 kb, 20) and viruses (10 kb, 40), or enhancer and promoter pairs (5 kb).

    Of a pair the two sequences are one behind the other. Upstream's GUEClassification reads the
    same files as strings.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with a clone of it.
        name: The set.
        window: Longest window, in nucleotides; longer sequences are cropped.
    """

    def __init__(
        self,
        path: str = "leannmlindsey/GUE",
        name: Name = "virus_species_40",
        window: int = 10_000,
        valid_split_name: Optional[str] = "dev",
        **kwargs,
    ):
        super().__init__(
            path,
            window,
            n_classes=CLASSES[name],
            config_name=name,
            valid_split_name=valid_split_name,
            **kwargs,
        )
        self.name = name
