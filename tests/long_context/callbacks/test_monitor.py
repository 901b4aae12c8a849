# SPDX-License-Identifier: Apache-2.0
"""Short fits of random weights in this process, with the callback that records them."""

import json
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
from lightning import Trainer
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger, WandbLogger
from torch.utils.data import DataLoader

from modelgenerator.backbones.positional import gene, rope, yarn
from modelgenerator.long_context.callbacks import Monitor
from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.monitor.record import claim_name
from modelgenerator.long_context.monitor.settings import Logged, Shown
from modelgenerator.tasks import SequenceClassification

ROPE = partial(rope, original_max_position_embeddings=64)


@pytest.fixture
def data(tmp_path):
    letters = np.random.default_rng(0).choice(list("ACGT"), 16384)
    (tmp_path / "genome.fa").write_text(">a\n" + "".join(letters) + "\n")

    def make(**options):
        return GenomeWindows(
            str(tmp_path / "genome.fa"),
            **{
                "window": 128, "lengths": [64, 128], "block": 1024, "eval_windows": 2,
                "test_share": 0.2, "valid_share": 0.3, "copies_per_window": 1,
                "copy_max_length": 30, "batch_size": 1, "pin_memory": False, **options,
            },
        )  # fmt: skip

    return make


@pytest.fixture
def fit(data, tmp_path):
    """Train for some steps; gives the task back."""

    def fit(task, *callbacks, steps=4, logger=False, module=None, ckpt_path=None, **options):
        torch.manual_seed(1)
        trainer = Trainer(
            accelerator="cpu", max_steps=steps, logger=logger, callbacks=list(callbacks),
            enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
            limit_val_batches=options.pop("limit_val_batches", 0), default_root_dir=tmp_path,
            enable_checkpointing=any(isinstance(c, ModelCheckpoint) for c in callbacks), **options,
        )  # fmt: skip
        task.train()
        trainer.fit(task, datamodule=module or data(), ckpt_path=ckpt_path, weights_only=False)
        return task

    return fit


def records(folder, name="metrics.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def monitor(tmp_path, **options):
    return Monitor(str(tmp_path / "runs"), name=options.pop("name", "a"), **options)


def test_a_line_a_step_and_what_the_run_is(fit, tiny_task, tmp_path):
    fit(tiny_task(partial(yarn, factor=4.0, original_max_position_embeddings=64)),
        monitor(tmp_path))  # fmt: skip
    lines = records(tmp_path / "runs" / "a")
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert [line["tokens"] for line in lines] == [130, 260, 390, 520]  # 128 nt, [CLS], [SEP]
    for line in lines:
        assert line["length"] == 130
        assert line["tokens_per_s"] * line["step_seconds"] == pytest.approx(130, rel=1e-6)
        assert 0 <= line["data_wait_share"] < 1
        assert line["extension_factor"] == 4.0
        assert line["grad_norm"] > 0
        assert line["nonfinite_losses"] == 0
        assert line["memory_peak_mib"] > 50
        assert np.isfinite(line["train_loss"])
        assert "rotary_drift" not in line, "YaRN learns nothing"
    assert lines[-1]["minutes_left"] == 0
    assert lines[0]["minutes_left"] == pytest.approx(3 * lines[0]["step_seconds"] / 60)
    run = json.loads((tmp_path / "runs/a/run.json").read_text())
    assert (run["state"], run["method"], run["options"]["factor"]) == ("finished", "yarn", 4.0)
    assert run["pid"] == os.getpid()
    assert run["versions"]["modelgenerator"] == "0.1.3.post0"


def test_measurements_by_length_change_nothing(fit, tiny_task, tmp_path, data):
    """The same weights, bit for bit, with and without; dropout and a random method included."""
    pe = partial(gene, factor=4.0, learnable=True, original_max_position_embeddings=64)
    options = {"config_overwrites": {"hidden_dropout_prob": 0.1}}
    plain = fit(tiny_task(pe, **options), logger=False)
    logged = Logged(eval_every_n_steps=2, attention_entropy=True)
    watched = fit(tiny_task(pe, **options), monitor(tmp_path, logged=logged))
    for (name, expected), found in zip(
        plain.state_dict().items(), watched.state_dict().values(), strict=True
    ):
        assert torch.equal(expected, found), name
    folder = tmp_path / "runs" / "a"
    measured = [line for line in records(folder) if "eval_perplexity/64" in line]
    assert [line["step"] for line in measured] == [0, 2, 4]
    for line in measured:
        assert 3 < line["eval_perplexity/128"] < 40  # random weights, 16 tokens
        assert 0 < line["attention_entropy/64"] <= 1
    curve = records(folder, "perplexity_by_length.jsonl")
    assert [point["x"] for point in curve[-1]["points"]] == [64, 128]
    assert curve[-1]["points"][1]["y"] == measured[-1]["eval_perplexity/128"]
    positions = records(folder, "loss_by_position.jsonl")[-1]["points"]
    assert {point["line"] for point in positions} == {"64 nt", "128 nt"}
    assert all(0 < point["x"] < 1 for point in positions)
    recall = records(folder, "recall_by_distance.jsonl")[-1]["points"]
    assert recall
    assert all(0 <= point["y"] <= 1 for point in recall)


def test_learned_parameters_drift_from_their_start(fit, tiny_task, tmp_path):
    pe = partial(gene, factor=8.0, learnable=True, original_max_position_embeddings=64)
    fit(tiny_task(pe), monitor(tmp_path))
    drift = [line["rotary_drift"] for line in records(tmp_path / "runs/a")]
    assert 0 < drift[0] < drift[-1]
    factors = {line["extension_factor"] for line in records(tmp_path / "runs/a")}
    assert factors <= {2.0, 4.0, 6.0, 8.0}, "multiples of 128 / 64, up to 8"
    assert len(factors) > 1


def test_any_task_of_upstream(fit, tmp_path):
    """One of upstream's, on strings, `model.pe` absent, and its validation."""
    from modelgenerator.long_context.backbones import aido_dna_tiny

    backbone = partial(aido_dna_tiny, from_scratch=True, config_overwrites={"num_hidden_layers": 1})
    rows = [{"sequences": s, "labels": n} for n, s in enumerate(("ACGTACGTAC", "TTGACCA"))] * 2
    loader = DataLoader(rows, batch_size=2)
    task = SequenceClassification(backbone, n_classes=2)
    task.configure_model()
    trainer = Trainer(
        accelerator="cpu", max_epochs=2, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
        callbacks=[monitor(tmp_path, logged=Logged(eval_every_n_steps=1))],
    )  # fmt: skip
    trainer.fit(task, loader, loader)
    lines = records(tmp_path / "runs/a")
    train = [line for line in lines if "step_seconds" in line]
    assert [line["step"] for line in train] == [1, 2, 3, 4]
    assert [line["tokens"] for line in train] == [17, 34, 51, 68], "letters, before tokenization"
    assert train[0]["length"] == 10
    validated = [line for line in lines if any(name.startswith("val_") for name in line)]
    assert len(validated) == 2, "once an epoch, not again at every step after"
    run = json.loads((tmp_path / "runs/a/run.json").read_text())
    assert (run["method"], run["task"], run["state"]) == (
        None,
        "SequenceClassification",
        "finished",
    )


def test_a_resumed_run_goes_on_in_its_folder(fit, tiny_task, tmp_path):
    pe = partial(gene, factor=4.0, learnable=True, original_max_position_embeddings=64)
    save = ModelCheckpoint(tmp_path, save_last=True, every_n_train_steps=2)
    unnamed = partial(monitor, tmp_path, name=None)
    fit(tiny_task(pe), unnamed(), save, steps=2)
    (folder,) = (tmp_path / "runs").iterdir()
    started = json.loads((folder / "run.json").read_text())["started"]
    fit(tiny_task(pe, seed=5), unnamed(), steps=4, ckpt_path=tmp_path / "last.ckpt")
    assert [*(tmp_path / "runs").iterdir()] == [folder]
    lines = records(folder)
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert [line["tokens"] for line in lines] == [130, 260, 390, 520]
    drift = [line["rotary_drift"] for line in lines]
    assert drift == sorted(drift), "from the first start, not from the checkpoint"
    assert json.loads((folder / "run.json").read_text())["started"] == started
    fit(tiny_task(pe), unnamed(), steps=1)
    assert len([*(tmp_path / "runs").iterdir()]) == 2, "a new run is another folder"


def test_two_runs_of_one_name_get_two_folders(fit, tiny_task, tmp_path):
    for _ in range(2):
        fit(tiny_task(ROPE), monitor(tmp_path), steps=1)
    assert {folder.name for folder in (tmp_path / "runs").iterdir()} == {"a", "a-2"}


def test_runs_that_begin_at_one_moment_get_a_folder_each(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: claim_name(tmp_path / "runs", "a"), range(16)))
    assert len(set(names)) == 16
    assert {folder.name for folder in (tmp_path / "runs").iterdir()} == set(names)


def test_a_measurement_that_fails_stops_nothing(fit, tiny_task, tmp_path, monkeypatch):
    def measure(*args):
        raise torch.OutOfMemoryError("64,000 nt are too many")

    monkeypatch.setattr("modelgenerator.long_context.monitor.by_length.ByLength.measure", measure)
    with pytest.warns(UserWarning, match="no more measurements by length: 64,000 nt are too many"):
        fit(tiny_task(ROPE), monitor(tmp_path, logged=Logged(eval_every_n_steps=1)))
    assert [line["step"] for line in records(tmp_path / "runs/a")] == [1, 2, 3, 4]
    assert json.loads((tmp_path / "runs/a/run.json").read_text())["state"] == "finished"


def test_what_is_logged_follows_the_control_file(fit, tiny_task, tmp_path, monkeypatch):
    monkeypatch.setattr("modelgenerator.long_context.monitor.record.CONTROL_EVERY_SECONDS", 0)
    folder = tmp_path / "runs" / "a"

    class Write(Callback):
        def on_train_batch_end(self, trainer, *args):
            wishes = {
                2: {"metrics": ["train_loss", "eval_*"], "every_n_steps": 2,
                    "eval_every_n_steps": 3, "eval_lengths": [64], "eval_windows": 1},
                4: {"eval_lengths": [48, 64]},
                5: {"every_n_steps": "often"},
            }  # fmt: skip
            if trainer.global_step in wishes:
                text = json.dumps(wishes[trainer.global_step])
                (folder / "control.json").write_text(text)

    with pytest.warns(UserWarning, match=r"control.json is left out. .*48 does not divide"):
        fit(tiny_task(ROPE), Write(), monitor(tmp_path), steps=8)
    lines = records(folder)
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 6, 6, 8]
    assert "grad_norm" in lines[0]
    assert set(lines[3]) == {"step", "tokens", "time", "train_loss"}
    for measured in (lines[2], lines[5]):
        assert "eval_perplexity/64" in measured
        assert "eval_perplexity/128" not in measured
    assert json.loads((folder / "run.json").read_text())["logged"]["every_n_steps"] == 2


def test_a_full_disk_warns_once_and_stops_nothing(fit, tiny_task, tmp_path):
    """`/dev/full` answers every write as a full disk does."""
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "perplexity_by_length.jsonl").symlink_to("/dev/full")

    class Fill(Callback):
        def on_train_batch_end(self, trainer, *args):
            if trainer.global_step == 2:
                (folder / "metrics.jsonl").rename(folder / "before.jsonl")
                (folder / "metrics.jsonl").symlink_to("/dev/full")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(tiny_task(ROPE), Fill(), monitor(tmp_path, logged=Logged(eval_every_n_steps=2)))
    full = [w for w in caught if "No space left" in str(w.message)]
    assert len(full) == 1, [str(w.message) for w in full]
    assert "Training goes on" in str(full[0].message)
    assert [line["step"] for line in records(folder, "before.jsonl")] == [0, 1]
    assert json.loads((folder / "run.json").read_text())["state"] == "finished"


def test_a_loss_that_is_no_number_is_counted(fit, tiny_task, tmp_path):
    class Break(Callback):
        def on_train_batch_start(self, trainer, task, batch, batch_idx):
            if trainer.global_step == 2:
                next(task.adapter.parameters()).data.fill_(float("nan"))

    fit(tiny_task(ROPE), Break(), monitor(tmp_path))
    lines = records(tmp_path / "runs/a")
    assert [line["nonfinite_losses"] for line in lines] == [0, 0, 1, 2]
    assert lines[-1]["train_loss"] == "nan"


def test_a_crash_is_recorded(fit, tiny_task, tmp_path):
    class Crash(Callback):
        def on_train_batch_start(self, trainer, *args):
            if trainer.global_step == 2:
                raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        fit(tiny_task(ROPE), Crash(), monitor(tmp_path))
    run = json.loads((tmp_path / "runs/a/run.json").read_text())
    assert (run["state"], run["error"]) == ("failed", "RuntimeError: out of memory")


def test_a_test_run_has_its_curves(data, tiny_task, tmp_path):
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path,
        callbacks=[monitor(tmp_path)],
    )  # fmt: skip
    trainer.test(tiny_task(ROPE), datamodule=data(), verbose=False)
    folder = tmp_path / "runs" / "a"
    (line,) = records(folder)
    (curve,) = records(folder, "perplexity_by_length.jsonl")
    expected = {64: line["test_perplexity/64"], 128: line["test_perplexity/128"]}
    assert {p["x"]: p["y"] for p in curve["points"]} == pytest.approx(expected, rel=1e-6)
    assert records(folder, "recall_by_distance.jsonl")
    assert json.loads((folder / "run.json").read_text())["state"] == "finished"


def test_pictures_and_numbers_reach_wandb_and_tensorboard(fit, tiny_task, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    board = TensorBoardLogger(tmp_path, name="board")
    wandb = WandbLogger(save_dir=tmp_path, project="test", offline=True)
    csv = CSVLogger(tmp_path, name="csv")
    logged = Logged(eval_every_n_steps=2)
    fit(tiny_task(ROPE), monitor(tmp_path, logged=logged), logger=[wandb, board, csv])
    wandb.experiment.finish()
    found = EventAccumulator(board.log_dir, size_guidance={"scalars": 0, "images": 0})
    found.Reload()
    assert {"perplexity_by_length", "loss_by_position"} <= set(found.Tags()["images"])
    assert {"tokens_per_s", "eval_perplexity/64", "train_loss"} <= set(found.Tags()["scalars"])
    assert len(found.Scalars("eval_perplexity/64")) == 3
    pictures = [path.name for path in tmp_path.glob("wandb/offline-run-*/files/media/images/*.png")]
    assert sum(name.startswith("perplexity_by_length") for name in pictures) == 3
    assert "eval_perplexity/64" in (tmp_path / "csv/version_0/metrics.csv").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "../else"}, r"run name '\.\./else' is not allowed"),
        ({"name": ".hidden"}, "not beginning with a dot"),
        ({"folder": "/dev/null/runs"}, "Monitor.folder: cannot write in"),
    ],
)
def test_bad_places_are_refused_before_training(fit, tiny_task, options, message):
    with pytest.raises(ValueError, match=message):
        fit(tiny_task(ROPE), Monitor(**options))


def test_lengths_that_fit_nowhere_are_refused_before_training(fit, tiny_task, tmp_path):
    logged = Logged(eval_every_n_steps=1, eval_lengths=[65536])
    with pytest.raises(ValueError, match="valid split is empty"):
        fit(tiny_task(ROPE), monitor(tmp_path, logged=logged))


def test_secrets_stay_out_of_the_record():
    from modelgenerator.long_context.callbacks.monitor import _without_secrets

    config = {"a": [{"api_key": "k", "max_tokens": 5}], "hub_token": "t", "password": None}
    assert _without_secrets({"passwd": 1, "aws_access_key": 2}) == {
        "passwd": "(hidden)",
        "aws_access_key": "(hidden)",
    }
    assert _without_secrets(config) == {
        "a": [{"api_key": "(hidden)", "max_tokens": 5}],
        "hub_token": "(hidden)",
        "password": None,
    }


def test_what_is_shown_travels_with_the_run(fit, tiny_task, tmp_path):
    fit(tiny_task(ROPE), monitor(tmp_path, shown=Shown(panels=["grad_norm"])), steps=1)
    run = json.loads((tmp_path / "runs/a/run.json").read_text())
    assert run["shown"]["panels"] == ["grad_norm"]
    assert run["shown"]["alerts"]["stalled_minutes"] == 10.0
