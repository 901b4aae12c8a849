# SPDX-License-Identifier: Apache-2.0
"""Read result files, and refuse to put side by side what was measured on different bases."""

import json
import warnings
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

SCHEMA = "masked_lm/1"

# What decides which bases are scored; how a run was trained may differ.
SCORED = (
    "fasta_digest",
    "test_fasta_digest",
    "lengths",
    "eval_windows",
    "block",
    "test_share",
    "valid_share",
    "mask_rate",
    "copies_per_window",
    "copy_min_length",
    "copy_max_length",
    "copy_reverse_complement",
    "copy_mask_rate",
    "random_seed",
    "window",
)


def load_results(paths: Iterable[str]) -> pd.DataFrame:
    """One row for each method, length and metric.

    Args:
        paths: JSON files written by a test run of `MaskedLM`, in the order they are to be shown.

    Returns:
        Columns `label`, `method`, `steps`, `length`, `extension` (length over original context),
        `metric`, `value`.

    Raises:
        ValueError: If no file can be used, or if the files were measured on different windows.
    """
    results = []
    for path in map(Path, paths):
        try:
            result = json.loads(path.read_text())
            if result["schema"] != SCHEMA:
                raise KeyError(f"schema is {result['schema']!r}, not {SCHEMA!r}")
        except FileNotFoundError:
            raise ValueError(f"{path}: no such result file.") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(f"{path} is left out: not a result file ({error}).", stacklevel=2)
            continue
        results.append((path, result))
    if not results:
        raise ValueError("No result file to report on. Write one with: mgen test --model.results F")
    first, reference = results[0]
    for path, result in results[1:]:
        different = [key for key in SCORED if result["data"].get(key) != reference["data"].get(key)]
        if different:
            raise ValueError(
                f"{path} and {first} were measured on different bases and cannot share a table: "
                f"{', '.join(different)} differ. Run both tests on the same data options."
            )
    frame = pd.DataFrame(
        {
            "label": label(result),
            "method": result["method"],
            "steps": result["steps"],
            "extension": row["length"] / result["original_max_position_embeddings"],
            **{key: row[key] for key in ("length", "metric", "value")},
        }
        for _, result in results
        for row in result["results"]
    )
    if frame.duplicated(["label", "length", "metric"]).any():
        names = frame[frame.duplicated(["label", "length", "metric"])]["label"].unique()
        raise ValueError(f"Two result files are both of {', '.join(names)}. Give one of them.")
    return frame


def label(result: dict) -> str:
    """What a result is called: the method, how it differs from its defaults, and its training."""
    name = {None: "upstream", "rope": "plain RoPE"}.get(result["method"], result["method"])
    if result["factor"] != 1.0:
        name += f" {result['factor']:g}x"
    return f"{name}, {result['steps']} steps" if result["steps"] else f"{name}, zero-shot"
