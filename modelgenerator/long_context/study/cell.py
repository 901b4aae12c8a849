# SPDX-License-Identifier: Apache-2.0
"""Run one cell in this process: `mgen fit`, then `mgen test` on every test set."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Optional

from modelgenerator.long_context.in_process import run_mgen
from modelgenerator.long_context.study.plan import Cell

QUIET = ("--trainer.enable_model_summary", "false", "--trainer.enable_progress_bar", "false")


def run_cell(cell: Cell, results: Path, work: Path, monitor: Optional[Path] = None) -> None:
    """Train if the cell does, test, and write a result file for every test set.

    Args:
        cell: What to run.
        results: Folder of the study's result files.
        work: Folder of the cell's checkpoint; emptied first, for a killed cell restarts clean. The
            checkpoint, weights alone, stays there as last.ckpt.
        monitor: Folder of runs of the live page, where training is to appear.
    """
    from modelgenerator.long_context.evaluation import write_json

    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    training, checkpoint = None, ()
    if cell.fit is not None:
        training = _fit(cell, work, monitor)
        checkpoint = ("--ckpt_path", str(work / "last.ckpt"))
    for test_set, arguments in cell.tests.items():
        final = results / cell.result(test_set)
        raw = work / f"{test_set}.json"
        _mgen("test", *arguments, *QUIET, *checkpoint, "--model.results", str(raw),
              "--trainer.logger", "false", "--trainer.default_root_dir", str(work))  # fmt: skip
        result = json.loads(raw.read_text())
        result["cell"] = {
            "scale": cell.scale,
            "method": result["method"],
            "label": cell.label,
            "regime": cell.regime,
            "seed": cell.seed,
            "test_set": test_set,
        }
        if training is not None:
            result["training"] = training
        final.parent.mkdir(parents=True, exist_ok=True)
        write_json(final, result)
        raw.unlink()


def _fit(cell: Cell, work: Path, monitor: Optional[Path]) -> dict:
    """Train, and what the training took."""
    record = work / "fit.json"
    watched = ()
    if monitor is not None:
        watched = (
            "--trainer.callbacks+=modelgenerator.long_context.callbacks.Monitor",
            *("--trainer.callbacks.folder", str(monitor)),
            *("--trainer.callbacks.name", f"{cell.scale}-{cell.name}".replace("/", "-")),
        )
    _mgen(
        "fit",
        *cell.fit,
        *watched,
        *QUIET,
        *("--trainer.default_root_dir", str(work), "--trainer.logger", "false"),
        "--trainer.callbacks+=modelgenerator.long_context.callbacks.FitRecord",
        *("--trainer.callbacks.path", str(record)),
        *("--trainer.callbacks.checkpoint", str(work / "last.ckpt")),
    )
    return json.loads(record.read_text())


def _mgen(*arguments: str) -> None:
    """Say in the cell's log which command it is, and run it."""
    print("\n$ mgen " + shlex.join(arguments), flush=True)
    run_mgen(*arguments)
