# SPDX-License-Identifier: Apache-2.0
"""What a training run took, and where it ended, for whatever compares runs."""

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from modelgenerator.long_context.evaluation import check_writable, peak_memory_mib, write_json


class FitRecord(Callback):
    """Writes, when a fit ends, its last checkpoint, and what it took to a JSON file.

    The record holds steps, tokens, seconds, last training loss and peak memory; of a run that was
    resumed, tokens and seconds of its parts together, up to the checkpoint and from it on.

    Args:
        path: JSON file to write.
        checkpoint: Checkpoint to write, of the weights as training leaves them.

    Raises:
        ValueError: If a file cannot be written; before training starts.
    """

    def __init__(self, path: str, checkpoint: str):
        super().__init__()
        self.path = path
        self.checkpoint = checkpoint
        self._before = (0, 0.0)  # tokens and seconds before this fit

    def state_dict(self) -> dict:
        """Tokens and seconds so far."""
        tokens, seconds = self._so_far()
        return {"tokens": tokens, "seconds": seconds}

    def load_state_dict(self, state_dict: dict) -> None:
        """Go on counting from there."""
        self._before = (state_dict["tokens"], state_dict["seconds"])

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        check_writable(self.path, "FitRecord.path")
        check_writable(self.checkpoint, "FitRecord.checkpoint")
        self._tokens, self._started = 0, time.perf_counter()
        # Processes that share a window have it all, each.
        self._copies = trainer.world_size // getattr(trainer.strategy, "context_parallel_size", 1)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._tokens += batch["input_ids"].numel()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.save_checkpoint(self.checkpoint, weights_only=True)  # on all ranks: may be sharded
        if not trainer.is_global_zero:
            return
        loss = trainer.callback_metrics.get("train_loss")
        tokens, seconds = self._so_far()
        record = {
            "steps": trainer.global_step,
            "tokens": tokens,
            "window": getattr(trainer.datamodule, "window", None),
            "seconds": round(seconds, 1),
            "final_loss": None if loss is None else round(float(loss), 4),
            "peak_memory_mib": peak_memory_mib(),
        }
        write_json(self.path, record)

    def _so_far(self) -> tuple[int, float]:
        tokens, seconds = self._before
        return (
            tokens + self._tokens * self._copies,
            seconds + time.perf_counter() - self._started,
        )
