# SPDX-License-Identifier: Apache-2.0
"""`torch.compile` for the encoder's layers."""

from lightning.pytorch import Callback, LightningModule, Trainer

from modelgenerator.long_context.installation import base_encoder, rotary_backbone


class CompileLayers(Callback):
    """Compiles each encoder layer with `torch.compile`, which fuses what is not a matrix product.

    In place, so that state-dict keys stay as they are. The first steps at every new length take
    minutes; worth it for long runs on a GPU.

    Raises:
        ValueError: If the task's backbone is not a rotary encoder.
    """

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        compile_layers(pl_module)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        compile_layers(pl_module)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        compile_layers(pl_module)

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        compile_layers(pl_module)


def compile_layers(task: LightningModule) -> None:
    """Compile the layers of a task's encoder, all alike; those that are compiled stay so."""
    for layer in base_encoder(rotary_backbone(task)).encoder.layer:
        if layer._compiled_call_impl is None:
            layer.compile()
