# SPDX-License-Identifier: Apache-2.0
"""Stops training at the first loss or gradient that is no finite number, while weights are good."""

from typing import Any, NamedTuple, Optional

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

NAMED = 8  # windows in a message


class _Batch(NamedTuple):
    index: int
    windows: list[str]
    loss: Optional[Tensor] = None


class StopOnNonFinite(Callback):
    """Stops training before a step with a loss or gradient that is not a finite number is taken.

    One such step makes every weight NaN, and the next checkpoint is of those. Lightning's own
    `EarlyStopping(check_finite=True)` looks when validation or an epoch ends, which is after that;
    its `detect_anomaly` finds the operation, not the batch, and slows every step.

    Note:
        The norm of the gradient is looked at but with `precision: 16-mixed`, where gradients
        overflow as a matter of course and Lightning leaves out those steps. The device is waited
        for once an optimiser step.

    Raises:
        ValueError: If a loss or gradient is not finite, on any process. The message says after how
            many steps, in which batches and windows, and which checkpoint is the last.
    """

    def __init__(self):
        super().__init__()
        self._batches: list[_Batch] = []  # of the optimiser step under way

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        names = batch.get("ids", []) if isinstance(batch, dict) else []
        self._batches.append(_Batch(batch_idx, [str(name) for name in names]))

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        self._batches[-1] = self._batches[-1]._replace(loss=loss.detach())

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        batches, self._batches = self._batches, []
        values = [batch.loss.float() for batch in batches if batch.loss is not None]
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        if not scaled:
            values.append(_gradient_norm(optimizer))
        bad = not torch.isfinite(torch.stack(values)).all()
        # All processes stop, or those that are left would wait for this one.
        if trainer.strategy.reduce_boolean_decision(bad, all=False):
            raise ValueError(_message(trainer, batches, bad))


def _gradient_norm(optimizer: Optimizer) -> Tensor:
    gradients = [
        p.grad.to_local() if isinstance(p.grad, DTensor) else p.grad
        for group in optimizer.param_groups
        for p in group["params"]
        if p.grad is not None
    ]
    return torch.nn.utils.get_total_norm(gradients)


def _message(trainer: Trainer, batches: list[_Batch], bad: bool) -> str:
    wrong = [b for b in batches if b.loss is not None and not torch.isfinite(b.loss)]
    if not bad:
        what = "A loss or gradient of another process is"
    elif wrong:
        what = f"The loss is {wrong[0].loss.item()}: it is"
    else:
        what = "The gradient is"
    shown = wrong or batches
    windows = [name for batch in shown for name in batch.windows]
    more = f" and {len(windows) - NAMED:,} more" if len(windows) > NAMED else ""
    of = f", windows {', '.join(windows[:NAMED])}{more}" if windows else ""
    return (
        f"{what} not a finite number after {trainer.global_step:,} steps, in epoch "
        f"{trainer.current_epoch}, batch {', '.join(str(batch.index) for batch in shown)}{of}. "
        f"The step was not taken. {_last_checkpoint(trainer)} Lower the learning rate, set "
        "trainer.gradient_clip_val, or look at these windows."
    )


def _last_checkpoint(trainer: Trainer) -> str:
    """Where training can go on from; weights in it are finite, for no bad step was ever taken."""
    for callback in trainer.checkpoint_callbacks:
        for name in ("last_model_path", "best_model_path"):
            path = getattr(callback, name, "")
            if path:
                return f"Go on from the last checkpoint with --ckpt_path {path}."
    if trainer.ckpt_path:
        return f"Go on from the checkpoint this run began with, --ckpt_path {trainer.ckpt_path}."
    return "No checkpoint was written yet."
