# SPDX-License-Identifier: Apache-2.0
"""What the server hands to the page, which Streamlit runs anew for every viewer."""

import json
from dataclasses import asdict, dataclass
from typing import Optional

from modelgenerator.long_context.monitor.files import LARGEST_JSON, SAVED
from modelgenerator.long_context.monitor.password import Password
from modelgenerator.long_context.monitor.runs import Run, Runs
from modelgenerator.long_context.monitor.settings import Shown, shown_from


@dataclass
class Context:
    """One server's runs and password.

    Args:
        runs: The runs.
        password: Who knows it may change things; None lets nobody.
        private: Whether one must sign in to see anything at all.
    """

    runs: Runs
    password: Optional[Password]
    private: bool


CURRENT: Optional[Context] = None  # set by the server before the page is run


def shown(runs: Runs, listed: list[Run]) -> tuple[Shown, str]:
    """What to show, and where that is said: saved by a viewer, by the newest run, or nowhere.

    Args:
        runs: The folder of runs.
        listed: Its runs, newest first.
    """
    try:
        with open(runs.root / SAVED, "rb") as file:
            return shown_from(json.loads(file.read(LARGEST_JSON))), "saved for all viewers"
    except (OSError, ValueError, RecursionError):
        pass
    for run in listed[:20]:
        try:
            return shown_from(runs.record(run.name)["shown"]), "as the newest run asks for"
        except (KeyError, ValueError):
            continue
    return Shown(), "the defaults"


def save(runs: Runs, settings: Shown) -> None:
    """Keep what is shown, for all viewers.

    Raises:
        OSError: If it cannot be written.
    """
    path = runs.root / SAVED
    partial = path.with_name(f".{SAVED}.part")
    partial.write_text(json.dumps(asdict(settings), indent=1) + "\n")
    partial.replace(path)
