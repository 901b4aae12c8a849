# SPDX-License-Identifier: Apache-2.0
"""AUROC by length and method: of known pairs in dependency maps, and of harmful variants."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from modelgenerator.long_context.report.colours import method_order, plain_name

KNOWN_PAIRS = "known_pairs/2"
VARIANT_EFFECT = "variant_effect/1"
BASELINES = "variant_baselines/1"
SCHEMAS = (KNOWN_PAIRS, VARIANT_EFFECT, BASELINES)

Z = 1.96  # half a 95% interval in standard errors
COLUMNS = ("group", "label", "method", "length", "value", "standard_error", "count", "original")

# What decides which variants are scored, and from which windows.
SCORED = ("fasta_digest", "variants_digest", "scored", "share")


def known_pairs(files: Iterable[dict]) -> pd.DataFrame:
    """Ranks of known pairs, one row a kind of pairs, method and length.

    Args:
        files: Contents of result files with the schema `KNOWN_PAIRS`.

    Returns:
        `COLUMNS`; `group` is the kind of pairs, `count` how many sequences the mean is over.
    """
    return _frame(
        {
            "group": row["pairs"],
            "label": plain_name(row["method"], row["factor"]),
            "method": row["method"],
            "length": row["length"],
            "value": row["auroc"],
            "standard_error": row["standard_error"],
            "count": len(row["sequences"]),
            "original": row["original_max_position_embeddings"],
        }
        for file in files
        for row in file["results"]
    )


def variant_effect(files: Iterable[dict]) -> pd.DataFrame:
    """Ranks of harmful variants, one row a set, score, method and length.

    Args:
        files: Contents of result files with the schemas `VARIANT_EFFECT` and `BASELINES`.

    Returns:
        `COLUMNS`; `group` is the set, `count` how many variants; a baseline has no `length`.
    """
    return _frame(
        {
            "group": variant_set(file),
            "label": _label(file, row),
            "method": file.get("method"),
            "length": row.get("length"),
            "value": row["value"],
            "standard_error": row["standard_error"],
            "count": row["variants"],
            "original": file.get("original_max_position_embeddings"),
        }
        for file in files
        for row in file["results"]
        if row["metric"] == "auroc"
    )


def variant_set(file: dict) -> str:
    """What a set of variants is called: its table, without suffixes."""
    return Path(file["data"]["variants"]).name.split(".")[0].replace("_", " ")


def check(files: dict[Path, dict]) -> None:
    """Refuse files that cannot share a table.

    Raises:
        ValueError: If two are of the same cell, of different models, or of different sequences or
            variants.
    """
    pairs = {path: file for path, file in files.items() if file["schema"] == KNOWN_PAIRS}
    variants = {path: file for path, file in files.items() if file["schema"] != KNOWN_PAIRS}
    _check_same(
        (path, f"{row['pairs']} at {row['length']:,} nt", {"sequences": sorted(row["sequences"])})
        for path, file in pairs.items()
        for row in file["results"]
    )
    _check_same(
        (path, variant_set(file), {key: file["data"].get(key) for key in SCORED})
        for path, file in variants.items()
    )
    _check_same(
        (path, f"{variant_set(file)} at {row['length']:,} nt", {"variants": row["variants"]})
        for path, file in variants.items()
        for row in file["results"]
        if "length" in row
    )
    model = ("backbone", "original_max_position_embeddings")
    _check_same(
        (path, "dependency maps", {key: row.get(key) for key in model})
        for path, file in pairs.items()
        for row in file["results"]
    )
    _check_same(
        (path, "variant effect", {key: file.get(key) for key in model})
        for path, file in variants.items()
        if file["schema"] == VARIANT_EFFECT
    )
    _check_twice(pairs, known_pairs)
    _check_twice(variants, variant_effect)


def _check_twice(
    files: dict[Path, dict], frame_of: Callable[[Iterable[dict]], pd.DataFrame]
) -> None:
    seen: dict[tuple, Path] = {}
    for path, file in files.items():
        for row in frame_of([file]).itertuples():
            where = "any length" if np.isnan(row.length) else f"{row.length:,.0f} nt"
            key = (row.group, row.label, where)
            if key in seen:
                raise ValueError(
                    f"Two results are both of {', '.join(key)}: {seen[key]} and {path}. Give one "
                    "of them."
                )
            seen[key] = path


def _check_same(found: Iterable[tuple[Path, str, dict]]) -> None:
    """What is said of the same thing is the same in every file."""
    first: dict[str, tuple[Path, dict]] = {}
    for path, of, said in found:
        before, reference = first.setdefault(of, (path, said))
        differ = [key for key in said if said[key] != reference[key]]
        if differ:
            raise ValueError(
                f"{path} and {before} cannot share a table: {', '.join(differ)} of {of} differ. "
                "Run both on the same data and model, or report on them apart."
            )


def _label(file: dict, row: dict) -> str:
    if file["schema"] == BASELINES:
        return row["baseline"]
    return f"{row['score']}, {plain_name(file['method'], file['factor'])}"


def _frame(rows: Iterable[dict]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame = frame.astype({"length": float, "standard_error": float})
    order = frame["method"].map(method_order) + np.where(frame["length"].isna(), 100, 0)
    groups = {name: place for place, name in enumerate(dict.fromkeys(frame["group"]))}
    return frame.iloc[np.lexsort([order, frame["group"].map(groups)])].reset_index(drop=True)
