# SPDX-License-Identifier: Apache-2.0
"""The step number that random draws of a positional method depend on."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from modelgenerator.long_context.installation import rotary_embedding


class PositionalStep(Callback):
    """Tells a method that draws at random which training step it is.

    The number of batches since the run began, kept by the trainer's own checkpoints: a resumed run
    draws what an unbroken one would have, and all ranks draw alike.
    """

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        rotary_embedding(pl_module).step = trainer.fit_loop.epoch_loop.total_batch_idx
