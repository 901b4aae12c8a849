# SPDX-License-Identifier: Apache-2.0
"""The runs of a folder: their states, and what they logged, read once for all who watch."""

import os
import stat
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from modelgenerator.long_context.monitor.files import (
    METRICS,
    RUN,
    check_run_name,
    number,
    read_json,
)
from modelgenerator.long_context.monitor.jsonl import Reader
from modelgenerator.long_context.monitor.lines import Lines
from modelgenerator.long_context.monitor.settings import CURVES

STATES = ("running", "stalled", "failed", "finished")
READ_EVERY_SECONDS = 1.0  # however many watch
OPEN_RUNS = 50  # kept in memory
LAST_CURVES = 200  # measurements by length that are kept of each run


@dataclass(frozen=True)
class Run:
    """A run as the list shows it.

    Attributes:
        name: Its folder.
        state: One of `STATES`. Stalled is a run that ended without a word or has been silent.
        started: Seconds since 1970, by the clock of the training machine.
        silent: Seconds since it last wrote, by the clock of this machine.
    """

    name: str
    state: str
    started: float
    silent: float


@dataclass(frozen=True)
class OpenRun:
    """What a run logged up to a moment; it stays so while others read on.

    Attributes:
        lines: Metrics by step.
        curves: Measurements of each curve, oldest first.
        behind: Bytes of metrics not read yet.
        skipped: Lines that could not be read.
    """

    lines: Lines
    curves: dict[str, list[dict]]
    behind: int
    skipped: int


class _Growing:
    """A run as it is read; `update` reads what is new."""

    def __init__(self, root: Path, name: str):
        self.lines = Lines()
        self.curves: dict[str, list[dict]] = {}
        self._metrics = Reader(root, name, METRICS)
        self._curves = {curve: Reader(root, name, f"{curve}.jsonl") for curve in CURVES}

    def update(self) -> None:
        """Read what was written since the last call, at most 16 MiB of each file."""
        records, anew = self._metrics.read()
        if anew:
            self.lines = Lines()
        self.lines.extend(records)
        for name, reader in self._curves.items():
            records, anew = reader.read()
            kept = [] if anew else self.curves.get(name, [])
            for record in records:
                step = number(record.get("step"))
                if step is not None and isinstance(record.get("points"), list):
                    kept = [old for old in kept if old["step"] < step]
                    kept.append({**record, "step": step})
            self.curves[name] = kept[-LAST_CURVES:]

    def now(self) -> OpenRun:
        """What there is at this moment; arrays and points are replaced, never changed."""
        skipped = self._metrics.skipped + sum(r.skipped for r in self._curves.values())
        return OpenRun(self.lines.copy(), dict(self.curves), self._metrics.behind, skipped)


class Runs:
    """All runs of a folder. One object serves every viewer, each file is read once.

    Args:
        root: Folder of runs. It may be empty or missing: runs are looked for at every call.
    """

    def __init__(self, root: Path):
        self.root = Path(root)
        self._lock = threading.RLock()
        self._records: dict[str, tuple[tuple, dict]] = {}  # run.json by its inode and time
        self._seen: dict[str, tuple[tuple, float]] = {}  # marks of the last change, and when
        self._listed: tuple[float, list[Run]] = (-READ_EVERY_SECONDS, [])
        self._open: OrderedDict[str, tuple[float, _Growing]] = OrderedDict()

    def listing(self, stalled_seconds: float) -> list[Run]:
        """All runs, newest first.

        Args:
            stalled_seconds: Silence after which a running run counts as stalled.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._listed[0] >= READ_EVERY_SECONDS:
                self._listed = (now, self._scan())
            runs = self._listed[1]
        runs = [_with_state(run, stalled_seconds) for run in runs]
        return sorted(runs, key=lambda run: (run.started, run.name), reverse=True)

    def record(self, name: str) -> dict:
        """The `run.json` of a run; empty if there is none or it cannot be read."""
        with self._lock:
            mark = file_mark(self.root / name / RUN)
            if mark is None:
                return {}
            if self._records.get(name, (None,))[0] != mark:
                self._records[name] = (mark, read_json(self.root, name, RUN) or {})
            return self._records[name][1]

    def open(self, name: str) -> OpenRun:
        """What a run logged, read up to now.

        Raises:
            ValueError: If the name is not that of a run folder.
        """
        check_run_name(name)
        with self._lock:
            read, run = self._open.pop(name, (None, None))
            run = run or _Growing(self.root, name)
            now = time.monotonic()
            if read is None or now - read >= READ_EVERY_SECONDS:
                run.update()
                read = now
            self._open[name] = (read, run)
            while len(self._open) > OPEN_RUNS:
                self._open.popitem(last=False)
            return run.now()

    def _scan(self) -> list[Run]:
        try:
            with os.scandir(self.root) as entries:
                names = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
        except OSError:
            return []
        runs = [run for name in names if (run := self._look(name)) is not None]
        for gone in set(self._seen) - {run.name for run in runs}:
            self._seen.pop(gone)
            self._records.pop(gone, None)
        return runs

    def _look(self, name: str) -> Optional[Run]:
        try:
            check_run_name(name)
        except ValueError:
            return None
        marks = tuple(file_mark(self.root / name / file) for file in (METRICS, RUN))
        if marks == (None, None):
            return None
        # A change that was seen counts from then on; only the first look must trust the clock of
        # the machine that wrote, which may be ahead or behind.
        last_change = max(mark[1] for mark in marks if mark is not None) / 1e9
        known = self._seen.get(name)
        if known is None:
            silent = max(0.0, time.time() - last_change)
            self._seen[name] = (marks, time.monotonic() - silent)
        elif known[0] != marks:
            self._seen[name] = (marks, time.monotonic())
        record = self.record(name)
        started = number(record.get("started"))
        return Run(
            name=name,
            state=record["state"] if record.get("state") in STATES else "running",
            started=last_change if started is None else started,
            silent=time.monotonic() - self._seen[name][1],
        )


def _with_state(run: Run, stalled_seconds: float) -> Run:
    if run.state == "running" and run.silent > stalled_seconds:
        return Run(run.name, "stalled", run.started, run.silent)
    return run


def file_mark(path: Path) -> Optional[tuple]:
    """What changes with a file's content: inode, time, size; None if it is no regular file."""
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
