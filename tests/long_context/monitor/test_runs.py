# SPDX-License-Identifier: Apache-2.0
import json
import os
import time

import pytest

from modelgenerator.long_context.monitor import runs as module
from modelgenerator.long_context.monitor.runs import Runs


@pytest.fixture(autouse=True)
def always_look(monkeypatch):
    monkeypatch.setattr(module, "READ_EVERY_SECONDS", 0.0)


def states(runs, stalled=60.0):
    return {run.name: run.state for run in runs.listing(stalled)}


def test_states(make_run, tmp_path):
    make_run("going")
    make_run("done").finish()
    make_run("broken").fail(MemoryError("64,000 nt"))
    make_run("silent")
    old = time.time() - 600
    for file in (tmp_path / "silent").iterdir():
        os.utime(file, (old, old))
    expected = {"going": "running", "done": "finished", "broken": "failed", "silent": "stalled"}
    assert states(Runs(tmp_path)) == expected
    assert Runs(tmp_path).record("broken")["error"] == "MemoryError: 64,000 nt"


def test_a_stalled_run_that_writes_again_runs_again(make_run, tmp_path):
    recorder = make_run("a")
    for file in (tmp_path / "a").iterdir():
        os.utime(file, (1e9, 1e9))
    runs = Runs(tmp_path)
    assert states(runs) == {"a": "stalled"}
    recorder.log(4, 400, {"train_loss": 0.1})
    assert states(runs) == {"a": "running"}


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_wrong(make_run, tmp_path, hours):
    """Files come with the other machine's time: a change that was seen counts by ours."""
    recorder = make_run("a")
    runs = Runs(tmp_path)

    def shift():
        then = time.time() + 3600 * hours
        for file in (tmp_path / "a").iterdir():
            os.utime(file, (then, then))

    shift()
    assert states(runs)["a"] == ("stalled" if hours < 0 else "running")
    recorder.log(4, 400, {})
    shift()
    (run,) = runs.listing(60)
    assert run.state == "running"
    assert 0 <= run.silent < 5


def test_folders_that_are_no_runs(make_run, tmp_path):
    make_run("a")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "version_0").mkdir()
    (tmp_path / "version_0" / "metrics.csv").write_text("x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "run.json").write_text("{}")
    (tmp_path / "file").write_text("x")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "a")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "metrics.jsonl").symlink_to(tmp_path / "a" / "metrics.jsonl")
    assert states(Runs(tmp_path)) == {"a": "running"}
    assert Runs(tmp_path / "missing").listing(60) == []


def test_a_run_without_its_record(make_run, tmp_path):
    make_run("a")
    (tmp_path / "a" / "run.json").unlink()
    runs = Runs(tmp_path)
    assert states(runs) == {"a": "running"}
    assert runs.record("a") == {}
    assert runs.open("a").lines.by_name["train_loss"].last == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "record", ["", "[]", '{"state": "<b>", "started": "soon"}', '{"started": NaN}']
)
def test_records_of_any_content(make_run, tmp_path, record):
    make_run("a")
    make_run("b")
    (tmp_path / "a" / "run.json").write_text(record)
    assert states(Runs(tmp_path)) == {"a": "running", "b": "running"}


def test_lines_grow_and_files_begin_anew(make_run, tmp_path):
    recorder = make_run("a", steps=2)
    runs = Runs(tmp_path)
    assert len(runs.open("a").lines.by_name["train_loss"].table()) == 2
    recorder.log(3, 300, {"train_loss": 0.1})
    assert len(runs.open("a").lines.by_name["train_loss"].table()) == 3
    (tmp_path / "a" / "metrics.jsonl").write_text('{"step": 1, "train_loss": 5}\n')
    assert runs.open("a").lines.by_name["train_loss"].table()[:, 3].tolist() == [5]


def test_what_one_viewer_draws_stays_while_another_reads_on(make_run, tmp_path):
    recorder = make_run("a", steps=2)
    recorder.curve("loss_by_position", 2, [{"x": 0, "y": 1}])
    runs = Runs(tmp_path)
    drawn = runs.open("a")
    recorder.log(3, 300, {"train_loss": 0.1, "lr": 1.0})
    recorder.curve("loss_by_position", 3, [{"x": 0, "y": 2}])
    assert set(runs.open("a").lines.by_name) == {"train_loss", "lr"}
    assert set(drawn.lines.by_name) == {"train_loss"}
    assert drawn.lines.by_name["train_loss"].table()[:, 0].tolist() == [1, 2]
    assert len(drawn.curves["loss_by_position"]) == 1
    assert len(runs.open("a").curves["loss_by_position"]) == 2


def test_curves_keep_their_history_but_not_what_a_resumed_run_repeats(make_run, tmp_path):
    recorder = make_run("a")
    for step, y in ((0, 4.0), (50, 3.0), (100, 2.0), (50, 3.5)):
        recorder.curve("perplexity_by_length", step, [{"x": 512, "y": y}])
    (tmp_path / "a" / "loss_by_position.jsonl").write_text('{"step": 1, "points": 5}\n{"x": 1}\n')
    curves = Runs(tmp_path).open("a").curves
    found = [(c["step"], c["points"][0]["y"]) for c in curves["perplexity_by_length"]]
    assert found == [(0, 4.0), (50, 3.5)]
    assert curves["loss_by_position"] == []


def test_a_name_from_outside_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not allowed"):
        Runs(tmp_path).open("../etc")


def test_thousands_of_runs_are_listed_quickly(tmp_path):
    for index in range(3000):
        folder = tmp_path / f"run-{index}"
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps({"state": "finished", "started": index}))
    runs = Runs(tmp_path)
    assert runs.listing(60)[0].name == "run-2999"
    started = time.process_time()
    assert len(runs.listing(60)) == 3000
    assert time.process_time() - started < 1.0, "of CPU time, once they are known"


def test_only_some_runs_stay_open(make_run, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "OPEN_RUNS", 2)
    runs = Runs(tmp_path)
    for name in "abc":
        make_run(name)
        runs.open(name)
    assert list(runs._open) == ["b", "c"]
    assert runs.open("a").lines.by_name["train_loss"].last == pytest.approx(1 / 3)
