# SPDX-License-Identifier: Apache-2.0
"""What `fasta` and `annotation` mean: files, patterns, shipped genomes and fetched ones."""

from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import Union

from modelgenerator.long_context.genomes.manifest import known_genomes
from modelgenerator.long_context.genomes.store import path_of

GENOMES = Path(__file__).parents[1] / "assets" / "genomes"
SHIPPED = {
    "demo": GENOMES / "*.fa.gz",
    "demo_held_out": GENOMES / "held_out" / "*.fa.gz",
    "m_tuberculosis": GENOMES / "mycobacterium_tuberculosis_NC_000962.3.fa.gz",
    "c_trachomatis": GENOMES / "chlamydia_trachomatis_D_UW-3.fa.gz",
    "d_melanogaster_chr4": GENOMES / "drosophila_melanogaster_chr4_NC_004353.4.fa.gz",
    "s_cerevisiae_chr1": GENOMES / "held_out" / "saccharomyces_cerevisiae_chr1_NC_001133.9.fa.gz",
}


def resolve_fasta(argument: str, given: Union[str, Sequence[str]]) -> list[Path]:
    """Files in the order given, those of a pattern sorted.

    Args:
        argument: Name of the argument, for messages.
        given: Paths, patterns like "genomes/*.fa.gz", names in `SHIPPED` or of fetched genomes;
            "./demo" is a file.

    Raises:
        ValueError: If nothing is given, or a pattern fits no file.
    """
    given = [given] if isinstance(given, str) else list(given)
    if not given:
        raise ValueError(f"{argument}: no file is given. Give a FASTA file or a pattern.")
    return [path for one in given for path in _resolve(argument, one)]


def _resolve(argument: str, given: str) -> list[Path]:
    fetched = path_of(given) if given.isidentifier() else None
    if given in SHIPPED:
        pattern = str(SHIPPED[given])
    elif fetched is not None:
        return [fetched]
    else:
        pattern = str(Path(given).expanduser())
        if Path(pattern).exists():  # a name may hold the characters of a pattern
            return [Path(pattern)]
    found = sorted(glob(pattern, recursive=True))
    if not found:
        raise ValueError(
            f"{argument}: {given} fits no file (from {Path.cwd()}). {_remedy(argument, given)}"
        )
    return [Path(path) for path in found]


def resolve_annotation(argument: str, given: str) -> Path:
    """The file of an annotation, given as a path or the name of a fetched genome.

    Raises:
        ValueError: If there is none.
    """
    path = path_of(given, "annotation") if given.isidentifier() else None
    path = path or Path(given).expanduser()
    if not path.is_file():
        raise ValueError(
            f"{argument}: {given} is no file (from {Path.cwd()}). "
            f"{_remedy(argument, given, 'an existing GFF3, GenBank or BED file')}"
        )
    return path


def _remedy(argument: str, given: str, file: str = "an existing FASTA file, a pattern") -> str:
    if given in known_genomes():
        return f"Fetch it first: mgen-lc genomes fetch {given}"
    shipped = f", or one of {', '.join(SHIPPED)}" if "FASTA" in file else ""
    return f"Give {file}{shipped}, or the name of a genome in `mgen-lc genomes list`."
