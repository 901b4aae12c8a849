# SPDX-License-Identifier: Apache-2.0
"""AUROC of known pairs or of harmful variants, against length, with its interval."""

from functools import partial
from typing import Optional

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from modelgenerator.long_context.report.auroc import Z
from modelgenerator.long_context.report.colours import Style, styles
from modelgenerator.long_context.report.pictures.base import GREY, Panel, Picture, limits

CHANCE = 0.5
SIDESTEP = 1.03  # between the methods of a length, so that their intervals stand side by side


def auroc_by_length(frame: pd.DataFrame, name: str, title: str) -> Optional[Picture]:
    """A line a method, with 95% intervals; a panel a group.

    Args:
        frame: Of `auroc.known_pairs` or `auroc.variant_effect`.
        name: File name without suffix.
        title: What it shows.

    Returns:
        None where there are baselines alone.
    """
    measured = frame[frame["length"].notna()]
    if measured.empty:
        return None
    methods = measured.drop_duplicates("label").set_index("label")["method"]
    drawn = styles(methods.to_dict())
    baselines = frame[frame["length"].isna()]
    panels = [
        Panel(group, partial(_draw, frame, part, baselines[baselines["group"] == group], drawn))
        for group, part in measured.groupby("group", sort=False)
    ]
    note = "Bars: 95% intervals. Dotted: guessing, and the original context."
    if len(baselines):
        note += " Grey, dashed: the trivial baselines of the table."
    return Picture(name=name, title=title, note=note, panels=panels, columns=3, legend=drawn)


def _draw(
    whole: pd.DataFrame,
    part: pd.DataFrame,
    baselines: pd.DataFrame,
    drawn: dict[str, Style],
    axis: Axes,
) -> None:
    for value in baselines["value"]:
        axis.axhline(value, color=GREY, lw=1, ls="--", zorder=0)
    axis.axhline(CHANCE, color=GREY, lw=1, ls=(0, (1, 2)), zorder=0)
    axis.axvline(part["original"].iloc[0], color=GREY, lw=1, ls=(0, (1, 2)), zorder=0)
    labels = list(dict.fromkeys(part["label"]))
    for place, label in enumerate(labels):
        line = part[part["label"] == label].sort_values("length")
        style = drawn[label]
        axis.errorbar(
            line["length"] * SIDESTEP ** (place - (len(labels) - 1) / 2),
            line["value"],
            yerr=Z * line["standard_error"].fillna(0),
            color=style.colour,
            linestyle=style.line,
            marker=style.marker,
            markersize=4,
            lw=1.5,
            elinewidth=1,
            capsize=2,
        )
    lengths = sorted(whole["length"].dropna().unique())
    axis.set_xscale("log", base=2)
    axis.set_xticks(lengths, [f"{n:,.0f}" for n in lengths])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlim(lengths[0] / 1.4, lengths[-1] * 1.4)
    axis.set_xlabel("window, nt", fontsize=9)
    reach = Z * whole["standard_error"].fillna(0)
    ends = pd.concat([whole["value"] - reach, whole["value"] + reach]).clip(0, 1)
    axis.set_ylim(*limits(ends, CHANCE, CHANCE))
