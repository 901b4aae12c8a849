# SPDX-License-Identifier: Apache-2.0
"""Windows of whole genomes as training and evaluation data."""

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.genome_windows import GenomeWindows

__all__ = ["Genome", "GenomeWindows"]
