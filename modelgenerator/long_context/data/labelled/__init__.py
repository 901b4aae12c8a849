# SPDX-License-Identifier: Apache-2.0
"""Tasks on long DNA whose labels come from the genome itself or from its annotation."""

from modelgenerator.long_context.data.labelled.annotated import (
    AnnotatedNucleotides,
    AnnotatedWindows,
)
from modelgenerator.long_context.data.labelled.natural_copies import NaturalCopies
from modelgenerator.long_context.data.labelled.replication_strand import ReplicationStrand
from modelgenerator.long_context.data.labelled.soft_masked import SoftMasked
from modelgenerator.long_context.data.labelled.species import Species
from modelgenerator.long_context.data.labelled.splice_sites import SpliceSites

__all__ = [
    "AnnotatedNucleotides",
    "AnnotatedWindows",
    "NaturalCopies",
    "ReplicationStrand",
    "SoftMasked",
    "Species",
    "SpliceSites",
]
