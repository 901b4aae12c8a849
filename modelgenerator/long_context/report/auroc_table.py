# SPDX-License-Identifier: Apache-2.0
"""AUROC by length and method as a table of words."""

import numpy as np
import pandas as pd

from modelgenerator.long_context.report.auroc import Z
from modelgenerator.long_context.report.table import Table

NOTE = "AUROC ± half a 95% interval (1.96 standard errors); 0.5 is guessing."


def auroc_table(frame: pd.DataFrame, counted: str) -> Table:
    """A row a group and label, a column a length; what holds at any length in the last one.

    Args:
        frame: Of `auroc.known_pairs` or `auroc.variant_effect`.
        counted: What `count` counts, such as variants.
    """
    lengths = sorted(frame["length"].dropna().unique())
    anywhere = bool(frame["length"].isna().any())
    rows = []
    for group, part in frame.groupby("group", sort=False):
        counts = dict.fromkeys((part["count"].min(), part["count"].max()))
        named = f"{group}, {' to '.join(f'{n:,}' for n in counts)} {counted}"
        for label, line in part.groupby("label", sort=False):
            cells = [_cell(line[line["length"] == length]) for length in lengths]
            cells += [_cell(line[line["length"].isna()])] if anywhere else []
            rows.append([named, label, *cells])
    head = [f"{int(n):,} nt" for n in lengths] + (["any length"] if anywhere else [])
    return Table(["", "", *head], rows, NOTE)


def _cell(rows: pd.DataFrame) -> str:
    """Of no row or one."""
    if rows.empty:
        return ""
    (row,) = rows.itertuples()
    error = "" if np.isnan(row.standard_error) else f" ± {Z * row.standard_error:.3f}"
    return f"{row.value:.3f}{error}"
