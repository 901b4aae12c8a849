# SPDX-License-Identifier: Apache-2.0
import json
from functools import partial

import numpy as np
import pytest
import torch
from lightning import Trainer

from modelgenerator.backbones.positional import helix, yarn
from modelgenerator.long_context.callbacks import HeadCalibration
from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.installation import rotary_embedding

HELIX = partial(
    helix, factor=4.0, kappa="per_layer", temperature="none", random_scale=False,
    original_max_position_embeddings=64,
)  # fmt: skip


@pytest.fixture
def calibrate(tiny_task, tmp_path):
    """Train random weights' exponents on a random sequence; task, file, weights before."""
    letters = np.random.default_rng(0).choice(list("ACGT"), 8192)
    (tmp_path / "genome.fa").write_text(">a\n" + "".join(letters) + "\n")

    def calibrate(pe=HELIX, path="heads.json", window=256):
        data = GenomeWindows(
            str(tmp_path / "genome.fa"), window=window, lengths=[window], block=1024,
            valid_share=0.2, test_share=0.2, batch_size=2, pin_memory=False,
        )  # fmt: skip
        trainer = Trainer(
            accelerator="cpu", logger=False, callbacks=[HeadCalibration(str(tmp_path / path))],
            enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
            default_root_dir=tmp_path, max_steps=4, limit_val_batches=0,
        )  # fmt: skip
        task = tiny_task(pe)
        task.optimizer = partial(torch.optim.AdamW, lr=0.1)
        before = {name: value.clone() for name, value in task.state_dict().items()}
        trainer.fit(task, datamodule=data)
        return task, json.loads((tmp_path / path).read_text()), before

    return calibrate


def test_trains_the_exponents_and_nothing_else(calibrate, tmp_path):
    task, found, before = calibrate()
    after = task.state_dict()
    changed = [name for name, value in after.items() if not torch.equal(value, before[name])]
    assert len(changed) == 1
    assert changed[0].endswith("rotary_pos_emb.kappa")
    kappa = rotary_embedding(task).kappa
    assert kappa.min() >= 0 < kappa.max()
    torch.testing.assert_close(torch.tensor(found["kappa"]), kappa.detach(), atol=1e-4, rtol=0)
    assert found["steps"] == found["windows"] == 4
    again = HELIX(rotary_embedding(task).geometry, kappa_start=str(tmp_path / "heads.json"))
    torch.testing.assert_close(again.kappa, kappa, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("pe", "message"),
    [
        (None, "here it is NoneType with kappa: None"),
        (partial(yarn, original_max_position_embeddings=64), "here it is yarn with kappa: None"),
        (partial(HELIX, kappa="per_head"), "here it is helix with kappa: per_head"),
        (partial(HELIX, temperature="log_n"), "and temperature: log_n"),
    ],
)
def test_refuses_what_it_cannot_calibrate(calibrate, pe, message):
    with pytest.raises(ValueError, match=message):
        calibrate(pe)


def test_windows_that_ask_for_nothing(calibrate):
    with pytest.raises(ValueError, match="in windows of 64 nt. Give .* original context, 64 nt"):
        calibrate(window=64)


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="HeadCalibration.path: cannot write in"):
        HeadCalibration(str(tmp_path / "file/heads.json"))
