# SPDX-License-Identifier: Apache-2.0
"""Windows of genomes, of tables and of benchmarks as training and evaluation data."""

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.genome_windows import GenomeWindows
from modelgenerator.long_context.data.labelled_intervals import IntervalClasses, IntervalValues
from modelgenerator.long_context.data.labelled_sequences import (
    SequenceClasses,
    SequenceMultilabels,
    SequenceTracks,
    SequenceValues,
)
from modelgenerator.long_context.data.mutants import Mutants, ReadColumns
from modelgenerator.long_context.data.variants import Variants

__all__ = [
    "Genome",
    "GenomeWindows",
    "IntervalClasses",
    "IntervalValues",
    "Mutants",
    "ReadColumns",
    "SequenceClasses",
    "SequenceMultilabels",
    "SequenceTracks",
    "SequenceValues",
    "Variants",
]
