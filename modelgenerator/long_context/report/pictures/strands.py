# SPDX-License-Identifier: Apache-2.0
"""Whether the model says the same of both strands, against length."""

from functools import partial
from typing import Optional

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from modelgenerator.long_context.report.load import Results
from modelgenerator.long_context.report.pictures.base import (
    Picture,
    draw_lines,
    length_axis,
    limits,
    panels_by_regime,
)

MEASURES = {"agreement": "Same likeliest base", "divergence": "Divergence of strands, nats"}


def strands(results: Results) -> Optional[Picture]:
    """Agreement and divergence of the two strands' predictions; a column a regime.

    Args:
        results: Of one test set.

    Returns:
        None where no result has them.
    """
    frame = results.frame("reverse_complement")
    if frame.empty:
        return None
    panels = []
    for measure, words in MEASURES.items():
        panels += panels_by_regime(results, frame, words, partial(_draw, measure))
    return Picture(
        name="reverse_complement",
        title="Consistency of the two strands",
        note=(
            "Masked bases predicted from either strand: how often the likeliest base is the same "
            "(more is better), and the symmetric Kullback-Leibler divergence (less is better)."
        ),
        panels=panels,
        columns=max(frame["regime"].nunique(), 2),
        legend=results.styles,
    )


def _draw(
    measure: str, whole: pd.DataFrame, part: pd.DataFrame, results: Results, axis: Axes
) -> None:
    draw_lines(axis, part, results.styles, "extension", measure)
    length_axis(axis, whole["extension"], results)
    axis.set_ylim(*limits(whole[measure]))
    if measure == "agreement":
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
