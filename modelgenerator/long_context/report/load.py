# SPDX-License-Identifier: Apache-2.0
"""Read result files, and refuse to put side by side what was measured on different bases."""

import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mode
from typing import Any, Optional

import pandas as pd

from modelgenerator.long_context.report import auroc
from modelgenerator.long_context.report.colours import Style, method_order, plain_name, styles

SCHEMAS = ("masked_lm/1", "masked_lm/2")
FAILED = "failed/1"
KNOWN = (*SCHEMAS, FAILED, *auroc.SCHEMAS)

# What decides which bases are scored; how a run was trained may differ.
SCORED = (
    "fasta_digest",
    "test_fasta_digest",
    "lengths",
    "eval_windows",
    "block",
    "test_share",
    "valid_share",
    "max_n_fraction",
    "mask_rate",
    "copies_per_window",
    "copy_min_length",
    "copy_max_length",
    "copy_reverse_complement",
    "copy_mask_rate",
    "test_copies",
    "random_seed",
    "window",
)

# In the order they are shown; any other name is shown after them, as it is.
REGIMES = {
    "": "",
    "zero_shot": "zero-shot",
    "pose_1x": "fine-tuned at 1x, skipped positions",
    "tuned_4x": "fine-tuned at 4x",
    "tuned_16x": "fine-tuned at 16x",
}
TEST_SETS = {
    "": "",
    "held_out": "genomes of other species",
    "blocks": "held-out blocks of a training genome",
}
IDENTITY = ("test_set", "regime", "label", "seed")


@dataclass(frozen=True)
class Results:
    """Test runs measured on the same bases for each test set, each with the `cell` it belongs to.

    Attributes:
        finished: Result files, in the order they are shown.
        failed: Records of runs that failed; their `cell` may lack a test set.
        ranked: Result files of known pairs and of variants, which belong to no test set.
        drawn: How each label is drawn where these are a part of more results; None if they are all.
    """

    finished: list[dict]
    failed: list[dict]
    ranked: list[dict] = field(default_factory=list)
    drawn: Optional[dict[str, Style]] = None

    def frame(self, part: str = "results") -> pd.DataFrame:
        """One row for each entry of a list in the result files, such as `results` or `attention`.

        Returns:
            Columns `test_set`, `regime`, `label`, `seed`, `method`, `steps`, `extension` (length
            over original context) and those of the entries; no rows where no file has the list.
        """
        rows = [
            {
                **row,  # first, for what it has a `seed` of is not the training
                **{key: result["cell"][key] for key in IDENTITY},
                "method": result["method"],
                "steps": result["steps"],
                "extension": row["length"] / result["original_max_position_embeddings"],
            }
            for result in self.finished
            for row in result.get(part, ())
        ]
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=[*IDENTITY, "length"])

    def of(self, test_set: str) -> "Results":
        """The results of one test set, and the failures that concern it."""
        return Results(
            [r for r in self.finished if r["cell"]["test_set"] == test_set],
            [r for r in self.failed if r["cell"].get("test_set", test_set) == test_set],
            drawn=self.styles,
        )

    @property
    def test_sets(self) -> list[str]:
        """Names of the test sets, in the order they are shown."""
        found = {r["cell"]["test_set"] for r in self.finished}
        return sorted(found, key=lambda name: (_place(TEST_SETS, name), name))

    @property
    def regimes(self) -> list[str]:
        """Names of the regimes, in the order they are shown."""
        found = {r["cell"]["regime"] for r in (*self.finished, *self.failed)}
        return sorted(found, key=lambda name: (_place(REGIMES, name), name))

    @property
    def labels(self) -> list[str]:
        """What the rows of tables are called, in the order they are shown."""
        return list(dict.fromkeys(r["cell"]["label"] for r in (*self.finished, *self.failed)))

    @property
    def styles(self) -> dict[str, Style]:
        """How each label is drawn, the same in every picture of every test set."""
        methods = {r["cell"]["label"]: r["method"] for r in self.finished}
        drawn = styles(methods) if self.drawn is None else self.drawn
        return {label: drawn[label] for label in methods}

    @property
    def original(self) -> int:
        """The original context, nucleotides."""
        return self.finished[0]["original_max_position_embeddings"]

    @property
    def factor(self) -> float:
        """The factor that most methods were set up for; 1 where none extends the context."""
        extending = [r["factor"] for r in self.finished if r["factor"] > 1]
        return mode(extending) if extending else 1.0


def load_results(paths: Iterable[str]) -> Results:
    """Read result files; those of a running study are read as far as they are there.

    Args:
        paths: JSON files written by test runs of `MaskedLM` and `VariantEffect`, by a study, or of
            known pairs of dependency maps, in the order they are to be shown, or folders to be
            searched for them.

    Raises:
        ValueError: If no file can be used, or if files cannot share a table: of different schemas,
            measured on different bases, variants or pairs, of one regime trained on different
            numbers of tokens, or two of the same cell.
    """
    finished: dict[Path, dict] = {}
    failed: dict[Path, dict] = {}
    ranked: dict[Path, dict] = {}
    for path in _files(paths):
        content = _read(path)
        if content is None:
            continue
        kind = {FAILED: failed, **dict.fromkeys(auroc.SCHEMAS, ranked)}
        kind.get(content["schema"], finished)[path] = content
    if not (finished or ranked):
        raise ValueError(
            "No result file to report on"
            + (f", only {len(failed)} of runs that failed" if failed else "")
            + ". Write one with: mgen test --model.results FILE"
        )
    for result in finished.values():
        result.setdefault("cell", _own_cell(result))
    _check_schema(finished)
    _check_cells({**finished, **failed})
    _check_model(finished)
    _check_budget(finished)
    _check_bases(finished)
    auroc.check(ranked)
    return Results(_ordered(finished), _ordered(failed), list(ranked.values()))


def label(result: dict) -> str:
    """What a result of no study is called: its method, factor and training."""
    name = plain_name(result["method"], result["factor"])
    return f"{name}, {result['steps']} steps" if result["steps"] else f"{name}, zero-shot"


def title(names: dict[str, str], name: str) -> str:
    """What a regime or test set is called in a heading."""
    return names.get(name, name.replace("_", " "))


def _own_cell(result: dict) -> dict:
    return {"test_set": "", "regime": "", "label": label(result), "seed": 0}


def _files(paths: Iterable[str]) -> list[Path]:
    found = []
    for path in map(Path, paths):
        if not path.exists():
            raise ValueError(f"{path}: no such result file or folder.")
        found += sorted(path.rglob("*.json")) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def _read(path: Path) -> Any:
    """A result file's content, or None, with a warning, if it is not one."""
    try:
        content = json.loads(path.read_text())
        if content["schema"] not in KNOWN:
            known = ", ".join(KNOWN)
            raise ValueError(f"its schema is {content['schema']!r}, known are {known}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        warnings.warn(f"{path} is left out: not a result file ({reason}).", stacklevel=3)
        return None
    return content


def _check_schema(results: dict[Path, dict]) -> None:
    for path, result in results.items():
        first, reference = next(iter(results.items()))
        if result["schema"] != reference["schema"]:
            raise ValueError(
                f"{path} has schema {result['schema']} and {first} has {reference['schema']}: what "
                "they measure differs, so they cannot share a table. Run the older tests again, or "
                "report on them apart."
            )


def _check_cells(results: dict[Path, dict]) -> None:
    seen: dict[tuple, Path] = {}
    for path, result in results.items():
        cell = result["cell"]
        key = tuple(cell.get(name) for name in IDENTITY)
        if key in seen:
            name = ", ".join(str(x) for x in key if x not in (None, ""))
            raise ValueError(
                f"Two result files are both of {name}: {seen[key]} and {path}. Give one of them."
            )
        seen[key] = path


def _check_model(results: dict[Path, dict]) -> None:
    for path, result in results.items():
        first, reference = next(iter(results.items()))
        if result["backbone"] != reference["backbone"]:
            raise ValueError(
                f"{path} is of {result['backbone']} and {first} of {reference['backbone']}: rows "
                "of a table are methods of one model. Report on them apart."
            )


def _check_budget(results: dict[Path, dict]) -> None:
    """Plans may share a page, with what one ran and another did, if they train as much."""
    references: dict[str, tuple[Path, int]] = {}
    for path, result in results.items():
        if result["cell"]["regime"] and "training" in result:
            regime, tokens = result["cell"]["regime"], result["training"]["tokens"]
            first, reference = references.setdefault(regime, (path, tokens))
            if tokens != reference:
                raise ValueError(
                    f"{path} was trained on {tokens:,} tokens and {first} on {reference:,}: the "
                    f"methods of one regime, {regime}, are compared on one budget. Report on them "
                    "apart."
                )


def _check_bases(results: dict[Path, dict]) -> None:
    """All results of a test set were measured on the same bases, and say so in the same words."""
    references: dict[str, tuple[Path, dict]] = {}
    for path, result in results.items():
        first, reference = references.setdefault(result["cell"]["test_set"], (path, result))
        start = f"{path} and {first} were measured on different bases and cannot share a table: "
        here, there = result["data"], reference["data"]
        different = [key for key in SCORED if here.get(key) != there.get(key)]
        if different:
            raise ValueError(
                f"{start}{', '.join(different)} differ. Run both tests on the same data options."
            )
        original = "original_max_position_embeddings"
        if result[original] != reference[original]:
            raise ValueError(
                f"{path} is of an original context of {result[original]:,} nt and {first} of one "
                f"of {reference[original]:,}: 1x is not the same for both. Report on them apart."
            )
        if _bases(result) != _bases(reference):
            raise ValueError(
                f"{start}the same data options gave other masked bases. Run both with the same "
                "version of this plugin."
            )


def _bases(result: dict) -> dict:
    return {(s["kind"], s["length"]): s["bases"] for s in result.get("segments", ())}


def _ordered(results: dict[Path, dict]) -> list[dict]:
    """Those of a study by regime and method; others as they were given."""

    def place(result: dict) -> tuple:
        cell = result["cell"]
        if not cell["regime"]:
            return (0,)
        method = result.get("method", cell.get("method"))
        return (_place(REGIMES, cell["regime"]), method_order(method), cell["label"], cell["seed"])

    return sorted(results.values(), key=place)


def _place(names: dict[str, str], name: str) -> int:
    return list(names).index(name) if name in names else len(names)
