# SPDX-License-Identifier: Apache-2.0
"""Dependency maps as pictures: the logo above, the map below, several side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import logomaker
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm

from modelgenerator.long_context.depmap.compare import common
from modelgenerator.long_context.depmap.log_odds import LETTERS
from modelgenerator.long_context.depmap.store import MapValues

COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}  # Okabe and Ito
LETTERS_FIT = 200  # columns up to which letters can be told apart
BRIGHTEST = 99.5  # percentile of the values that has the full colour

Intervals = Sequence[tuple[int, int, str]]
Pairs = Sequence[tuple[int, int]]


def information(reference: np.ndarray) -> np.ndarray:
    """Height of each letter of the logo in bits [n, 4], from probabilities [n, 4].

    A position's letters share 2 bits less the entropy of its prediction, each by its probability.
    """
    bits = 2 + (reference * np.log2(reference)).sum(axis=1)
    return reference * bits[:, None]


def plot_maps(
    maps: dict[str, MapValues],
    path: Path,
    highlights: Intervals = (),
    pairs: Pairs = (),
    size: float = 5.5,
) -> None:
    """Draw maps of one sequence side by side on one colour scale; of two also the difference.

    Args:
        maps: Maps by their titles.
        path: Picture to write; its suffix says the format.
        highlights: Intervals (first position, the one after the last, name) to mark on both axes.
        pairs: Positions known to depend on each other, circled above the diagonal.
        size: Width of a panel in inches.

    Raises:
        ValueError: If two maps are of different sequences.
    """
    panels = list(maps.items())
    bright = brightest(maps.values())
    scales = [Normalize(0, bright)] * len(panels)
    if len(panels) == 2:
        first, second = common(*maps.values())
        change = second.values - first.values
        panels.append(("second minus first", second._replace(values=change)))
        reach = max(float(np.nanpercentile(np.abs(change), BRIGHTEST)), 1e-6)
        scales.append(TwoSlopeNorm(0, -reach, reach))
    figure, axes = plt.subplots(
        2,
        len(panels),
        figsize=(size * len(panels), size * 1.2),
        height_ratios=[1, 6],
        squeeze=False,
        layout="constrained",
    )
    for k, ((title, found), scale) in enumerate(zip(panels, scales, strict=True)):
        difference = k == len(maps)
        logo, heat = axes[0][k], axes[1][k]
        if difference:
            logo.set_axis_off()
        else:
            _draw_logo(logo, found)
        logo.set_title(title, loc="left", fontsize=10)
        colours = "RdBu_r" if difference else "magma_r"
        heat.imshow(found.values, cmap=colours, norm=scale, aspect="auto", interpolation="none")
        _mark(heat, found, highlights, pairs)
        _label_axes(heat, found)
        label = "change of the change" if difference else "largest change of log2 odds"
        figure.colorbar(
            ScalarMappable(scale, colours), ax=heat, label=label, location="bottom", shrink=0.7
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def brightest(maps: Sequence[MapValues]) -> float:
    """The value of the full colour of all the maps."""
    top = max(float(np.nanpercentile(found.values, BRIGHTEST)) for found in maps)
    return max(top, 1e-6)


def _draw_logo(axis: Axes, found: MapValues) -> None:
    heights = information(found.reference)[found.columns - found.about["start"]]
    if len(found.columns) <= LETTERS_FIT:
        frame = pd.DataFrame(heights, columns=list(LETTERS))
        logomaker.Logo(frame, ax=axis, color_scheme=COLOURS, show_spines=False)
    else:  # too many for letters: the bits of every position
        axis.fill_between(np.arange(len(heights)), heights.sum(axis=1), step="mid", color="#555555")
    axis.set_xlim(-0.5, len(heights) - 0.5)
    axis.set_ylim(0, max(0.2, 1.05 * heights.sum(axis=1).max()))
    axis.set_xticks([])
    axis.set_ylabel("bits", fontsize=8)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right", "bottom"]].set_visible(False)


def _mark(axis: Axes, found: MapValues, highlights: Intervals, pairs: Pairs) -> None:
    for low, high, name in highlights:
        for positions, vertical in ((found.columns, False), (found.rows, True)):
            begin, end = np.searchsorted(positions, [low, high]) - 0.5
            if begin == end:
                continue
            edge = -0.5 if vertical else len(found.rows) - 0.5
            line = ([edge, edge], [begin, end]) if vertical else ([begin, end], [edge, edge])
            axis.plot(*line, color="#0072B2", lw=4, solid_capstyle="butt", clip_on=False)
            if name and not vertical:
                axis.text((begin + end) / 2, edge, name, ha="center", va="bottom", fontsize=7)
    row_of = {int(at): i for i, at in enumerate(found.rows)}
    column_of = {int(at): i for i, at in enumerate(found.columns)}
    points = [
        (column_of[max(pair)], row_of[min(pair)])
        for pair in pairs
        if max(pair) in column_of and min(pair) in row_of
    ]
    if points:
        x, y = zip(*points, strict=True)
        axis.scatter(x, y, s=22, facecolors="none", edgecolors="#0072B2", linewidths=0.9)


def _label_axes(axis: Axes, found: MapValues) -> None:
    for positions, set_ticks in ((found.columns, axis.set_xticks), (found.rows, axis.set_yticks)):
        at = np.unique(np.linspace(0, len(positions) - 1, 5).round().astype(int))
        set_ticks(at, [f"{positions[i]:,}" for i in at], fontsize=7)
    about = found.about
    mutated = "block mutated" if about.get("block", 1) > 1 else "base mutated"
    axis.set_xlabel(f"base read, {about['record']} (strand read: {about['strand']})", fontsize=8)
    axis.set_ylabel(mutated, fontsize=8)


def title_of(about: dict, name: Optional[str] = None) -> str:
    """A map's title: folder, model, method."""
    method = {None: "upstream", "rope": "plain RoPE"}.get(about["method"], about["method"])
    if about["factor"] != 1.0:
        method += f" {about['factor']:g}x"
    kind = "" if about["kind"] == "exact" else f", {about['kind']}"
    length = about["stop"] - about["start"]
    front = f"{name}: " if name else ""
    return f"{front}{about['backbone']}, {method}, {length:,} nt{kind}"
