# SPDX-License-Identifier: Apache-2.0
"""Training on real windows, with a loss or gradient made bad at one step."""

from functools import partial

import pytest
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.callbacks import StopOnNonFinite
from modelgenerator.long_context.tasks import MaskedLM

ROPE = partial(rope, original_max_position_embeddings=64)


class BadLoss(MaskedLM):
    """The loss of one window is NaN or infinite."""

    at, value, windows = 2, float("nan"), None

    def training_step(self, batch, batch_idx=None):
        loss = super().training_step(batch, batch_idx)
        if batch_idx == self.at:
            BadLoss.windows = batch["ids"]
            return loss * self.value
        return loss


class BadGradient(MaskedLM):
    """The loss is finite; its gradient is not: the square root's at 0."""

    def training_step(self, batch, batch_idx=None):
        loss = super().training_step(batch, batch_idx)
        return loss + (loss - loss.detach()).sqrt() if batch_idx == 2 else loss


@pytest.fixture
def fit(windows, tiny_task, tmp_path):
    def fit(task, *callbacks, **options):
        task = tiny_task(ROPE, task=task).train()
        saved = ModelCheckpoint(tmp_path / "w", every_n_train_steps=1, save_last=True)
        trainer = Trainer(
            accelerator="cpu", logger=False, callbacks=[saved, *callbacks], max_steps=4,
            enable_progress_bar=False, enable_model_summary=False, limit_val_batches=0,
            default_root_dir=tmp_path, **options,
        )  # fmt: skip
        trainer.fit(task, datamodule=windows)
        return task

    return fit


def finite(checkpoint):
    weights = torch.load(checkpoint, weights_only=True)["state_dict"].values()
    return all(torch.isfinite(value).all() for value in weights)


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_stops_before_the_step_and_says_where(fit, tmp_path, monkeypatch, value):
    monkeypatch.setattr(BadLoss, "value", float(value))
    last = tmp_path / "w/last.ckpt"
    message = f"The loss is {value}: it is not a finite number after 2 steps, in epoch 0, batch 2, "
    with pytest.raises(ValueError, match=message) as error:
        fit(BadLoss, StopOnNonFinite())
    assert f"windows {BadLoss.windows[0]}. The step was not taken." in str(error.value)
    assert f"--ckpt_path {last}." in str(error.value)
    assert torch.load(last, weights_only=True)["global_step"] == 2
    assert finite(last)


def test_without_it_the_weights_are_lost(fit, tmp_path):
    fit(BadLoss)
    assert not finite(tmp_path / "w/last.ckpt")


def test_a_gradient_alone(fit, tmp_path):
    with pytest.raises(ValueError, match="The gradient is not a finite number after 2 steps"):
        fit(BadGradient, StopOnNonFinite())
    assert finite(tmp_path / "w/last.ckpt")


def test_within_accumulated_batches_the_bad_one_is_named(fit):
    with pytest.raises(ValueError, match=r"after 1 steps, in epoch 0, batch 2, windows a:\d+-\d+"):
        fit(BadLoss, StopOnNonFinite(), accumulate_grad_batches=2)


def test_before_any_checkpoint(fit, monkeypatch):
    monkeypatch.setattr(BadLoss, "at", 0)
    with pytest.raises(ValueError, match="after 0 steps.* No checkpoint was written yet"):
        fit(BadLoss, StopOnNonFinite())


def test_good_steps_are_the_same(fit):
    """The very weights that training without it gives."""
    plain, watched = fit(MaskedLM), fit(MaskedLM, StopOnNonFinite())
    for name, value in plain.state_dict().items():
        assert torch.equal(value, watched.state_dict()[name]), name
