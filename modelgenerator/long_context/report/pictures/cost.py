# SPDX-License-Identifier: Apache-2.0
"""Seconds and memory of training and testing, a dot a regime."""

from functools import partial
from typing import Optional

import pandas as pd
from matplotlib.axes import Axes

from modelgenerator.long_context.report.colours import MARKERS, Style
from modelgenerator.long_context.report.load import REGIMES, Results, title
from modelgenerator.long_context.report.pictures.base import PANEL, Panel, Picture

DARK = "#333333"
MEASURES = {
    "test_seconds": "Test, seconds",
    "test_memory": "Test, peak memory in MiB",
    "training_seconds": "Training, seconds",
    "training_memory": "Training, peak memory in MiB",
}


def cost(results: Results) -> Optional[Picture]:
    """What runs took, a mean over seeds; a panel a measure.

    Args:
        results: Of one test set.

    Returns:
        None where no result says it.
    """
    frame = pd.DataFrame(
        {
            **{key: result["cell"][key] for key in ("label", "regime")},
            "test_seconds": result.get("seconds"),
            "test_memory": result.get("peak_memory_mib"),
            "training_seconds": result.get("training", {}).get("seconds"),
            "training_memory": result.get("training", {}).get("peak_memory_mib"),
        }
        for result in results.finished
    )
    labels = list(dict.fromkeys(frame["label"]))[::-1]
    marks = dict(zip(dict.fromkeys(frame["regime"]), MARKERS, strict=False))
    size = (PANEL[0], 1.1 + 0.22 * len(labels))
    panels = [
        Panel(words, partial(_draw, frame.dropna(subset=measure), measure, labels, marks), size)
        for measure, words in MEASURES.items()
        if frame[measure].notna().any()
    ]
    if not panels:
        return None
    legend = {title(REGIMES, name): Style(DARK, "", mark) for name, mark in marks.items() if name}
    return Picture(
        name="cost",
        title="Cost",
        note="A mean over seeds. Times depend on what else the machine did.",
        panels=panels,
        columns=2,
        legend=legend,
    )


def _draw(frame: pd.DataFrame, measure: str, labels: list, marks: dict, axis: Axes) -> None:
    means = frame.groupby(["label", "regime"], sort=False)[measure].mean()
    for (label, regime), value in means.items():
        axis.plot(value, labels.index(label), marks[regime], color=DARK, ms=5, alpha=0.7)
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(-0.6, len(labels) - 0.4)
    axis.set_xlim(0, means.max() * 1.1)
    axis.grid(axis="x", color="#EEEEEE")
