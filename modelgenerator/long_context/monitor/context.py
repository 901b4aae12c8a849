# SPDX-License-Identifier: Apache-2.0
"""What the server hands to the page, which Streamlit runs anew for every viewer."""

from dataclasses import asdict, dataclass
from typing import Optional

from modelgenerator.long_context.monitor.files import SAVED, read_json, write_json
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
        return shown_from(read_json(runs.root, None, SAVED)), "saved for all viewers"
    except ValueError:
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
    write_json(runs.root, None, SAVED, asdict(settings))
