# SPDX-License-Identifier: Apache-2.0
"""What a fit leaves behind; studies test it with the real `mgen`."""

import json
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, Dataset

from modelgenerator.long_context.callbacks import FitRecord


class Windows(Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, index):
        return {"input_ids": torch.arange(5), "x": torch.ones(3)}


class Line(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(3, 1)

    def training_step(self, batch):
        loss = self.line(batch["x"]).square().mean() + 1
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder, **options):
    record = FitRecord(str(folder / "fit.json"), str(folder / "last.ckpt"))
    trainer = L.Trainer(
        max_steps=3,
        accelerator="cpu",
        devices=1,
        callbacks=[record],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    model = Line()
    trainer.fit(model, DataLoader(Windows(), batch_size=2))
    return model


def test_counts_and_weights(tmp_path):
    model = fit(tmp_path)
    record = json.loads((tmp_path / "fit.json").read_text())
    assert record["steps"] == 3
    assert record["tokens"] == 3 * 2 * 5
    assert record["window"] is None
    assert record["final_loss"] >= 1
    assert record["seconds"] >= 0
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert torch.equal(checkpoint["state_dict"]["line.weight"], model.line.weight)
    assert "optimizer_states" not in checkpoint


def test_unwritable_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="FitRecord.path: cannot write in"):
        fit(tmp_path / "file" / "below")


def test_a_resumed_run_counts_its_parts_together(tmp_path):
    def fit_to(steps, ckpt_path=None):
        record = FitRecord(str(tmp_path / "fit.json"), str(tmp_path / "last.ckpt"))
        saved = ModelCheckpoint(tmp_path / "kept", every_n_train_steps=2, save_last=True)
        trainer = L.Trainer(
            max_steps=steps,
            accelerator="cpu",
            devices=1,
            callbacks=[record, saved],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Line(), DataLoader(Windows(), batch_size=2), ckpt_path=ckpt_path)
        return json.loads((tmp_path / "fit.json").read_text())

    first = fit_to(2)
    assert first["tokens"] == 2 * 2 * 5
    both = fit_to(4, tmp_path / "kept" / "last.ckpt")
    assert (both["steps"], both["tokens"]) == (4, 4 * 2 * 5)
    assert both["seconds"] >= first["seconds"]


def test_windows_shared_by_processes_are_counted_once(tmp_path):
    record = FitRecord(str(tmp_path / "fit.json"), str(tmp_path / "last.ckpt"))
    strategy = SimpleNamespace(context_parallel_size=2)
    record.on_fit_start(SimpleNamespace(world_size=4, strategy=strategy), None)
    record.on_train_batch_end(None, None, None, {"input_ids": torch.zeros(1, 10)}, 0)
    assert record.state_dict()["tokens"] == 2 * 10
