# SPDX-License-Identifier: Apache-2.0
"""A number for a map: do pairs known to depend on each other stand out at their distance?"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from modelgenerator.long_context.depmap.store import MapValues


class PairsFound(NamedTuple):
    """How known pairs rank among all pairs at the same distance.

    Attributes:
        auroc: Chance that a known pair has a larger value than another at its distance, ties
            counting half; 0.5 is guessing. The mean over pairs, each with the same weight.
        error: Standard error of `auroc`, over pairs.
        pairs: Known pairs that the map holds, in either direction, and that can be compared.
    """

    auroc: float
    error: float
    pairs: int


def rank_known_pairs(found: MapValues, pairs: Sequence[tuple[int, int]]) -> PairsFound:
    """Rank known pairs among other pairs at equal distance.

    Nearby bases depend on each other whatever they do, so a pair is compared with others as far
    apart alone. Either direction, i mutated and j read or the other way round, counts if the map
    holds it.

    Args:
        found: The map.
        pairs: Positions (i, j) of the bases of each pair.

    Raises:
        ValueError: If the map holds none of the pairs, or nothing to compare them with.
    """
    placements = placements_of(found, pairs)
    if not placements:
        raise ValueError(
            f"pairs: none of {len(pairs)} pairs can be ranked. Either the map does not hold them, "
            "or no other pair of it is as far apart. Map more rows and columns."
        )
    values = np.array(placements)
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return PairsFound(float(values.mean()), float(error), len(values))


def placements_of(found: MapValues, pairs: Sequence[tuple[int, int]]) -> list[float]:
    """For each known pair that can be ranked, the share of others at its distance it exceeds."""
    distance = np.abs(found.rows[:, None] - found.columns[None])
    finite = np.isfinite(found.values)
    row_of = {int(at): i for i, at in enumerate(found.rows)}
    column_of = {int(at): i for i, at in enumerate(found.columns)}
    entries = [
        [
            (row_of[i], column_of[j])
            for i, j in ((a, b), (b, a))
            if i in row_of and j in column_of and finite[row_of[i], column_of[j]]
        ]
        for a, b in pairs
    ]
    other = finite.copy()
    for pair in entries:
        for entry in pair:
            other[entry] = False
    placements = []
    for (a, b), pair in zip(pairs, entries, strict=True):
        rivals = found.values[other & (distance == abs(a - b))]
        if pair and len(rivals):
            values = np.array([found.values[entry] for entry in pair])
            placements.append(float(np.mean(_above(values, rivals))))
    return placements


def _above(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (values[:, None] > others).mean(axis=1) + (values[:, None] == others).mean(axis=1) / 2


def read_pairs(path: str) -> list[tuple[int, int]]:
    """Pairs of positions from a table, each once, in whichever order its positions are given.

    Args:
        path: TSV whose first two columns are the positions of a pair, 0-based, in coordinates of
            the record; a first line without numbers is a header.

    Raises:
        ValueError: If the file cannot be read as that.
    """
    pairs = []
    try:
        lines = Path(path).read_text().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise ValueError(f"pairs: {path} cannot be read ({reason}).") from None
    for number, line in enumerate(lines, 1):
        fields = line.split()
        try:
            pairs.append((int(fields[0]), int(fields[1])))
        except (IndexError, ValueError):
            header = number == 1 and not any(map(_is_number, fields))
            if line.strip() and not header:
                raise ValueError(
                    f"pairs: {path}, line {number}: two positions are needed: {line[:60]!r}"
                ) from None
    if not pairs:
        raise ValueError(f"pairs: {path} holds no pair.")
    found: dict[frozenset, tuple[int, int]] = {}
    for pair in pairs:
        found.setdefault(frozenset(pair), pair)
    return list(found.values())


def _is_number(field: str) -> bool:
    try:
        return math.isfinite(float(field))
    except ValueError:
        return False
