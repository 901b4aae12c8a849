# SPDX-License-Identifier: Apache-2.0
"""How wide attention is at each length, and how far it looks in the longest windows."""

from typing import Optional

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from modelgenerator.long_context.report.load import IDENTITY, Results
from modelgenerator.long_context.report.pictures.base import (
    GREY,
    Picture,
    draw_lines,
    length_axis,
    limits,
    panels_by_regime,
)

CELL = [*IDENTITY, "length", "extension"]


def attention_entropy(results: Results) -> Optional[Picture]:
    """Entropy of attention against length, a mean over layers and heads; a panel a regime.

    Args:
        results: Of one test set.

    Returns:
        None where no result has attention statistics.
    """
    frame = results.frame("attention")
    if frame.empty:
        return None
    frame = frame.groupby(CELL, sort=False)[["entropy", "log_n"]].mean().reset_index()
    return Picture(
        name="attention_entropy",
        title="Entropy of attention by length",
        note=(
            "Nats, a mean over layers, heads and sampled bases. Grey and dashed: ln n, attention "
            "spread evenly over all tokens. A method that holds its focus stays level."
        ),
        panels=panels_by_regime(results, frame, "", _draw_entropy),
        columns=4,
        legend=results.styles,
    )


def attention_mass(results: Results) -> Optional[Picture]:
    """Share of attention by distance in the longest windows; a panel a regime.

    Args:
        results: Of one test set.

    Returns:
        None where no result has attention statistics.
    """
    frame = results.frame("attention")
    if frame.empty:
        return None
    longest = int(frame["length"].max())
    frame = frame[frame["length"] == longest].explode("mass")
    frame = frame.drop(columns="mass").assign(
        **{key: [mass[key] for mass in frame["mass"]] for key in ("low", "high", "share")}
    )
    frame = frame.groupby([*CELL, "low", "high"], sort=False)["share"].mean().reset_index()
    frame["bin"] = frame["low"].map({low: i for i, low in enumerate(sorted(set(frame["low"])))})
    return Picture(
        name="attention_mass",
        title=f"Attention by distance in windows of {longest:,} nt",
        note=(
            "Share of attention, a mean over layers, heads and sampled bases; each step to the "
            "right is twice as far. Grey and dashed: attention spread evenly. What rests on the "
            "two special tokens is left out, so shares need not sum to 100%."
        ),
        panels=panels_by_regime(results, frame, "", _draw_mass),
        columns=4,
        legend=results.styles,
    )


def even_share(low: int, high: int, nucleotides: int) -> float:
    """Share of attention at distances [low, high) if spread evenly over the nucleotides.

    A mean over all queries of a window: n pairs at distance 0 and 2 (n - d) at d, of n * n.
    """
    distance = np.arange(low, min(high, nucleotides))
    pairs = np.where(distance == 0, nucleotides, 2 * (nucleotides - distance))
    return float(pairs.sum()) / nucleotides**2


def _draw_entropy(whole: pd.DataFrame, part: pd.DataFrame, results: Results, axis: Axes) -> None:
    most = whole.groupby("extension")["log_n"].mean()
    axis.plot(most.index, most, "--", color=GREY, lw=1.5)
    draw_lines(axis, part, results.styles, "extension", "entropy")
    length_axis(axis, whole["extension"], results)
    axis.set_ylim(*limits(pd.concat([whole["entropy"], most])))
    axis.set_ylabel("nats", fontsize=9)


def _draw_mass(whole: pd.DataFrame, part: pd.DataFrame, results: Results, axis: Axes) -> None:
    bins = whole.drop_duplicates("bin").sort_values("bin")
    even = [
        even_share(low, high, int(bins["length"].iloc[0]))
        for low, high in zip(bins["low"], bins["high"], strict=True)
    ]
    axis.plot(bins["bin"], even, "--", color=GREY, lw=1.5)
    draw_lines(axis, part, results.styles, "bin", "share")
    axis.set_ylim(*limits(pd.concat([whole["share"], pd.Series(even)]), low=0.0))
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    shown = bins.iloc[::3]
    axis.set_xticks(shown["bin"], [f"{low:,}" for low in shown["low"]])
    axis.set_xlabel("distance from, nt", fontsize=9)
