# SPDX-License-Identifier: Apache-2.0
"""Results as a picture: perplexity and recall against the length of the window."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import NullLocator, PercentFormatter

from modelgenerator.long_context.report.colours import COLOURS, OTHER

TITLES = {
    "perplexity": "Perplexity of natural bases",
    "copy_perplexity": "Perplexity of copied bases",
    "recall_direct": "Recall of direct copies",
}


def plot_by_length(frame: pd.DataFrame, path: Path) -> None:
    """Draw masked perplexity and recall of planted copies against window length.

    Zero-shot results are dashed, fine-tuned ones solid.

    Args:
        frame: From `load_results`.
        path: Picture to write; its suffix says the format.
    """
    metrics = [name for name in TITLES if (frame["metric"] == name).any()]
    figure, axes = plt.subplots(
        1, len(metrics), figsize=(3.9 * len(metrics), 3.8), squeeze=False, layout="constrained"
    )
    original = int((frame["length"] / frame["extension"]).iloc[0])
    for axis, metric in zip(axes[0], metrics, strict=True):
        part = frame[frame["metric"] == metric]
        for name, line in part.groupby("label", sort=False):
            line = line.sort_values("length")
            axis.plot(
                line["length"],
                line["value"],
                marker="o",
                markersize=4,
                linestyle="-" if line["steps"].iloc[0] else "--",
                color=COLOURS.get(line["method"].iloc[0], OTHER),
                label=name,
            )
        lengths = sorted(part["length"].unique())
        axis.set_xscale("log", base=2)
        axis.set_xticks(lengths, [f"{n / original:g}x" for n in lengths])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlabel(f"window over original context of {original:,} nt")
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_title(TITLES[metric], loc="left", fontsize=11)
        if metric == "recall_direct":
            axis.yaxis.set_major_formatter(PercentFormatter(1.0))
            axis.set_ylim(0, 1)
    handles, names = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)
