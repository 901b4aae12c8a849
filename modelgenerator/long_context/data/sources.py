# SPDX-License-Identifier: Apache-2.0
"""What a `fasta` argument means: files, patterns, and the genomes that come with the package."""

from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import Union

GENOMES = Path(__file__).parents[1] / "assets" / "genomes"
SHIPPED = {"demo": GENOMES, "demo_held_out": GENOMES / "held_out"}


def resolve_fasta(argument: str, given: Union[str, Sequence[str]]) -> list[Path]:
    """Files in the order given, those of a pattern sorted.

    Args:
        argument: Name of the argument, for messages.
        given: Paths, patterns like "genomes/*.fa.gz", or names in `SHIPPED`; "./demo" is a file.

    Raises:
        ValueError: If nothing is given, or a pattern fits no file.
    """
    given = [given] if isinstance(given, str) else list(given)
    if not given:
        raise ValueError(f"{argument}: no file is given. Give a FASTA file or a pattern.")
    return [path for one in given for path in _resolve(argument, one)]


def _resolve(argument: str, given: str) -> list[Path]:
    if given in SHIPPED:
        pattern = str(SHIPPED[given] / "*.fa.gz")
    else:
        pattern = str(Path(given).expanduser())
        if Path(pattern).exists():  # a name may hold the characters of a pattern
            return [Path(pattern)]
    found = sorted(glob(pattern, recursive=True))
    if not found:
        raise ValueError(
            f"{argument}: {given} fits no file (from {Path.cwd()}). Give an existing FASTA file, a "
            f"pattern that fits some, or one of {', '.join(SHIPPED)}."
        )
    return [Path(path) for path in found]
