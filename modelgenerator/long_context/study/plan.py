# SPDX-License-Identifier: Apache-2.0
"""What a study runs: a YAML of methods, regimes, seeds and test sets, as a list of cells."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

import yaml

KEYS = ("scale", "configs", "methods", "regimes", "seeds", "fit", "test", "test_sets")
METHOD_KEYS = ("config", "options", "seed_options", "test", "regimes")
ENTRY_KEYS = ("configs", "options")
KINDS = {
    **dict.fromkeys(("methods", "regimes", "test_sets", "fit", "test", "options"), dict),
    **dict.fromkeys(("configs", "seeds", "seed_options"), list),
    "config": str,
}
WORDS = {dict: "a table", list: "a list", str: "a file"}

Options = dict[str, object]


@dataclass(frozen=True)
class Cell:
    """One method under one regime with one seed.

    Args:
        scale: Name of the plan.
        label: The method's name in tables.
        regime: The regime's name, such as zero_shot.
        seed: Seed of training; the first of the plan where nothing is trained.
        fit: Arguments of `mgen fit`; None where nothing is trained.
        tests: Arguments of `mgen test` for each test set.
    """

    scale: str
    label: str
    regime: str
    seed: int
    fit: Optional[tuple[str, ...]]
    tests: dict[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        """Where the cell's files are, below the study's folder."""
        return f"{self.regime}/{self.label}" + (f"-{self.seed}" if self.fit is not None else "")

    def result(self, test_set: str) -> str:
        """Name of the result file of a test set; the first one goes without its name."""
        first = next(iter(self.tests))
        return f"{self.name}.json" if test_set == first else f"{self.name}-{test_set}.json"


@dataclass(frozen=True)
class Plan:
    """The cells of a study, in the order they are run: what needs no training first, then by seed.

    Args:
        scale: The plan's name.
        cells: What is run.
    """

    scale: str
    cells: tuple[Cell, ...]


def read_plan(path: Union[str, Path]) -> Plan:
    """Read a study's YAML.

    `methods`, `regimes` and `test_sets` are tables of names; `configs` are YAML files laid over
    each method's own `config`, paths relative to the plan or to where the command is run;
    `options`, and the plan's `fit` and `test`, are arguments of `mgen` by their dotted names. A
    regime without anything is not trained. `seed_options` are arguments that take the seed, besides
    seed_everything and data.train_seed. A method's `regimes` are those it takes part in; by default
    all.

    Args:
        path: The YAML file.

    Raises:
        ValueError: If the file cannot be read, or a key is unknown, missing or empty.
    """
    path = Path(path)
    try:
        given = yaml.load(path.read_text(), _UniqueKeys)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such study.") from None
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: not a study's YAML ({error}).") from None
    if not isinstance(given, dict):
        raise ValueError(f"{path}: not a study's YAML; give a table with {', '.join(KEYS)}.")
    _check_keys(path, "", given, KEYS)
    _check_kinds(path, "", given)
    for key in ("scale", "methods", "regimes", "test_sets"):
        if not given.get(key):
            raise ValueError(f"{path}: {key} is missing or empty.")
    _check_name(path, "scale", given["scale"])
    for kind, allowed in (
        ("methods", METHOD_KEYS),
        ("regimes", ENTRY_KEYS),
        ("test_sets", ENTRY_KEYS),
    ):
        for name, entry in given[kind].items():
            _check_name(path, kind, name)
            _check_kind(path, f"{kind}.{name}", entry, dict)
            _check_keys(path, f"{kind}.{name}.", entry or {}, allowed)
            _check_kinds(path, f"{kind}.{name}.", entry or {})
    for name, method in given["methods"].items():
        if not (method or {}).get("config"):
            raise ValueError(f"{path}: methods.{name}.config is missing; name the method's YAML.")
        for regime in method.get("regimes") or ():
            if regime not in given["regimes"]:
                raise ValueError(
                    f"{path}: methods.{name}.regimes: {regime} is none of the plan's regimes: "
                    f"{', '.join(given['regimes'])}."
                )
    seeds = given.get("seeds") or [0]
    if not all(isinstance(seed, int) and seed >= 0 for seed in seeds):
        raise ValueError(f"{path}: seeds: {seeds}; give whole numbers from 0.")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{path}: seeds: {seeds}; give each once.")

    cells = [
        _cell(path, given, label, regime, seed)
        for regime_is_trained in (False, True)
        for seed in (seeds if regime_is_trained else seeds[:1])
        for regime, entry in given["regimes"].items()
        if bool(entry) == regime_is_trained
        for label, method in given["methods"].items()
        if method.get("regimes") is None or regime in method["regimes"]
    ]
    return Plan(given["scale"], tuple(cells))


class _UniqueKeys(yaml.SafeLoader):
    """A key given twice is a mistake that YAML passes over: the first one would have no effect."""

    def construct_mapping(self, node, deep=False):
        names = [self.construct_object(key, deep) for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name!r} is given twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _cell(path: Path, given: dict, label: str, regime: str, seed: int) -> Cell:
    method, entry = given["methods"][label], given["regimes"][regime]
    overlays = [*(given.get("configs") or []), *((entry or {}).get("configs") or [])]
    configs = _configs(path, [method["config"], *overlays])
    options = method.get("options") or {}
    fit = None
    if entry:
        seeded = ("seed_everything", "data.train_seed", *(method.get("seed_options") or []))
        trained = {
            **(given.get("fit") or {}),
            **(entry.get("options") or {}),
            **options,
            **dict.fromkeys(seeded, seed),
        }
        fit = (*configs, *_arguments(trained))
    tests = {
        name: (
            *_configs(
                path,
                [
                    method["config"],
                    *(given.get("configs") or []),
                    *((test_set or {}).get("configs") or []),
                ],
            ),
            *_arguments(
                {
                    **(given.get("test") or {}),
                    **options,
                    **(method.get("test") or {}),
                    **((test_set or {}).get("options") or {}),
                }
            ),
        )
        for name, test_set in given["test_sets"].items()
    }
    return Cell(given["scale"], label, regime, seed, fit, tests)


def _check_keys(path: Path, where: str, given: dict, allowed: tuple[str, ...]) -> None:
    for key in given:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"{path}: {where}{key} is not known.{hint} Allowed: {', '.join(allowed)}."
            )


def _check_kinds(path: Path, where: str, given: dict) -> None:
    for key, value in given.items():
        if where.startswith("methods.") and key == "regimes":
            _check_kind(path, where + key, value, list)
        elif key in KINDS:
            _check_kind(path, where + key, value, KINDS[key])


def _check_kind(path: Path, name: str, value: object, kind: type) -> None:
    if value is not None and not isinstance(value, kind):
        raise ValueError(f"{path}: {name}: {value!r} is not allowed; give {WORDS[kind]}.")


def _check_name(path: Path, where: str, name: object) -> None:
    """Names are parts of file names."""
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.+-]*", name):
        raise ValueError(
            f"{path}: {where}: {name!r} is not allowed as a name; give letters, digits, _ and -."
        )


def _configs(path: Path, files: list[str]) -> tuple[str, ...]:
    out = []
    for file in files:
        beside = path.parent / file
        found = next((p for p in (beside, Path(file)) if p.exists()), None)
        if found is None:
            raise ValueError(f"{path}: config {file} is neither beside the study nor in {Path()}.")
        out += ["--config", str(found)]
    return tuple(out)


def _arguments(options: Options) -> tuple[str, ...]:
    """`mgen`'s arguments; values are written as YAML on one line, which jsonargparse reads."""
    out = []
    for name, value in options.items():
        text = yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()
        out += [f"--{name}", text.removesuffix("\n...").strip()]
    return tuple(out)
