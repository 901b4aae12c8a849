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
MARK = "#0072B2"
CHARACTER = 0.0105  # width of a letter of a name, over that of a panel
MOST_TICKS = 6  # on an axis
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
        highlights: Intervals (first position, the one after the last, name) to mark along the axes.
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
        panels.append((" minus ".join(reversed(list(maps))), second._replace(values=change)))
        reach = max(float(np.nanpercentile(np.abs(change), BRIGHTEST)), 1e-6)
        scales.append(TwoSlopeNorm(0, -reach, reach))
    figure, axes = plt.subplots(
        3,
        len(panels),
        figsize=(size * len(panels), size * 1.25),
        height_ratios=[1, 0.4 if highlights else 0.01, 6],
        squeeze=False,
        layout="constrained",
    )
    figure.get_layout_engine().set(h_pad=0.02, hspace=0.01)
    for k, ((title, found), scale) in enumerate(zip(panels, scales, strict=True)):
        difference = k == len(maps)
        logo, track, heat = axes[:, k]
        if difference:
            logo.set_axis_off()
        else:
            _draw_logo(logo, found)
        logo.set_title(title, loc="left", fontsize=10)
        colours = "RdBu_r" if difference else "magma_r"
        heat.imshow(found.values, cmap=colours, norm=scale, aspect="auto", interpolation="none")
        _mark(track, heat, found, highlights)
        _circle(heat, found, pairs)
        _label_axes(heat, found)
        label = "change of the change" if difference else "largest change of log2 odds"
        bar = figure.colorbar(
            ScalarMappable(scale, colours), ax=heat, location="bottom", shrink=0.7, aspect=30
        )
        bar.set_label(label, fontsize=8)
        bar.ax.tick_params(labelsize=7)
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


def _mark(track: Axes, heat: Axes, found: MapValues, highlights: Intervals) -> None:
    """Bars along both axes, above the map with their names."""
    track.set_axis_off()
    track.set_xlim(-0.5, len(found.columns) - 0.5)
    track.set_ylim(0, 3)
    before, height = (-np.inf, ""), 0
    for low, high, name in highlights:
        begin, end = np.searchsorted(found.columns, [low, high]) - 0.5
        if begin < end:
            middle = (begin + end) / 2
            # A name that would touch the one before it stands at another height.
            room = (len(name) + len(before[1]) + 2) / 2 * CHARACTER * len(found.columns)
            height = 1 - height if middle - before[0] < room else 0
            before = middle, name
            track.plot([begin, end], [0.3, 0.3], color=MARK, lw=4, solid_capstyle="butt")
            track.text(middle, 0.8 + height, name, ha="center", fontsize=7)
        begin, end = np.searchsorted(found.rows, [low, high]) - 0.5
        if begin < end:
            heat.plot(
                [-0.01, -0.01],
                [begin, end],
                transform=heat.get_yaxis_transform(),
                color=MARK,
                lw=4,
                solid_capstyle="butt",
                clip_on=False,
            )


def _circle(axis: Axes, found: MapValues, pairs: Pairs) -> None:
    row_of = {int(at): i for i, at in enumerate(found.rows)}
    column_of = {int(at): i for i, at in enumerate(found.columns)}
    points = [
        (column_of[max(pair)], row_of[min(pair)])
        for pair in pairs
        if max(pair) in column_of and min(pair) in row_of
    ]
    if points:
        x, y = zip(*points, strict=True)
        axis.scatter(x, y, s=22, facecolors="none", edgecolors=MARK, linewidths=0.9)


def _label_axes(axis: Axes, found: MapValues) -> None:
    for positions, set_ticks in ((found.columns, axis.set_xticks), (found.rows, axis.set_yticks)):
        ticks = round_positions(positions)
        at = np.interp(ticks, positions, np.arange(len(positions)))
        set_ticks(at, [f"{tick:,}" for tick in ticks], fontsize=7)
    about = found.about
    mutated = "block mutated" if about.get("block", 1) > 1 else "base mutated"
    axis.set_xlabel(f"base read, {about['record']} (strand read: {about['strand']})", fontsize=8)
    axis.set_ylabel(mutated, fontsize=8)


def round_positions(positions: np.ndarray) -> np.ndarray:
    """Round numbers among positions, at most six, to label an axis with.

    Args:
        positions: Sorted, with gaps or without. A round number in a gap is left out.

    Returns:
        Multiples of 1, 2 or 5 times a power of ten; the first and last position where fewer than
        two of them fit.
    """
    first, last = int(positions[0]), int(positions[-1])
    steps = (factor * 10**power for power in range(10) for factor in (1, 2, 5))
    step = next(step for step in steps if last // step - (first - 1) // step <= MOST_TICKS)
    ticks = np.arange(-(-first // step), last // step + 1) * step
    spacing = np.median(np.diff(positions)) if len(positions) > 1 else 1
    away = np.abs(positions[:, None] - ticks[None]).min(axis=0)
    ticks = ticks[away < spacing]
    return ticks if len(ticks) > 1 else np.unique([first, last])


def title_of(about: dict, name: Optional[str] = None) -> str:
    """A map's title: folder, model, method."""
    method = {None: "upstream", "rope": "plain RoPE"}.get(about["method"], about["method"])
    if about["factor"] != 1.0:
        method += f" {about['factor']:g}x"
    kind = "" if about["kind"] == "exact" else f", {about['kind']}"
    length = about["stop"] - about["start"]
    front = f"{name}: " if name else ""
    return f"{front}{about['backbone']}, {method}, {length:,} nt{kind}"
