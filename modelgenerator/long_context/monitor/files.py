# SPDX-License-Identifier: Apache-2.0
"""Files of a run folder, opened so that no name or link leads out of the folder of runs.

A run is a folder directly inside the folder of runs: no links, no hidden names. Its files are
`run.json`, `metrics.jsonl`, a `.jsonl` for each curve, and `control.json`.
"""

import json
import math
import os
import stat
import threading
from pathlib import Path
from typing import Optional

from modelgenerator.long_context.monitor.settings import CURVES

RUN, METRICS, CONTROL, SAVED = "run.json", "metrics.jsonl", "control.json", "monitor.json"
APPENDED = (METRICS, *(f"{curve}.jsonl" for curve in CURVES))  # grow at their end only
LARGEST_PART = 4 * 2**20  # of a file, sent at a time
LARGEST_JSON = 8 * 2**20  # no run.json or control.json is near this; a hostile one may be
# Non-finite numbers are no JSON; they are written as these words.
WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def check_run_name(name: str) -> str:
    """Return `name` if it can be that of a run folder.

    Raises:
        ValueError: If it is empty, hidden, too long, or holds a separator or control character.
    """
    if not name or name[0] == "." or "/" in name or "\\" in name or not name.isprintable():
        raise ValueError(
            f"run name {name!r} is not allowed: give a plain folder name, without slashes and not "
            "beginning with a dot."
        )
    if len(os.fsencode(name)) > 200:
        raise ValueError(f"run name of {len(os.fsencode(name))} bytes; at most 200 are allowed.")
    return name


def open_file(root: Path, run: Optional[str], name: str) -> int:
    """File descriptor to read a regular file of a run, or of the folder of runs itself.

    Raises:
        ValueError: If the run's name is not allowed.
        OSError: If there is no such file, or it or its folder is a link or no regular file.
    """
    folder = _open_folder(root, run)
    try:
        # Not blocking: opening a FIFO would wait for its writer.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(f"{run}/{name} is not a regular file")
    return file


def read_json(root: Path, run: Optional[str], name: str) -> Optional[dict]:
    """A small JSON file of a run; None if it is absent, unreadable or not an object."""
    try:
        with open(open_file(root, run, name), "rb") as file:
            content = json.loads(file.read(LARGEST_JSON))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def write_json(root: Path, run: Optional[str], name: str, content: object) -> None:
    """Write a JSON file of a run, or of the folder of runs itself; a reader never sees half of it.

    Raises:
        ValueError: If the run's name is not allowed.
        OSError: If it cannot be written, or the run's folder is a link.
    """
    folder = _open_folder(root, run)
    partial = f".{name}.{os.getpid()}.{threading.get_ident()}.part"  # two viewers, one process
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(partial, flags, 0o644, dir_fd=folder), "w") as file:
            file.write(json.dumps(plain(content), indent=1, allow_nan=False) + "\n")
        os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def plain(value: object) -> object:
    """A value as JSON can hold it: non-finite numbers as words, unknown objects as their text."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def number(value: object) -> Optional[float]:
    """A number from a JSON file of a run; None if it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return WORDS.get(value) if isinstance(value, str) else None


def _open_folder(root: Path, run: Optional[str]) -> int:
    if run is None:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    check_run_name(run)
    return os.open(root / run, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
