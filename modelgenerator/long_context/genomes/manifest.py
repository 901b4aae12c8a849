# SPDX-License-Identifier: Apache-2.0
"""The genomes that can be fetched: what each is, where it comes from, and its checksum."""

import csv
import difflib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

SETS = ("ci", "dev", "large")  # each holds the ones before it
MANIFEST = Path(__file__).with_name("manifest.tsv")


class File(NamedTuple):
    """A file of a genome: its sequence or its annotation, a row of `manifest.tsv`.

    Attributes:
        name: Name of the genome, what `fasta` and `annotation` take.
        kind: "sequence" or "annotation".
        set: The smallest of `SETS` it is in.
        organism: Species, strain and part.
        accession: Of the sequence.
        bases: Length of the sequence; 0 for an annotation.
        licence: Of the package. Sequence records themselves are free of restrictions by the
            archives they come from.
        registry: "pypi" or "debian".
        package: Name of the package.
        version: Its version.
        form: "wheel", "sdist" or "deb".
        member: Path of the file in the package.
        bytes: Size of the file.
        sha256: Its checksum.
    """

    name: str
    kind: str
    set: str
    organism: str
    accession: str
    bases: int
    licence: str
    registry: str
    package: str
    version: str
    form: str
    member: str
    bytes: int
    sha256: str


@lru_cache
def known_genomes() -> dict[str, tuple[File, ...]]:
    """The files of each genome, by name."""
    with MANIFEST.open(newline="") as rows:
        files = [
            File(**{**row, "bases": int(row["bases"] or 0), "bytes": int(row["bytes"])})
            for row in csv.DictReader(rows, delimiter="\t")
        ]
    return {f.name: tuple(other for other in files if other.name == f.name) for f in files}


def names_in_set(name: str) -> list[str]:
    """Genomes of a set and of the smaller ones."""
    sets = SETS[: SETS.index(name) + 1]
    return [genome for genome, files in known_genomes().items() if files[0].set in sets]


def expand(names: Sequence[str]) -> list[str]:
    """Names of genomes from names of genomes and sets, each once.

    Raises:
        ValueError: If a name is neither.
    """
    found: dict[str, None] = {}
    for name in names:
        if name in SETS:
            found.update(dict.fromkeys(names_in_set(name)))
        elif name in known_genomes():
            found[name] = None
        else:
            near = difflib.get_close_matches(name, [*known_genomes(), *SETS], n=1)
            raise ValueError(
                f"No genome is named {name!r}."
                + (f" Did you mean {near[0]!r}?" if near else "")
                + " `mgen-lc genomes list` shows all; for another give --source FILE_OR_URL."
            )
    return list(found)
