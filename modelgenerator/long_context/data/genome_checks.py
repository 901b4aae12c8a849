# SPDX-License-Identifier: Apache-2.0
"""Checks of genomes once they are open: long enough, and no sequence twice."""

import warnings
from collections import Counter

import numpy as np

from modelgenerator.long_context.data.genome import Genome


def check_long_enough(argument: str, genome: Genome, window: int) -> None:
    """Refuse a genome that holds no window.

    Raises:
        ValueError: If no record is as long as `window`.
    """
    longest = int(np.diff(genome.offsets).max())
    if longest < window:
        raise ValueError(
            f"{argument}: no sequence is as long as the longest window, {window:,} bases; the "
            f"longest has {longest:,}. Give longer sequences, or lower window and lengths."
        )


def warn_repeated(genome: Genome, window: int) -> None:
    """Say so when one sequence stands under several names: it could train and test at once."""
    found = Counter(_digests(genome, window).values())
    repeated = [name for name, digest in _digests(genome, window).items() if found[digest] > 1]
    if repeated:
        warnings.warn(
            f"fasta: the records {', '.join(repeated[:5])} hold sequences that occur more than "
            "once, so that the same bases can train and test. Leave the repeated ones out.",
            stacklevel=2,
        )


def check_apart(genome: Genome, test_genome: Genome, window: int) -> None:
    """Refuse to test on sequences that also train.

    Raises:
        ValueError: If a record that holds a window is in both genomes.
    """
    digests = set(_digests(genome, window).values())
    for name, digest in _digests(test_genome, window).items():
        if digest in digests:
            raise ValueError(
                f"test_fasta: the sequence of {name} is also in fasta, so it would train and test. "
                "Leave it out of one of them."
            )


def _digests(genome: Genome, window: int) -> dict[str, str]:
    long_enough = np.diff(genome.offsets) >= window
    return {n: d for n, d, ok in zip(genome.names, genome.digests, long_enough, strict=True) if ok}
