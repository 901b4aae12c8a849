# SPDX-License-Identifier: Apache-2.0
"""How well scores rank positives above negatives, and how well that is known."""

import math
from typing import NamedTuple, Optional

import numpy as np


class Auroc(NamedTuple):
    """Area under the ROC curve.

    Attributes:
        value: Chance that a positive scores above a negative, ties counting half.
        error: Standard error of `value`; None with fewer than two positives or negatives.
    """

    value: float
    error: Optional[float]


def auroc(labels: np.ndarray, scores: np.ndarray) -> Auroc:
    """Area under the ROC curve with DeLong's standard error.

    A positive's placement is the share of negatives below it, a negative's the share of positives
    above; the area is the mean of either, and their variances give its own (DeLong et al. 1988).

    Args:
        labels: 0 or 1 [n]; both occur.
        scores: Higher for what is thought positive [n].
    """
    positives, negatives = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    assert min(len(positives), len(negatives)) > 0
    above = _placements(positives, negatives)
    below = 1 - _placements(negatives, positives)
    if min(len(positives), len(negatives)) < 2:
        return Auroc(float(above.mean()), None)
    variance = above.var(ddof=1) / len(positives) + below.var(ddof=1) / len(negatives)
    return Auroc(float(above.mean()), math.sqrt(variance))


def _placements(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Share of the sorted `others` below each score, ties counting half."""
    left = np.searchsorted(others, scores, side="left")
    right = np.searchsorted(others, scores, side="right")
    return (left + right) / (2 * len(others))
