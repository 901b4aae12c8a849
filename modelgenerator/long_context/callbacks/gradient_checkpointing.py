# SPDX-License-Identifier: Apache-2.0
"""Recompute layers in the backward pass, all of them or all but attention."""

from functools import partial
from typing import Literal

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from modelgenerator.backbones.positional.checks import check_choice
from modelgenerator.long_context.installation import base_encoder, rotary_backbone

ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention.default,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default,
    torch.ops.aten._scaled_dot_product_efficient_attention.default,
    torch.ops.aten._scaled_dot_product_cudnn_attention.default,
}


class GradientCheckpointing(Callback):
    """Keeps little of each encoder layer in the forward pass and recomputes the rest.

    The input of each layer is kept, and by default the result of attention too: that is as much
    memory again, and at long windows most of what there is to recompute. Non-reentrant, so
    state-dict keys stay as they are and frozen or LoRA encoders train as well. The rotary table,
    and with it a random draw of a method, is made before the layers: a recomputed layer sees what
    it saw the first time. Where configs give several of this callback, the last one counts.

    Args:
        keep: What to keep beside the weights: attention (inputs of layers and results of
            attention), or inputs (of layers alone) where memory is short.

    Raises:
        ValueError: If `keep` is neither, or the task's backbone is not a rotary encoder.
    """

    def __init__(self, keep: Literal["attention", "inputs"] = "attention") -> None:
        self.keep = check_choice("keep", keep, ("attention", "inputs"))

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        enable_checkpointing(base_encoder(rotary_backbone(pl_module)), self.keep)


def enable_checkpointing(encoder: nn.Module, keep: str) -> None:
    """Let an encoder recompute its layers in the backward pass, keeping what `keep` says."""
    options = {"use_reentrant": False}
    if keep == "attention":
        options["context_fn"] = partial(create_selective_checkpoint_contexts, _keep_attention)
    encoder.gradient_checkpointing_enable(options)
    # from_pretrained leaves the encoder in evaluation mode, where nothing is recomputed.
    encoder.train()


def _keep_attention(context, operation, *args, **kwargs) -> CheckpointPolicy:
    if operation in ATTENTION:
        return CheckpointPolicy.MUST_SAVE
    return CheckpointPolicy.PREFER_RECOMPUTE
