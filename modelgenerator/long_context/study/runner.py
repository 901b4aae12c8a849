# SPDX-License-Identifier: Apache-2.0
"""Run the cells of a study side by side, each in a process of its own, and keep what failed."""

import contextlib
import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable
from multiprocessing.connection import wait
from pathlib import Path

from tqdm import tqdm

from modelgenerator.long_context.study.cell import run_cell
from modelgenerator.long_context.study.plan import Cell, Plan

# Imported once, by the server that all cells' processes are forked from.
PRELOAD = ["modelgenerator.main", "modelgenerator.long_context.tasks", "modelgenerator.tasks"]
FAILED = "failed/1"


def run_study(
    plan: Plan,
    results: Path,
    work: Path,
    jobs: int = 1,
    cells: Iterable[Cell] | None = None,
    retry_failed: bool = False,
    monitor: Path | None = None,
) -> list[Cell]:
    """Run what is not finished yet, and return the cells that failed.

    A cell is finished when all of its result files are there; they are written whole or not at
    all. One that was killed leaves none, and is run from its start.

    Args:
        plan: What to run.
        results: Folder of result files.
        work: Folder of logs and checkpoints.
        jobs: Cells at a time; CPU threads are shared out among them.
        cells: Only these of the plan's cells.
        retry_failed: Whether cells that failed before are run again.
        monitor: Folder of runs of the live page, where training is to appear.
    """
    wanted = list(plan.cells if cells is None else cells)
    open_cells = [cell for cell in wanted if not is_finished(cell, results, retry_failed)]
    print(f"{plan.scale}: {len(wanted)} cells, {len(wanted) - len(open_cells)} finished before.")
    if not open_cells:
        return []
    # On a CPU the threads are what is shared; on a GPU they hardly matter.
    threads = max(1, (os.cpu_count() or 1) // jobs)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    failed, running, waiting = [], {}, list(open_cells)
    seconds = defaultdict(list)  # of finished cells, by regime
    with _single_threaded(threads), tqdm(total=len(open_cells), unit="cell") as progress:
        while waiting or running:
            while waiting and len(running) < jobs:
                cell = waiting.pop(0)
                process = context.Process(
                    target=_in_process, args=(cell, results, work, monitor), name=cell.name
                )
                process.start()
                running[process.sentinel] = (process, cell, time.perf_counter())
            for sentinel in wait(list(running)):
                process, cell, started = running.pop(sentinel)
                process.join()
                took = time.perf_counter() - started
                outcome = "done"
                if not is_finished(cell, results, retry_failed=True):
                    outcome = _record_failure(cell, process.exitcode, took, results, work)
                    failed.append(cell)
                else:
                    seconds[cell.regime].append(took)
                    _failure_file(cell, results).unlink(missing_ok=True)
                left = _time_left([*waiting, *(c for _, c, _ in running.values())], seconds, jobs)
                progress.write(f"{cell.name}: {outcome}, {took:.0f} s{left}", file=sys.stdout)
                sys.stdout.flush()
                progress.update()
    return failed


def is_finished(cell: Cell, results: Path, retry_failed: bool = False) -> bool:
    """Whether all result files of a cell are there, or one that says it failed."""
    if all((results / cell.result(test_set)).exists() for test_set in cell.tests):
        return True
    return not retry_failed and _failure_file(cell, results).exists()


def _failure_file(cell: Cell, results: Path) -> Path:
    return results / f"{cell.name}-failed.json"


def _log(cell: Cell, work: Path) -> Path:
    return work / f"{cell.name.replace('/', '-')}.log"


def _in_process(cell: Cell, results: Path, work: Path, monitor: Path | None) -> None:
    """What a cell's process does: everything it prints goes to the cell's log."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    log = _log(cell, work)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            run_cell(cell, results, work / cell.name.replace("/", "-"), monitor)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)  # a failed run's threads must not keep the process


def _die_with_parent() -> None:
    """A cell whose study was killed must not go on beside the study's next run."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _record_failure(
    cell: Cell, exitcode: int | None, took: float, results: Path, work: Path
) -> str:
    """Keep a failed cell in the results, with its reason; what it was, in words."""
    from modelgenerator.long_context.evaluation import provenance, write_json

    log = _log(cell, work)
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    reason = failure_reason(exitcode, lines)
    path = _failure_file(cell, results)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "schema": FAILED,
        "cell": {
            "scale": cell.scale,
            "label": cell.label,
            "regime": cell.regime,
            "seed": cell.seed,
        },
        "reason": reason,
        "error": "\n".join(lines[-5:]),
        "seconds": round(took, 1),
        **provenance(),
    }
    write_json(path, record)
    return f"{reason}, see {log}"


def failure_reason(exitcode: int | None, lines: list[str]) -> str:
    """What ended a cell, from its exit code and the lines of its log."""
    said = (line.lower() for line in lines[-30:])
    if any("out of memory" in line or "can't allocate memory" in line for line in said):
        return "out of memory"
    # The kernel kills what takes too much memory, without a word in the log; but so may others.
    return "killed (out of memory?)" if exitcode == -9 else "crashed"


def _time_left(cells: list[Cell], seconds: dict[str, list[float]], jobs: int) -> str:
    """About how long the rest takes, from finished cells of the same regime or else of all."""
    known = [x for values in seconds.values() for x in values]
    if not cells or not known:
        return ""
    mean = {regime: sum(values) / len(values) for regime, values in seconds.items() if values}
    overall = sum(known) / len(known)
    left = sum(mean.get(cell.regime, overall) for cell in cells) / jobs
    return f"; about {left / 60:.0f} min left" if left > 90 else f"; about {left:.0f} s left"


@contextlib.contextmanager
def _single_threaded(threads: int):
    """Threads of the processes that are started here; they read it from the environment."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(threads)
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
