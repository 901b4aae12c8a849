# SPDX-License-Identifier: Apache-2.0
"""From coarse to fine: the strongest blocks of a coarse map, as the next map's rows and columns."""

from pathlib import Path

import numpy as np

from modelgenerator.long_context.depmap.store import MapValues


def strongest_blocks(coarse: MapValues, top: int) -> list[tuple[int, int, float]]:
    """Positions (row block, column block) of the strongest dependencies between distant blocks.

    Columns are gathered into blocks as large as the rows', by their largest value; a block and its
    neighbours, which depend on each other anyway, are left out.

    Args:
        coarse: A map with `block` more than 1.
        top: How many.

    Returns:
        First position of the row block and of the column block, largest change; strongest first.

    Raises:
        ValueError: If the map is not coarse, or too small for distant blocks.
    """
    block = coarse.about.get("block", 1)
    if block == 1:
        raise ValueError(
            "refine: the map is one of single bases already. Make a coarse one with --data.block."
        )
    start = coarse.about["start"]
    column_blocks = start + (coarse.columns - start) // block * block
    starts, first = np.unique(column_blocks, return_index=True)
    pooled = np.fmax.reduceat(coarse.values, first, axis=1)  # [rows, column blocks]
    distant = np.abs(coarse.rows[:, None] - starts[None]) > block
    pooled = np.where(distant, pooled, np.nan)
    ranked = [k for k in np.argsort(-pooled, axis=None) if np.isfinite(pooled.flat[k])][:top]
    if not ranked:
        raise ValueError(
            f"refine: no two blocks of {block} bases are further apart than neighbours. Give a "
            "smaller --data.block."
        )
    found = [np.unravel_index(k, pooled.shape) for k in ranked]
    return [(int(coarse.rows[i]), int(starts[j]), float(pooled[i, j])) for i, j in found]


def write_beds(coarse: MapValues, blocks: list[tuple[int, int, float]], folder: Path) -> None:
    """Write rows.bed and columns.bed for `--data.rows` and `--data.columns` of the finer map."""
    about = coarse.about
    for name, starts in (
        ("rows", {row for row, _, _ in blocks}),
        ("columns", {column for _, column, _ in blocks}),
    ):
        lines = [
            f"{about['record']}\t{low}\t{min(low + about['block'], about['stop'])}\n"
            for low in sorted(starts)
        ]
        (folder / f"{name}.bed").write_text("".join(lines))
