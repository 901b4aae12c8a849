# SPDX-License-Identifier: Apache-2.0
"""Recompute layers in the backward pass: the memory of one layer, for a third more time."""

from lightning.pytorch import Callback, LightningModule, Trainer

from modelgenerator.long_context.installation import base_encoder, rotary_backbone


class GradientCheckpointing(Callback):
    """Keeps only the input of each encoder layer in the forward pass and recomputes the rest.

    Non-reentrant, so state-dict keys stay as they are and frozen or LoRA encoders train as well.
    The rotary table, and with it a random draw of a method, is made before the layers: a
    recomputed layer sees what it saw the first time.

    Raises:
        ValueError: If the task's backbone is not a rotary encoder.
    """

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        encoder = base_encoder(rotary_backbone(pl_module))
        encoder.gradient_checkpointing_enable({"use_reentrant": False})
        # from_pretrained leaves the encoder in evaluation mode, where nothing is recomputed.
        encoder.train()
