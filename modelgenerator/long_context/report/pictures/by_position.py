# SPDX-License-Identifier: Apache-2.0
"""Loss by the place of a base in the longest window."""

from typing import Optional

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from modelgenerator.long_context.report.load import Results
from modelgenerator.long_context.report.pictures.base import (
    Picture,
    draw_lines,
    limits,
    panels_by_regime,
)

KINDS = {"natural": "Natural bases", "copies": "Windows with copies"}


def by_position(results: Results) -> Optional[Picture]:
    """Loss at the ends and in the middle of the longest windows; a column a regime.

    Args:
        results: Of one test set.

    Returns:
        None where no result has losses by position.
    """
    frame = results.frame("loss_by_position")
    if frame.empty:
        return None
    frame = frame[frame["length"] == frame["length"].max()]
    bins = len(frame["loss"].iloc[0])
    frame = frame.assign(bin=[range(bins)] * len(frame)).explode(["loss", "bin"])
    frame = frame.dropna(subset="loss").astype({"loss": float, "bin": float})
    frame["place"] = (frame["bin"] + 0.5) / bins
    panels = []
    for kind, words in KINDS.items():
        panels += panels_by_regime(results, frame[frame["kind"] == kind], words, _draw)
    return Picture(
        name="by_position",
        title=f"Loss by position in windows of {int(frame['length'].iloc[0]):,} nt",
        note=(
            "Nats per masked base. A base in the middle is at most half a window from any other, "
            "one at an end up to a whole window: a method that fails at far positions shows a U."
        ),
        panels=panels,
        columns=max(frame["regime"].nunique(), 2),
        legend=results.styles,
    )


def _draw(whole: pd.DataFrame, part: pd.DataFrame, results: Results, axis: Axes) -> None:
    draw_lines(axis, part, results.styles, "place", "loss")
    axis.set_ylim(*limits(whole["loss"]))
    axis.set_xlim(0, 1)
    axis.xaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_xlabel("place in the window", fontsize=9)
    axis.set_ylabel("nats", fontsize=9)
