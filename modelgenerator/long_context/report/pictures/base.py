# SPDX-License-Identifier: Apache-2.0
"""A picture is a list of panels: drawn side by side for a paper, one by one for a page."""

import io
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from modelgenerator.long_context.report.colours import Style
from modelgenerator.long_context.report.load import REGIMES, Results, title
from modelgenerator.long_context.report.summary import over_seeds

PANEL = (3.6, 2.9)  # inches: as wide as a phone
GREY = "#999999"

# Text stays text, and the same results give the same file.
SVG = {"svg.fonttype": "none", "svg.hashsalt": "report"}


class Panel(NamedTuple):
    """A part of a picture that can stand alone."""

    title: str
    draw: Callable[[Axes], None]
    size: tuple[float, float] = PANEL


class Picture(NamedTuple):
    """Panels that belong together.

    Attributes:
        name: File name without suffix.
        title: What it shows.
        note: How to read it.
        panels: In reading order.
        columns: How many of them stand side by side in a file.
        legend: How each label is drawn.
    """

    name: str
    title: str
    note: str
    panels: list[Panel]
    columns: int
    legend: dict[str, Style]


def panels_by_regime(
    results: Results,
    frame: pd.DataFrame,
    words: str,
    draw: Callable[[pd.DataFrame, pd.DataFrame, Results, Axes], None],
    size: tuple[float, float] = PANEL,
) -> list[Panel]:
    """A panel for each regime that the frame has rows of.

    Args:
        results: Of one test set.
        frame: Rows with a `regime`.
        words: What the panels show; the regime is added.
        draw: Draws a regime's rows. It gets the whole frame, so that all panels can have the same
            axes, those rows, `results` and the axes to draw on.
        size: Of a panel, inches.
    """
    panels = []
    for regime in results.regimes:
        part = frame[frame["regime"] == regime]
        if len(part):
            heading = "\n".join(filter(None, (words, title(REGIMES, regime))))
            panels.append(Panel(heading, partial(draw, frame, part, results), size))
    return panels


def save(picture: Picture, *paths: Path) -> None:
    """Draw all panels side by side.

    Args:
        picture: What to draw.
        paths: Files to write; their suffixes say the format.
    """
    columns = min(picture.columns, len(picture.panels))
    rows = -(-len(picture.panels) // columns)
    width, height = np.max([panel.size for panel in picture.panels], axis=0)
    handles = [_handle(style) for style in picture.legend.values()]
    below = 0.3 * -(-len(handles) // _legend_columns(columns)) if handles else 0
    size = (columns * width, rows * height + below)
    with plt.rc_context(SVG):
        figure, axes = plt.subplots(
            rows, columns, figsize=size, squeeze=False, layout="constrained"
        )
        for axis in axes.flat[len(picture.panels) :]:
            axis.set_axis_off()
        for axis, panel in zip(axes.flat, picture.panels, strict=False):
            _draw(axis, panel)
        if handles:
            figure.legend(
                handles,
                list(picture.legend),
                loc="outside lower center",
                ncols=min(len(handles), _legend_columns(columns)),
                frameon=False,
                fontsize=9,
            )
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            metadata = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=150, metadata=metadata)
            figure.set_layout_engine("none")  # it is laid out by now, and that takes longest
        plt.close(figure)


def panel_svg(panel: Panel) -> str:
    """One panel as the text of an SVG file."""
    with plt.rc_context(SVG):
        figure, axis = plt.subplots(figsize=panel.size, layout="constrained")
        _draw(axis, panel)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        plt.close(figure)
    return out.getvalue()


def legend_svg(style: Style) -> str:
    """A legend's line and marker, 36 x 14 points, as the text of an SVG file."""
    with plt.rc_context(SVG):
        figure = plt.figure(figsize=(0.5, 14 / 72))
        line = _handle(style)
        line.set_data([0.1, 0.5, 0.9], [0.5, 0.5, 0.5])
        line.set(transform=figure.transFigure, markevery=[1])
        figure.add_artist(line)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
        plt.close(figure)
    return out.getvalue()


def draw_lines(
    axis: Axes, frame: pd.DataFrame, styles: dict[str, Style], x: str, y: str = "value"
) -> None:
    """A line for each label: mean over seeds, with a band of one standard deviation.

    Args:
        axis: Where to draw.
        frame: Rows with `label`, `seed` and the columns named by `x` and `y`.
        styles: How each label is drawn.
        x: Column along the axis.
        y: Column up the axis.
    """
    means = over_seeds(frame, [y], ["label", x])
    for label, line in means.groupby("label", sort=False):
        line = line.sort_values(x)
        style = styles[label]
        axis.plot(
            line[x],
            line[y],
            style.line,
            marker=style.marker,
            markersize=4,
            lw=1.5,
            color=style.colour,
        )
        spread = line[f"{y}_spread"].fillna(0)
        if (spread > 0).any():
            axis.fill_between(
                line[x], line[y] - spread, line[y] + spread, color=style.colour, alpha=0.15, lw=0
            )


def length_axis(axis: Axes, extensions: Iterable[float], results: Results) -> None:
    """Windows over original context, in powers of two.

    A dotted line marks the original context, a shade what is beyond the factor of most methods.
    """
    extensions = sorted(set(extensions))
    if 1 < results.factor < extensions[-1]:
        axis.axvspan(results.factor, extensions[-1] * 1.1, color="#F0F0F0", zorder=-1)
    axis.set_xscale("log", base=2)
    axis.set_xticks(extensions, [f"{x:g}x" for x in extensions])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel(f"window over original context ({results.original:,} nt)", fontsize=9)
    axis.axvline(1, color=GREY, lw=1, ls=(0, (1, 2)), zorder=0)


def limits(values: pd.Series, low: float = np.inf, high: float = -np.inf) -> tuple[float, float]:
    """Limits that hold all values and two given ones, with some air."""
    low, high = min(low, values.min()), max(high, values.max())
    air = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - air, high + air


def _draw(axis: Axes, panel: Panel) -> None:
    panel.draw(axis)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(which="both", labelsize=8)
    axis.set_title(panel.title, loc="left", fontsize=10)


def _legend_columns(columns: int) -> int:
    return {1: 2, 2: 4}.get(columns, 8)


def _handle(style: Style) -> Line2D:
    return Line2D(
        [], [], color=style.colour, linestyle=style.line, marker=style.marker, markersize=5
    )
