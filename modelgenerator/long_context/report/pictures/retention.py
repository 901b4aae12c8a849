# SPDX-License-Identifier: Apache-2.0
"""What is left, at the original context, of what the pretrained encoder knew there."""

from typing import Optional

import pandas as pd
from matplotlib.axes import Axes

from modelgenerator.long_context.report.load import Results
from modelgenerator.long_context.report.pictures.base import (
    GREY,
    PANEL,
    Picture,
    panels_by_regime,
)
from modelgenerator.long_context.report.summary import over_seeds

# metric -> what a bar is of, and from (after, before) to its length
METRICS = {
    "perplexity": ("Perplexity, natural, %", lambda after, before: 100 * (after / before - 1)),
    "copy_perplexity": ("Perplexity, copies, %", lambda after, before: 100 * (after / before - 1)),
    "recall": ("Recall of copies, points", lambda after, before: 100 * (after - before)),
}


def retention(results: Results) -> Optional[Picture]:
    """Change at 1x from the untouched encoder, a bar a method; a column a regime.

    Args:
        results: Of one test set.

    Returns:
        None where the untouched encoder, plain RoPE with no training, was not measured.
    """
    frame = pd.concat([results.frame(), _probes(results)])
    frame = frame[frame["extension"] == 1.0]
    untouched = frame[frame["method"].isin(["rope", None]) & (frame["steps"] == 0)]
    before = untouched.groupby("metric")["value"].mean()
    if before.empty:
        return None
    points = METRICS["recall"][1]
    measures = {**METRICS, **{m: (m, points) for m in frame["metric"] if m.startswith("Accuracy")}}
    size = (PANEL[0], 1.1 + 0.22 * frame["label"].nunique())
    panels = []
    for metric, (words, change) in measures.items():
        if metric not in before.index:
            continue
        whole = frame[frame["metric"] == metric]
        whole = whole.assign(change=change(whole["value"], before[metric]))
        panels += panels_by_regime(results, whole, words, _draw, size)
    return Picture(
        name="retention",
        title="Retention at 1x",
        note=(
            "Change from the untouched encoder (plain RoPE, no training) at its original context. "
            "Perplexity: a bar to the right is a loss. Recall and accuracy: a bar to the left is a "
            "loss. Lines: one standard deviation over seeds."
        ),
        panels=panels,
        columns=max(frame["regime"].nunique(), 2),
        legend={},
    )


def _probes(results: Results) -> pd.DataFrame:
    """Accuracies of tasks, as metrics of their own."""
    frame = results.frame("probes")
    if frame.empty:
        return frame
    return frame.assign(metric="Accuracy, " + frame["task"] + ", points")


def _draw(whole: pd.DataFrame, part: pd.DataFrame, results: Results, axis: Axes) -> None:
    means = over_seeds(part, ["change"], ["label"]).iloc[::-1]
    axis.barh(
        means["label"],
        means["change"],
        xerr=means["change_spread"].fillna(0),
        color=[results.styles[label].colour for label in means["label"]],
        ecolor=GREY,
        height=0.7,
    )
    axis.axvline(0, color="black", lw=0.8)
    low, high = min(0.0, whole["change"].min()), max(0.0, whole["change"].max())
    air = 0.08 * (high - low) or 1.0
    axis.set_xlim(low - air, high + air)
