# SPDX-License-Identifier: Apache-2.0
"""Accuracy of tasks whose answer needs far context, beside what is right by chance."""

from typing import Optional

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from modelgenerator.long_context.report.load import Results
from modelgenerator.long_context.report.pictures.base import (
    GREY,
    Picture,
    draw_lines,
    length_axis,
    limits,
    panels_by_regime,
)


def probes(results: Results) -> Optional[Picture]:
    """Accuracy against length; a row a task, a column a regime.

    Args:
        results: Of one test set.

    Returns:
        None where no result has probes.
    """
    frame = results.frame("probes")
    if frame.empty:
        return None
    panels = []
    for (task, metric), whole in frame.groupby(["task", "metric"], sort=False):
        panels += panels_by_regime(results, whole, f"{task}, {metric}".replace("_", " "), _draw)
    return Picture(
        name="probes",
        title="Tasks that need far context",
        note="Grey and dashed: the trivial baseline. Bands: one standard deviation over seeds.",
        panels=panels,
        columns=max(frame["regime"].nunique(), 2),
        legend=results.styles,
    )


def _draw(whole: pd.DataFrame, part: pd.DataFrame, results: Results, axis: Axes) -> None:
    baseline = whole.groupby("extension")["baseline"].mean()
    axis.plot(baseline.index, baseline, "--", color=GREY, lw=1.5)
    draw_lines(axis, part, results.styles, "extension")
    length_axis(axis, whole["extension"], results)
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_ylim(*limits(whole["value"], low=baseline.min(), high=baseline.max()))
