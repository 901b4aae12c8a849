# SPDX-License-Identifier: Apache-2.0
"""How sure the difference of two methods is, when both were scored on the same bases."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap


class Interval(NamedTuple):
    """A value with its confidence interval; the ends are NaN where too little was measured."""

    value: float
    low: float
    high: float


def paired_difference(
    first: np.ndarray,
    second: np.ndarray,
    bases: np.ndarray,
    transform: Callable[[np.ndarray], np.ndarray],
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Difference of two methods, first minus second, by a paired bootstrap over segments.

    Segments of the windows are drawn with replacement, the same ones for both methods and all
    training seeds, so that what makes a segment hard for everyone cancels. Percentile interval
    (Efron and Tibshirani 1993, chapter 13). It says how much the choice of windows matters;
    training seeds are averaged, their spread is a matter apart. Segments count as independent,
    which those of one window, sharing their context, are not quite.

    Args:
        first: A sum over the scored bases of each segment, for each training seed [seeds, n].
        second: The same for the other method [seeds, n]; as many seeds or not.
        bases: Scored bases in each segment [n].
        transform: From mean per base to what is compared: `np.exp` from negative log-likelihood to
            perplexity, `np.asarray` for shares.
        confidence: Share of intervals that hold the true difference.
        resamples: How often segments are drawn.
        seed: Decides the draws.

    Raises:
        ValueError: If the sums are not of as many segments as `bases`, or no base was scored.
    """
    first, second, bases = np.atleast_2d(first), np.atleast_2d(second), np.asarray(bases)
    if not first.shape[1] == second.shape[1] == len(bases):
        raise ValueError(
            f"Sums of {first.shape[1]} and {second.shape[1]} segments do not pair with "
            f"{len(bases)} segments of bases: compare results of the same windows."
        )
    scored = bases > 0
    if not scored.any():
        raise ValueError("bases: none was scored in any segment, so there is nothing to compare.")
    samples = [*first[:, scored], *second[:, scored], bases[scored]]

    def difference(*drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        *sums, counts = (sample.sum(axis) for sample in drawn)
        values = [transform(total / counts) for total in sums]
        return np.mean(values[: len(first)], axis=0) - np.mean(values[len(first) :], axis=0)

    value = float(difference(*samples))
    if scored.sum() < 2:
        return Interval(value, np.nan, np.nan)
    interval = bootstrap(
        samples,
        difference,
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        random_state=seed,
    ).confidence_interval
    return Interval(value, float(interval.low), float(interval.high))
