# SPDX-License-Identifier: Apache-2.0
"""Chromosomes of a table found in a genome, whatever both call them, and which assembly it is."""

from collections import Counter
from collections.abc import Iterable
from typing import Optional

from modelgenerator.long_context.data.genome import Genome

# Lengths that tell the two human assemblies apart (UCSC hg19 = GRCh37, hg38 = GRCh38).
LENGTHS = {
    "hg19": {
        "1": 249_250_621, "2": 243_199_373, "20": 63_025_520, "21": 48_129_895,
        "22": 51_304_566, "X": 155_270_560,
    },
    "hg38": {
        "1": 248_956_422, "2": 242_193_529, "20": 64_444_167, "21": 46_709_983,
        "22": 50_818_468, "X": 156_040_895,
    },
}  # fmt: skip


def canonical(name: str) -> str:
    """A chromosome's name without its prefix: chr1 and 1 are 1, chrM and MT are MT."""
    name = name[3:] if name.lower().startswith("chr") else name
    return "MT" if name == "M" else name


def find_records(genome: Genome, names: Iterable[str]) -> dict[str, int]:
    """Index of the genome's record for each name, -1 where it has none.

    A record of just that name wins; else chr1 and 1 are the same if no other record is called so.
    """
    exact = {name: i for i, name in enumerate(genome.names)}
    counts = Counter(map(canonical, genome.names))
    alike = {canonical(name): i for name, i in exact.items() if counts[canonical(name)] == 1}
    return {name: exact.get(name, alike.get(canonical(name), -1)) for name in set(names)}


def assembly_of(genome: Genome) -> Optional[str]:
    """Which human assembly a genome's chromosomes have the lengths of; None if neither or both."""
    sizes = (genome.offsets[1:] - genome.offsets[:-1]).tolist()
    lengths = dict(zip(map(canonical, genome.names), sizes, strict=True))
    fits = {
        name
        for name, known in LENGTHS.items()
        if any(lengths.get(chromosome) == length for chromosome, length in known.items())
    }
    return fits.pop() if len(fits) == 1 else None
