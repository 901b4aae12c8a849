# SPDX-License-Identifier: Apache-2.0
"""Results as a Markdown table: a row a method, a column a length."""

import pandas as pd

METRICS = {
    "perplexity": ("natural bases, perplexity", "{:.3f}"),
    "copy_perplexity": ("copied bases, perplexity", "{:.3f}"),
    "recall_direct": ("direct copies, recall", "{:.1%}"),
    "recall_reverse_complement": ("reverse-complement copies, recall", "{:.1%}"),
}
BLOWN_UP = 100.0


def markdown_table(frame: pd.DataFrame) -> str:
    """Perplexity of masked bases and recall of planted copies, by method and length.

    Args:
        frame: From `load_results`.
    """
    extensions = sorted(frame["extension"].unique())
    head = ["", "", *(f"{x:g}x" for x in extensions)]
    rows = [head]
    for metric, (title, form) in METRICS.items():
        part = frame[frame["metric"] == metric]
        for name in part["label"].unique():
            values = part[part["label"] == name].set_index("extension")["value"]
            cells = [_cell(values.get(x), form) for x in extensions]
            rows.append([title, name, *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def _cell(value: float, form: str) -> str:
    if value is None:
        return ""
    return f">{BLOWN_UP:.0f}" if value > BLOWN_UP else form.format(value)
