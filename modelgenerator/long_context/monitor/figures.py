# SPDX-License-Identifier: Apache-2.0
"""What a run logged as figures for Plotly: plain dictionaries, every text from a run escaped."""

import fnmatch
import html
import math
import re
from typing import Literal, Optional

import numpy as np

from modelgenerator.long_context.monitor.files import number
from modelgenerator.long_context.monitor.lines import (
    HIGH,
    LOW,
    MEAN,
    STEP,
    TIME,
    TOKENS,
    smoothed,
)
from modelgenerator.long_context.monitor.runs import OpenRun

# Okabe and Ito 2008: told apart by readers with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#777777")
DASHES = ("solid", "dash", "dot", "dashdot")

CURVES = {
    "perplexity_by_length": ("perplexity by length", "window, nt", True),
    "loss_by_position": ("loss by position", "place in the window", False),
    "recall_by_distance": ("recall by distance", "distance to the source, nt", True),
    "entropy_by_length": ("entropy of attention by length", "window, nt", True),
}
UNITS = {
    "tokens_per_s": "tokens/s",
    "step_seconds": "s",
    "memory_peak_mib": "MiB",
    "minutes_left": "min",
    "length": "tokens",
}
X_LABELS = {"step": "step", "tokens": "tokens", "time": "hours since the start"}
Axis = Literal["step", "tokens", "time"]
MOST_POINTS = 500  # of a measured curve; a run writes fewer


def wanted_panels(patterns: list[str], names: list[str]) -> list[str]:
    """Names that patterns stand for, in the order of the patterns, none twice."""
    found: dict[str, None] = {}
    for pattern in patterns:
        found.update(dict.fromkeys(n for n in names if fnmatch.fnmatchcase(n, pattern)))
    return list(found)


def available_panels(runs: list[OpenRun]) -> list[str]:
    """Everything some runs can show: curves first, then metrics by name and by length."""
    curves = [name for name in CURVES if any(run.curves.get(name) for run in runs)]
    metrics = {name for run in runs for name in run.lines.by_name}
    return curves + sorted(metrics, key=_by_number)


def colours(before: dict[str, str], names: list[str]) -> dict[str, str]:
    """A colour a run; those that had one keep it, new ones take the least used.

    Args:
        before: Colours so far, also of runs that are not among `names` any more.
        names: The runs.
    """
    kept = {name: before[name] for name in names if name in before}
    for name in names:
        taken = list(kept.values())
        kept.setdefault(name, min(COLOURS, key=taken.count))
    return kept


def metric_figure(
    name: str,
    runs: dict[str, OpenRun],
    colours: dict[str, str],
    axis: Axis,
    smoothing: float,
    log_scale: bool,
) -> dict:
    """One metric of several runs, overlaid.

    Where many steps share a point, a band shows the least and the most of them.

    Args:
        name: The metric.
        runs: By name.
        colours: Of each run.
        axis: What stands below.
        smoothing: Weight of the past, 0 to below 1.
        log_scale: Whether the vertical axis is logarithmic.
    """
    traces = []
    for run_name, run in runs.items():
        line = run.lines.by_name.get(name)
        if line is None:
            continue
        table = line.table()
        x = _x(run, table, axis)
        colour = colours[run_name]
        if line.per_bucket > 1:
            traces += _band(x, table, colour)
        if smoothing:
            traces.append(_trace(x, table[:, MEAN], run_name, colour, opacity=0.25))
        y = smoothed(table[:, MEAN], smoothing)
        mode = "lines+markers" if len(table) < 30 else "lines"
        traces.append(_trace(x, y, run_name, colour, mode=mode))
    return _figure(name, traces, X_LABELS[axis], UNITS.get(name), log_y=log_scale)


def curve_figure(
    name: str, runs: dict[str, OpenRun], colours: dict[str, str], log_scale: bool
) -> dict:
    """A measured curve of several runs, the newest measurement of each.

    Args:
        name: One of `CURVES`.
        runs: By name.
        colours: Of each run.
        log_scale: Whether the vertical axis is logarithmic.
    """
    title, x_label, log_x = CURVES[name]
    traces, steps = [], []
    labels: dict[Optional[str], int] = {}
    for run_name, run in runs.items():
        measured = run.curves.get(name)
        if not measured:
            continue
        steps.append(f"{measured[-1]['step']:,.0f}")
        for label, points in _by_line(measured[-1]["points"]).items():
            first = label not in labels
            dash = DASHES[labels.setdefault(label, len(labels)) % len(DASHES)]
            x, y = zip(*points, strict=True)
            trace = _trace(x, np.array(y, dtype=float), run_name, colours[run_name], label, dash)
            # The legend tells the lines of a run apart; runs are told apart by their colour.
            trace.update(mode="lines+markers", showlegend=first and label is not None)
            traces.append(trace)
    title = f"{title}, at step {', '.join(dict.fromkeys(steps))}" if steps else title
    figure = _figure(title, traces, x_label, None, log_y=log_scale)
    if log_x:
        ticks = _powers_of_two([x for t in traces for x in t["x"] if x and x > 0])
        text = [f"{x:,.0f}" for x in ticks]
        figure["layout"]["xaxis"].update(type="log", tickvals=ticks, ticktext=text)
    return figure


def config_difference(configs: dict[str, dict]) -> list[dict]:
    """Settings in which runs differ, a row each: `setting`, and a column a run.

    Args:
        configs: The whole configuration of each run, nested.
    """
    flat = {name: dict(_flatten(config)) if config else {} for name, config in configs.items()}
    keys = sorted({key for one in flat.values() for key in one})
    rows = []
    for key in keys:
        values = {name: one.get(key, "(not set)") for name, one in flat.items()}
        if len(set(values.values())) > 1:
            rows.append({"setting": key, **values})
    return rows


def _flatten(value: object, prefix: str = "") -> list[tuple[str, str]]:
    if prefix.count(".") > 50:
        return [(prefix, "(nested too deeply)")]
    if isinstance(value, dict) and value:
        items = value.items()
    elif isinstance(value, list) and any(isinstance(x, (dict, list)) for x in value):
        items = enumerate(value)
    else:
        return [(prefix, str(value))]
    return [
        row
        for key, part in items
        for row in _flatten(part, f"{prefix}.{key}" if prefix else str(key))
    ]


def _by_line(points: list) -> dict[Optional[str], list[tuple[float, Optional[float]]]]:
    lines: dict[Optional[str], list] = {}
    for point in points[:MOST_POINTS]:
        x = number(point.get("x")) if isinstance(point, dict) else None
        if x is None or not np.isfinite(x):
            continue
        label = point.get("line")
        lines.setdefault(None if label is None else str(label), []).append(
            (x, number(point.get("y")))
        )
    return lines


def _x(run: OpenRun, table: np.ndarray, axis: Axis) -> np.ndarray:
    if axis != "time":
        return table[:, STEP if axis == "step" else TOKENS]
    starts = [line.table()[0, TIME] for line in run.lines.by_name.values()]
    return (table[:, TIME] - np.nanmin(starts)) / 3600


def _band(x: np.ndarray, table: np.ndarray, colour: str) -> list[dict]:
    low, high = (_trace(x, table[:, column], "", colour) for column in (LOW, HIGH))
    for edge in (low, high):
        edge.update(line={"width": 0}, hoverinfo="skip", hovertemplate=None)
    high.update(fill="tonexty", fillcolor=colour + "26")
    return [low, high]


def _trace(
    x,
    y: np.ndarray,
    run_name: str,
    colour: str,
    label: Optional[str] = None,
    dash: str = "solid",
    **options,
) -> dict:
    said = escape(run_name if label is None else f"{run_name}: {label}")
    return {
        "x": _json(np.asarray(x, dtype=float)),
        "y": _json(y),
        "name": escape(label or run_name),
        "hovertemplate": f"%{{x}}: %{{y}}<extra>{said}</extra>",
        "line": {"color": colour, "width": 1.6, "dash": dash},
        "marker": {"size": 5},
        "mode": "lines",
        "showlegend": False,
        **options,
    }


def _powers_of_two(values: list[float]) -> list[int]:
    """Powers of two around some positive numbers, at most nine of them."""
    if not values:
        return []
    low, high = math.floor(math.log2(min(values))), math.ceil(math.log2(max(values)))
    return [2**k for k in range(low, high + 1, 1 + (high - low) // 9)]


def _json(values: np.ndarray) -> list:
    """Six digits are more than a screen shows; what is not finite is a gap."""
    return [float(f"{v:.6g}") if np.isfinite(v) else None for v in values.tolist()]


def _figure(title: str, traces: list, x_label: str, unit: Optional[str], log_y: bool) -> dict:
    return {
        "traces": traces,
        "layout": {
            "title": {"text": escape(title), "font": {"size": 14}, "x": 0, "xanchor": "left"},
            "xaxis": {"title": {"text": x_label, "standoff": 6}, "automargin": True},
            "yaxis": {
                "title": {"text": unit or ""},
                "type": "log" if log_y else "linear",
                "automargin": True,
                "uirevision": f"log {log_y}",  # a range means something else on the other scale
            },
            "height": 300,
            "margin": {"l": 10, "r": 10, "t": 34, "b": 10},
            "legend": {"orientation": "h", "y": -0.25, "font": {"size": 11}},
            "hovermode": "closest",
            # The same value at every refresh: zoom and hidden lines stay as the viewer left them.
            "uirevision": x_label,
        },
    }


def _by_number(name: str) -> list:
    """Sorts eval_perplexity/512 before eval_perplexity/1024."""
    parts = re.split(r"(\d{1,18})", name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)]


def escape(text: str) -> str:
    """Text for Plotly, which reads some HTML and templates: it is shown, not obeyed."""
    return html.escape(text[:200], quote=False).replace("%", "&#37;")
