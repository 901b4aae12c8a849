# SPDX-License-Identifier: Apache-2.0
"""How far two maps of one sequence agree."""

from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from modelgenerator.long_context.depmap.store import MapValues

TOP = 0.01  # share of the values that are the strongest


class Agreement(NamedTuple):
    """How far two maps agree.

    Attributes:
        rank_correlation: Spearman's, over all values that both hold.
        top_overlap: Share of the strongest hundredth of one that is also in the other's.
        values: How many values were compared.
    """

    rank_correlation: float
    top_overlap: float
    values: int


def common(one: MapValues, other: MapValues) -> tuple[MapValues, MapValues]:
    """Both maps on the rows and columns that both have.

    Their regions may differ, as where one has more context, if they overlap.

    Raises:
        ValueError: If they are of different sequences, or have no row or column in common.
    """
    record, other_record = one.about["record"], other.about["record"]
    if record != other_record or _overlap(one, other) != _overlap(other, one):
        raise ValueError(
            f"The maps cannot be compared: one is of {record}, the other of {other_record}, or "
            "their sequences differ. Give maps of one sequence."
        )
    if one.about.get("block", 1) != other.about.get("block", 1):
        raise ValueError("The maps cannot be compared: their rows are blocks of different sizes.")
    rows = np.intersect1d(one.rows, other.rows)
    columns = np.intersect1d(one.columns, other.columns)
    if not len(rows) or not len(columns):
        raise ValueError("The maps cannot be compared: they have no row or no column in common.")
    return _part(one, rows, columns), _part(other, rows, columns)


def _part(found: MapValues, rows: np.ndarray, columns: np.ndarray) -> MapValues:
    at = np.ix_(np.searchsorted(found.rows, rows), np.searchsorted(found.columns, columns))
    return found._replace(rows=rows, columns=columns, values=found.values[at])


def _overlap(found: MapValues, other: MapValues) -> str:
    """The sequence of a map where another has one as well."""
    start = found.about["start"]
    low, high = max(start, other.about["start"]), min(found.about["stop"], other.about["stop"])
    return found.about["sequence"][low - start : max(low, high) - start]


def agreement(one: MapValues, other: MapValues) -> Agreement:
    """Rank correlation and overlap of the strongest values of two maps of one sequence."""
    one, other = common(one, other)
    both = np.isfinite(one.values) & np.isfinite(other.values)
    a, b = one.values[both], other.values[both]
    k = max(1, round(TOP * len(a)))
    top_a, top_b = (set(np.argpartition(values, -k)[-k:].tolist()) for values in (a, b))
    correlation = float(spearmanr(a, b).statistic) if len(a) > 1 else float("nan")
    return Agreement(correlation, len(top_a & top_b) / k, len(a))
