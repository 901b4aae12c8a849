# SPDX-License-Identifier: Apache-2.0
"""Studies that are killed, go on, and fail; the real thing on the shipped small encoder."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from modelgenerator.long_context.study.plan import Cell
from modelgenerator.long_context.study.runner import _time_left, failure_reason, is_finished

SMOKE = "experiments/long_context/sweep/smoke.yaml"
CELL = Cell("s", "yarn", "tuned", 3, (), {"held_out": (), "blocks": ()})


def test_a_cell_is_finished_with_all_of_its_files(tmp_path):
    assert not is_finished(CELL, tmp_path)
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned/yarn-3.json").write_text("{}")
    assert not is_finished(CELL, tmp_path)
    (tmp_path / "tuned/yarn-3-blocks.json").write_text("{}")
    assert is_finished(CELL, tmp_path)


def test_a_failed_cell_is_not_run_again_unless_asked(tmp_path):
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned/yarn-3-failed.json").write_text("{}")
    assert is_finished(CELL, tmp_path)
    assert not is_finished(CELL, tmp_path, retry_failed=True)


def test_time_left_is_that_of_the_same_regime():
    slow = Cell("s", "yarn", "slow", 0, None, {})
    assert _time_left([CELL, CELL], {"tuned": [60.0, 120.0], "slow": [600.0]}, 2) == (
        "; about 90 s left"
    )
    assert _time_left([slow], {"tuned": [60.0]}, 1) == "; about 60 s left"
    assert _time_left([], {"tuned": [60.0]}, 1) == ""


@pytest.mark.parametrize(
    ("exitcode", "line", "reason"),
    [
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried to", "out of memory"),
        (1, "DefaultCPUAllocator: can't allocate memory: you tried", "out of memory"),
        (-9, "Epoch 0", "killed (out of memory?)"),
        (1, "ValueError: factor=2.0", "crashed"),
    ],
)
def test_a_failure_has_a_reason(exitcode, line, reason):
    assert failure_reason(exitcode, ["Epoch 0", line]) == reason


def study(*options):
    return [str(Path(sys.executable).parent / "mgen-lc"), "study", *map(str, options)]


@pytest.mark.slow
@pytest.mark.upstream
def test_killed_and_run_again(root, tmp_path, run):
    """After kill -9 finished cells stay, the one under way starts anew, nobody goes on alone."""
    cells = "[zero_shot/rope, pose_1x/yarn]"
    options = ("--output", tmp_path / "out", "--work", tmp_path / "work", "--only", cells)
    options += ("--monitor", tmp_path / "runs")
    process = subprocess.Popen(
        study(SMOKE, *options),
        cwd=root,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    first, second = (tmp_path / "out" / name for name in ("zero_shot/rope.json", "pose_1x"))
    log = tmp_path / "work/smoke/pose_1x-yarn-0.log"
    deadline = time.monotonic() + 300
    while not log.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    written = first.stat().st_mtime_ns
    time.sleep(2)
    size = log.stat().st_size
    time.sleep(3)
    assert log.stat().st_size == size  # the cell died with its study
    assert not second.exists()

    done = run("mgen-lc", "study", SMOKE, *options)
    assert done.returncode == 0, done.stderr
    assert "2 cells, 1 finished before" in done.stdout
    assert first.stat().st_mtime_ns == written
    result = json.loads((second / "yarn-0.json").read_text())
    assert result["cell"]["regime"] == "pose_1x"
    assert result["training"]["steps"] == 1
    assert result["steps"] == 1
    assert {row["length"] for row in result["results"]} == {512, 2048}
    watched = tmp_path / "runs" / "smoke-pose_1x-yarn-0" / "metrics.jsonl"
    assert "train_loss" in watched.read_text()


@pytest.mark.slow
@pytest.mark.upstream
def test_a_failing_cell_stays_in_the_results(root, tmp_path, run):
    plan = yaml.safe_load((root / SMOKE).read_text())
    plan["methods"] = {"gene": {"config": "configs/gene_16x.yaml", "options": {}}}
    plan["methods"]["gene"]["options"] = {"model.pe.factor": 2.0}  # too small for 4x windows
    plan["regimes"] = {"tuned_4x": plan["regimes"]["tuned_4x"]}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    options = ("--output", tmp_path / "out", "--work", tmp_path / "work")
    done = run("mgen-lc", "study", tmp_path / "plan.yaml", *options)
    assert done.returncode == 1
    assert "1 cells failed: tuned_4x/gene-0" in done.stderr
    failed = json.loads((tmp_path / "out/tuned_4x/gene-0-failed.json").read_text())
    assert failed["schema"] == "failed/1"
    assert failed["reason"] == "crashed"
    assert "factor=2.0 is too small to train on" in failed["error"]
    assert "Traceback" not in done.stderr


@pytest.mark.upstream
def test_bad_options_are_refused(tmp_path, run):
    done = run("mgen-lc", "study", SMOKE, "--only", "[nothing]", "--output", tmp_path)
    assert done.returncode == 1
    assert "only: ['nothing'] names no cell" in done.stderr


@pytest.mark.slow
@pytest.mark.upstream
def test_the_smoke_scale_runs_whole_and_is_reported(tmp_path, run):
    done = run("mgen-lc", "study", SMOKE, "--jobs", "2", "--output", tmp_path / "out",
               "--work", tmp_path / "work")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("*/*.json"))) == 9
    done = run("mgen-lc", "report", tmp_path / "out", "--output", tmp_path / "report")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "report/report.html").read_text()
    for title in ("zero-shot", "1x", "4x"):
        assert title in page.lower()


@pytest.mark.slow
@pytest.mark.upstream
def test_a_cell_on_two_devices_is_a_cell_on_one(root, tmp_path, run):
    """Training and testing each start ranks of their own, in one process after the other."""
    values = []
    for devices, batch in ((1, 2), (2, 1)):
        plan = yaml.safe_load((root / SMOKE).read_text())
        plan["methods"] = {"yarn": {"config": "configs/yarn_16x.yaml"}}
        plan["regimes"] = {"tuned_1x": {"options": {"data.batch_size": batch}}}
        plan["fit"]["data.lengths"] = [512]
        plan["test"].update({"data.window": 512, "data.copies_per_window": 1})
        plan["test"]["data.eval_windows"] = 2
        plan["test_sets"]["held_out"]["options"]["data.lengths"] = [512]
        for part in ("fit", "test"):
            plan[part].update({"trainer.devices": devices, "trainer.strategy": "ddp"})
        (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
        out = tmp_path / str(devices)
        done = run("mgen-lc", "study", tmp_path / "plan.yaml", "--output", out,
                   "--work", tmp_path / "work")  # fmt: skip
        assert done.returncode == 0, done.stderr
        values.append(json.loads((out / "tuned_1x/yarn-0.json").read_text())["results"])
    for one, two in zip(*values, strict=True):
        assert one["masked_bases"] == two["masked_bases"]
        assert two["value"] == pytest.approx(one["value"], rel=1e-4)
