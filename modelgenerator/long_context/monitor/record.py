# SPDX-License-Identifier: Apache-2.0
"""The writing side of a run folder. Nothing that goes wrong here may stop a training run."""

import os
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Optional

from modelgenerator.long_context.monitor.files import (
    CONTROL,
    METRICS,
    RUN,
    check_run_name,
    read_json,
    write_json,
)
from modelgenerator.long_context.monitor.jsonl import Writer
from modelgenerator.long_context.monitor.settings import Logged, logged_from

CONTROL_EVERY_SECONDS = 1.0


class Recorder:
    """Writes the files of one run.

    A write that fails, on a full disk for instance, is warned of once; later ones are tried again.

    Args:
        root: Folder of runs.
        name: The run's folder; made if it is not there.

    Raises:
        ValueError: If the name is not allowed.
    """

    def __init__(self, root: Path, name: str):
        self.root, self.name = Path(root), check_run_name(name)
        self._warned: set[str] = set()
        self._record: dict = {}
        self._control_mark: Optional[tuple] = None
        self._control_at = 0.0
        self._try(lambda: (self.root / name).mkdir(parents=True, exist_ok=True))
        self._metrics = Writer(self.root / name / METRICS)

    def begin(self, record: dict) -> None:
        """Write what the run is; a resumed run keeps the time it was first started."""
        earlier = read_json(self.root, self.name, RUN) or {}
        now = time.time()
        started = earlier.get("started", now)
        self._record = {**record, "name": self.name, "started": started, "resumed": now}
        self._set_state("running")

    def log(self, step: int, tokens: int, values: dict[str, float]) -> None:
        """Append a line of metrics.

        Args:
            step: Optimiser steps so far.
            tokens: Tokens trained on so far.
            values: Metrics by name.
        """
        line = {"step": step, "tokens": tokens, "time": time.time(), **values}
        self._try(lambda: self._metrics.append(line))

    def curve(self, name: str, step: int, points: list[dict]) -> None:
        """Append a measurement of a curve; points have `x`, `y` and, of several lines, `line`."""
        writer = Writer(self.root / self.name / f"{name}.jsonl")
        line = {"step": step, "time": time.time(), "points": points}
        self._try(lambda: writer.append(line))

    def finish(self) -> None:
        """Say that the run came to its end."""
        self._set_state("finished", ended=time.time())

    def fail(self, error: BaseException) -> None:
        """Say that the run broke off, and why."""
        reason = f"{type(error).__name__}: {error}".rstrip(": ")[:2000]
        self._set_state("failed", ended=time.time(), error=reason)

    def control(self) -> Optional[Logged]:
        """New settings from the control file, if it changed since the last call."""
        now = time.monotonic()
        if now - self._control_at < CONTROL_EVERY_SECONDS:
            return None
        self._control_at = now
        try:
            status = (self.root / self.name / CONTROL).lstat()
        except OSError:
            return None
        mark = (status.st_ino, status.st_mtime_ns, status.st_size)
        if mark == self._control_mark:
            return None
        self._control_mark = mark
        try:
            return logged_from(read_json(self.root, self.name, CONTROL))
        except ValueError as error:
            self.warn(f"{self.name}/{CONTROL} is left out. {error}")
            return None

    def keep(self, **entries: object) -> None:
        """Change entries of the run's record."""
        self._record.update(entries)
        self._try(lambda: write_json(self.root, self.name, RUN, self._record))

    def warn(self, message: str) -> None:
        """Warn once of each thing."""
        if message not in self._warned:
            self._warned.add(message)
            warnings.warn(f"Monitor: {message}", stacklevel=3)

    def _set_state(self, state: str, **entries: object) -> None:
        self.keep(state=state, **entries)

    def _try(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self.warn(
                f"cannot write in {self.root / self.name} ({error.strerror or error}). Training "
                "goes on; the page misses what is not written."
            )


def in_use(root: Path, name: str) -> bool:
    """Whether a process of this machine is writing a run, so that no second one may."""
    record = read_json(root, name, RUN) or {}
    pid = record.get("pid")
    if record.get("state") != "running" or record.get("host") != platform.node():
        return False
    if not isinstance(pid, int) or pid in (0, os.getpid()):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True


def claim_name(root: Path, wanted: str) -> str:
    """Make the folder of a new run: `wanted`, or with "-2", "-3", ... where that is taken.

    Of two runs that begin at the same moment, each gets a folder of its own.

    Raises:
        OSError: If it cannot be made.
    """
    name, count = wanted, 1
    while True:
        (root / name).mkdir(parents=True, exist_ok=True)
        if not (root / name / METRICS).exists():
            try:
                with (root / name / RUN).open("x") as file:
                    file.write("{}\n")
                return name
            except FileExistsError:
                pass
        count += 1
        name = f"{wanted}-{count}"
