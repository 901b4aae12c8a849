# SPDX-License-Identifier: Apache-2.0
"""Recall of planted copies by distance and length, a heat map a method."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from modelgenerator.long_context.report.load import REGIMES, Results, title
from modelgenerator.long_context.report.pictures.base import Panel, Picture

KINDS = {"copy": "direct copies", "reverse_complement_copy": "reverse-complement copies"}
PALE = "#D8D8D8"
FEW = 20  # bases, below which a share says little


def recall_by_distance(results: Results) -> list[Picture]:
    """A picture for each regime and kind of copy.

    Args:
        results: Of one test set.
    """
    frame = results.frame("recall_by_distance")
    pictures = []
    for regime in results.regimes:
        for kind, words in KINDS.items():
            whole = frame[frame["kind"] == kind] if len(frame) else frame
            part = whole[whole["regime"] == regime]
            if part.empty:
                continue
            panels = [
                Panel(label, partial(_draw, whole, part[part["label"] == label]))
                for label in dict.fromkeys(part["label"])
            ]
            of = f", {title(REGIMES, regime)}" if regime else ""
            pictures.append(
                Picture(
                    name="_".join(filter(None, ("recall", kind, regime))),
                    title=f"Recall of {words} by distance and length{of}",
                    note=(
                        "Share of masked bases recovered, in per cent, a mean over seeds; how "
                        "far away the source stands (nt), against the length of the window. Grey: "
                        f"fewer than {FEW} bases, so little is known; empty: no such copies."
                    ),
                    panels=panels,
                    columns=4,
                    legend={},
                )
            )
    return pictures


def _draw(whole: pd.DataFrame, part: pd.DataFrame, axis: Axes) -> None:
    extensions = sorted(whole["extension"].unique())
    lows = sorted(whole["low"].unique())
    # A mean, not a sum: seeds of training are tested on the same bases.
    means = part.groupby(["low", "extension"])[["hits", "bases"]].mean()
    means = means.reindex(pd.MultiIndex.from_product([lows, extensions]), fill_value=0)
    hits, bases = (
        means[name].to_numpy().reshape(len(lows), len(extensions)) for name in ("hits", "bases")
    )
    share = hits / np.maximum(bases, 1)
    known = np.where(bases >= FEW, share, np.nan)
    axis.imshow(known, origin="lower", aspect="auto", cmap="viridis", vmin=0, vmax=1)
    for row, column in np.argwhere(bases > 0):
        value, few = share[row, column], bases[row, column] < FEW
        if few:
            axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=PALE))
        dark = value < 0.6 and not few
        axis.text(
            column,
            row,
            f"{100 * value:.0f}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if dark else "black",
        )
    axis.set_xticks(range(len(extensions)), [f"{x:g}x" for x in extensions])
    axis.set_yticks(range(len(lows)), [f"{low:,}" for low in lows])
    axis.set_ylabel("distance from, nt", fontsize=9)
