# SPDX-License-Identifier: Apache-2.0
"""Benchmarks of GenerTeam (GENERator): parquet with the columns `sequence` and `label`. MIT."""

from typing import Optional

from modelgenerator.long_context.data.labelled_sequences import SequenceClasses
from modelgenerator.long_context.data.sequence_tables import Crop


class Taxonomy(SequenceClasses):
    """To which of six groups does a genomic fragment belong? Rows are some 40 kb long.

    56,100 rows, published as train and test; 5% of training validates. The owners crop on the
    right, and so does this.

    Args:
        path: Dataset on the Hugging Face hub, or a folder with a clone of it.
        window: Longest window; longer rows keep their start.
        config_name: The set: `taxonomic_classification`, or `gene_classification` (7 classes).
        n_classes: Number of classes.
    """

    def __init__(
        self,
        path: str = "GenerTeam/gener-tasks",
        window: int = 32768,
        config_name: Optional[str] = "taxonomic_classification",
        n_classes: int = 6,
        crop: Crop = "start",
        valid_split_size: float = 0.05,
        **kwargs,
    ):
        super().__init__(
            path,
            window,
            n_classes=n_classes,
            config_name=config_name,
            crop=crop,
            valid_split_size=valid_split_size,
            **kwargs,
        )
