# SPDX-License-Identifier: Apache-2.0
"""Means and spreads over training seeds, and what differences between methods are worth."""

from typing import NamedTuple, Optional

import numpy as np
import pandas as pd

from modelgenerator.long_context.evaluation.bootstrap import Interval, paired_difference
from modelgenerator.long_context.report.load import Results

GROUP = ["regime", "label", "length", "extension"]

LOWER_IS_BETTER = ("perplexity", "copy_perplexity")

# What differences are of: metric -> (test set of its segments, their sums, sum to metric).
COMPARED = {
    "perplexity": ("natural", "nll", np.exp),
    "recall": ("copies", "hits", np.asarray),
}


class Difference(NamedTuple):
    """A method minus another one, on the same bases.

    Attributes:
        interval: The difference with its 95% bootstrap interval over segments.
        spread: The larger standard deviation over seeds of the two; NaN with one seed each.
    """

    interval: Interval
    spread: float

    @property
    def within_spread(self) -> bool:
        """Whether seeds of one method differ by as much as the two methods do."""
        return bool(abs(self.interval.value) <= self.spread)


def over_seeds(frame: pd.DataFrame, columns: list[str], group: list[str]) -> pd.DataFrame:
    """Mean and standard deviation (n - 1) over seeds.

    Args:
        frame: A part of `Results.frame`.
        columns: What to summarise.
        group: Columns that say what belongs together, beside the seed.

    Returns:
        Columns of `group`, `<column>` and `<column>_spread` (NaN with one seed), and `seeds`.
    """
    grouped = frame.groupby(group, sort=False, dropna=False)
    out = grouped[columns].mean()
    for column in columns:
        out[f"{column}_spread"] = grouped[column].std()
    out["seeds"] = grouped["seed"].nunique()
    return out.reset_index()


def best_label(means: pd.DataFrame, metric: str) -> str:
    """The label with the best mean of a metric.

    Args:
        means: One row a label, from `over_seeds` of `value`.
        metric: Decides whether more or less is better.
    """
    ordered = means.sort_values("value", ascending=metric in LOWER_IS_BETTER, kind="stable")
    return ordered["label"].iloc[0]


def baseline_label(results: Results, name: Optional[str] = None) -> Optional[str]:
    """What methods are compared to: `name`, or else plain RoPE; None where there is no plain RoPE.

    Raises:
        ValueError: If no result is called `name`.
    """
    if name is not None:
        if name not in results.labels:
            raise ValueError(
                f"baseline: no result is called {name!r}. Known: {', '.join(results.labels)}."
            )
        return name
    plain = (r["cell"]["label"] for r in results.finished if r["method"] == "rope")
    return next(plain, None)


def difference(
    results: Results, regime: str, metric: str, length: int, one: str, other: str
) -> Optional[Difference]:
    """How much more of a metric one label has than another, at a length and in a regime.

    Args:
        results: Of one test set.
        regime: Both labels' regime.
        metric: A key of `COMPARED`.
        length: Window length, nucleotides.
        one: The label of which the other one is taken off.
        other: The other label.

    Returns:
        None where one of them was not measured, was not finite, or was without segments.
    """
    kind, sums, transform = COMPARED[metric]
    found = {
        label: [
            segments
            for result in results.finished
            if result["cell"]["regime"] == regime and result["cell"]["label"] == label
            for segments in result.get("segments", ())
            if segments["kind"] == kind and segments["length"] == length
        ]
        for label in (one, other)
    }
    if not (found[one] and found[other]):
        return None
    bases = np.array(found[one][0]["bases"])
    if not bases.any():
        return None
    first, second = (
        np.array([s[sums] for s in found[label]], dtype=float) for label in (one, other)
    )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):  # a file holds null for them
        return None
    values = [transform(part.sum(1) / bases.sum()) for part in (first, second)]
    spreads = [np.std(seeds, ddof=1) for seeds in values if len(seeds) > 1]
    interval = paired_difference(first, second, bases, transform)
    return Difference(interval, max(spreads, default=np.nan))
