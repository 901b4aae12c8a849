# SPDX-License-Identifier: Apache-2.0
"""What a run logs and what the page shows: the two halves of configs/monitor.yaml."""

import math
from dataclasses import dataclass, field, fields
from typing import List, Optional

CURVES = ("perplexity_by_length", "loss_by_position", "recall_by_distance", "entropy_by_length")

LARGEST = 2**53  # beyond it browsers round

PANELS = [
    "train_loss",
    "perplexity_by_length",
    "loss_by_position",
    "recall_by_distance",
    "eval_perplexity/*",
    "val_loss",
    "tokens_per_s",
    "step_seconds",
    "data_wait_share",
    "grad_norm",
    "lr*",
    "memory_peak_mib",
]


@dataclass
class Logged:
    """What a run logs; can be changed while it goes on.

    Args:
        metrics: Names of the metrics to log, with `*` for any letters.
        every_n_steps: Optimiser steps between two logged ones.
        eval_every_n_steps: Optimiser steps between two measurements by length, on windows of the
            validation blocks; the first is before the first step. 0 measures nothing.
        eval_lengths: Window lengths to measure at, in nucleotides; each divides the longest. None
            takes the lengths of the data.
        eval_windows: Windows of the longest length; shorter ones are cut from them.
        attention_entropy: Measure the entropy of attention as well, by length.

    Raises:
        ValueError: If a number is too small, or a length does not divide the longest.
    """

    metrics: List[str] = field(default_factory=lambda: ["*"])
    every_n_steps: int = 1
    eval_every_n_steps: int = 0
    eval_lengths: Optional[List[int]] = None
    eval_windows: int = 2
    attention_entropy: bool = False

    def __post_init__(self) -> None:
        """Check every field."""
        for name, least in (("every_n_steps", 1), ("eval_every_n_steps", 0), ("eval_windows", 1)):
            _check_whole(f"logged.{name}", getattr(self, name), least)
        _check_names("logged.metrics", self.metrics)
        if not isinstance(self.attention_entropy, bool):
            raise ValueError(
                f"logged.attention_entropy: {self.attention_entropy!r}; give true or false."
            )
        if self.eval_lengths is None:
            return
        if not isinstance(self.eval_lengths, list) or not self.eval_lengths:
            raise ValueError(
                f"logged.eval_lengths: {self.eval_lengths!r}; give a list of lengths, or null for "
                "the lengths of the data."
            )
        for length in self.eval_lengths:
            _check_whole("logged.eval_lengths", length, 1)
        longest = max(self.eval_lengths)
        odd = [n for n in self.eval_lengths if longest % n]
        if odd:
            raise ValueError(
                f"logged.eval_lengths: {odd[0]} does not divide the longest, {longest}. Every "
                "length scores the same bases, so shorter windows are cut from the longest."
            )


@dataclass
class Alerts:
    """When the page warns.

    Args:
        not_finite: When a loss was not a finite number.
        stalled_minutes: When a running run has logged nothing for so long.
        perplexity_up_percent: When perplexity at the shortest length, mostly the original context,
            is so much above its first value.

    Raises:
        ValueError: If a number is not positive.
    """

    not_finite: bool = True
    stalled_minutes: float = 10.0
    perplexity_up_percent: float = 5.0

    def __post_init__(self) -> None:
        """Check every field."""
        for name in ("stalled_minutes", "perplexity_up_percent"):
            value = getattr(self, name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < math.inf:
                raise ValueError(f"shown.alerts.{name}: {value!r}; give a number above 0.")


@dataclass
class Shown:
    """What the page shows until somebody chooses otherwise.

    Args:
        panels: Metrics and curves in order, with `*` for any letters. Curves are
            `perplexity_by_length`, `loss_by_position`, `recall_by_distance` and
            `entropy_by_length`.
        runs: Runs selected at first, with `*` for any letters. None takes the newest two.
        alerts: When the page warns.

    Raises:
        ValueError: If names are not a list of words.
    """

    panels: List[str] = field(default_factory=lambda: list(PANELS))
    runs: Optional[List[str]] = None
    alerts: Alerts = field(default_factory=Alerts)

    def __post_init__(self) -> None:
        """Check every field."""
        _check_names("shown.panels", self.panels)
        if self.runs is not None:
            _check_names("shown.runs", self.runs)


def logged_from(given: object) -> Logged:
    """`Logged` from parsed JSON, as it stands in a control file.

    Raises:
        ValueError: If it is not a mapping, or has a key or a value that is not allowed.
    """
    return _make(Logged, "logged", given)


def shown_from(given: object) -> Shown:
    """`Shown` from parsed JSON, as it stands in a run's record or in saved panels.

    Raises:
        ValueError: If it is not a mapping, or has a key or a value that is not allowed.
    """
    shown = _make(Shown, "shown", given)
    if not isinstance(shown.alerts, Alerts):
        shown.alerts = _make(Alerts, "shown.alerts", shown.alerts)
    return shown


def _make(cls: type, name: str, given: object) -> object:
    if not isinstance(given, dict):
        raise ValueError(f"{name}: {type(given).__name__}; give a mapping of options.")
    known = [f.name for f in fields(cls)]
    unknown = sorted(map(str, set(given) - set(known)))
    if unknown:
        raise ValueError(f"{name}: unknown option {unknown[0]!r}. Known: {', '.join(known)}.")
    return cls(**given)


def _check_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        said = repr(value)[:40]
        raise ValueError(f"{name}: {said}; give a whole number of at least {least}, up to 2^53.")


def _check_names(name: str, value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
        raise ValueError(f"{name}: {value!r}; give a list of names.")
