# SPDX-License-Identifier: Apache-2.0
"""Dependency maps as a page to zoom into, in one file that needs no network."""

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from modelgenerator.long_context.depmap.picture import Intervals, brightest, information
from modelgenerator.long_context.depmap.store import MapValues


def write_page(maps: dict[str, MapValues], path: Path, highlights: Intervals = ()) -> None:
    """Write maps of one sequence side by side, with linked axes and one colour scale.

    Args:
        maps: Maps by their titles.
        path: HTML file to write.
        highlights: Intervals (first position, the one after the last, name) to shade.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    map_figure(maps, highlights).write_html(path, include_plotlyjs=True)


def map_figure(maps: dict[str, MapValues], highlights: Intervals = ()) -> go.Figure:
    """Bits above, maps below; maps zoom together along both axes, bits along theirs.

    Args:
        maps: Maps by their titles.
        highlights: Intervals (first position, the one after the last, name) to shade.
    """
    figure = make_subplots(
        rows=2,
        cols=len(maps),
        row_heights=[0.12, 0.88],
        shared_xaxes=True,
        vertical_spacing=0.02,
        column_titles=list(maps),
    )
    bright = brightest(maps.values())
    for column, found in enumerate(maps.values(), 1):
        bits = information(found.reference)[found.columns - found.about["start"]].sum(axis=1)
        line = go.Scattergl(x=found.columns, y=bits, mode="lines", showlegend=False)
        line.line = {"color": "#555555", "width": 1}
        line.hovertemplate = "position %{x:,}: %{y:.2f} bits<extra></extra>"
        figure.add_trace(line, row=1, col=column)
        heat = go.Heatmap(
            x=found.columns,
            y=found.rows,
            z=found.values.astype(np.float32),
            zmin=0,
            zmax=bright,
            colorscale="Magma_r",
            showscale=column == 1,
            colorbar={"title": "log2 odds"},
            hovertemplate="mutated %{y:,}, read %{x:,}: %{z:.3f}<extra></extra>",
        )
        figure.add_trace(heat, row=2, col=column)
        for low, high, name in highlights:
            figure.add_vrect(
                x0=low - 0.5,
                x1=high - 0.5,
                line_width=0,
                fillcolor="#0072B2",
                opacity=0.12,
                annotation_text=name,
                row=1,
                col=column,
            )
    figure.update_xaxes(matches="x")
    # Plotly numbers axes row by row, so the maps' are those after one for the bits of each.
    figure.update_yaxes(matches="y", row=1)
    figure.update_yaxes(matches=f"y{len(maps) + 1}", autorange="reversed", row=2)
    figure.update_yaxes(title_text="bits", row=1, col=1)
    figure.update_yaxes(title_text="position mutated", row=2, col=1)
    figure.update_xaxes(title_text="position read", row=2)
    figure.update_layout(template="simple_white", height=900)
    return figure
