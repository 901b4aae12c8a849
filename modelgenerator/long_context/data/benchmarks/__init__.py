# SPDX-License-Identifier: Apache-2.0
"""Public benchmarks with windows of 4,000 to 64,000 nt, a file for each family."""

from modelgenerator.long_context.data.benchmarks.bend import Bend
from modelgenerator.long_context.data.benchmarks.bgi import HumanPopulation, VariantHotspot
from modelgenerator.long_context.data.benchmarks.dnalongbench import (
    EnhancerTargetGene,
    VariantTargetGene,
)
from modelgenerator.long_context.data.benchmarks.generteam import Taxonomy
from modelgenerator.long_context.data.benchmarks.genomic_niah import GenomicNIAH
from modelgenerator.long_context.data.benchmarks.gue import GUELong
from modelgenerator.long_context.data.benchmarks.long_range_benchmark import LongRangeBenchmark
from modelgenerator.long_context.data.benchmarks.mrnabench import (
    TranscriptLabels,
    TranscriptValues,
)
from modelgenerator.long_context.data.benchmarks.transcription_initiation import (
    TranscriptionInitiation,
)
from modelgenerator.long_context.data.benchmarks.vep_windows import VariantPairs

__all__ = [
    "Bend",
    "EnhancerTargetGene",
    "GUELong",
    "GenomicNIAH",
    "HumanPopulation",
    "LongRangeBenchmark",
    "Taxonomy",
    "TranscriptLabels",
    "TranscriptValues",
    "TranscriptionInitiation",
    "VariantHotspot",
    "VariantPairs",
    "VariantTargetGene",
]
