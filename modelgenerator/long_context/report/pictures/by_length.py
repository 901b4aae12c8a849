# SPDX-License-Identifier: Apache-2.0
"""Perplexity and recall against the length of the window."""

from collections.abc import Iterable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter, PercentFormatter

from modelgenerator.long_context.report.load import Results
from modelgenerator.long_context.report.pictures.base import (
    Picture,
    draw_lines,
    length_axis,
    limits,
    panels_by_regime,
)
from modelgenerator.long_context.report.table import BLOWN_UP

TITLES = {
    "perplexity": "Perplexity of natural bases",
    "copy_perplexity": "Perplexity of copied bases",
    "recall_direct": "Recall of direct copies",
    "recall_reverse_complement": "Recall, reverse complement",
}
LOG_FROM = 4.0  # largest over smallest value


def by_length(results: Results, metrics: Iterable[str] = tuple(TITLES)) -> Picture:
    """Masked perplexity, and recall of planted copies, at every length; a column a regime.

    Args:
        results: Of one test set.
        metrics: Which of `TITLES` are shown, a row each.
    """
    frame = results.frame()
    frame = frame[frame["metric"].isin(list(metrics))]
    frame = frame.assign(value=frame["value"].clip(upper=BLOWN_UP))
    panels = []
    for metric in metrics:
        part = frame[frame["metric"] == metric]
        panels += panels_by_regime(results, part, TITLES[metric], _draw)
    regimes = frame["regime"].nunique()
    return Picture(
        name="by_length",
        title="Perplexity and recall by length",
        note=(
            "Dotted line: the original context; shaded: beyond the factor that most methods were "
            "set up for. Perplexity: less is better, guessing is 4. Recall: more is better. Bands: "
            "one standard deviation over seeds. Perplexities above 100 are drawn at 100."
        ),
        panels=panels,
        columns=regimes if regimes > 1 else 2,
        legend=results.styles,
    )


def _draw(whole: pd.DataFrame, part: pd.DataFrame, results: Results, axis: Axes) -> None:
    draw_lines(axis, part, results.styles, "extension")
    length_axis(axis, whole["extension"], results)
    if "recall" in whole["metric"].iloc[0]:
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
        axis.set_ylim(0, 1)
    elif whole["value"].max() > LOG_FROM * whole["value"].min():
        axis.set_yscale("log")
        # 3, where the default writes 3 x 10^0
        axis.yaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.4)))
        axis.yaxis.set_major_formatter(LogFormatter())
        axis.set_ylim(whole["value"].min() * 0.93, whole["value"].max() * 1.08)
    else:
        axis.set_ylim(*limits(whole["value"]))
