# SPDX-License-Identifier: Apache-2.0
"""`torch.compile` for the encoder's layers."""

import os
import shutil

from lightning.pytorch import Callback, LightningModule, Trainer

from modelgenerator.long_context.installation import base_encoder, rotary_backbone


class CompileLayers(Callback):
    """Compiles each encoder layer with `torch.compile`, which fuses what is not a matrix product.

    In place, so that state-dict keys stay as they are. The first steps at every new length take
    minutes; worth it for long runs on a GPU.

    Raises:
        ValueError: If the task's backbone is not a rotary encoder, or there is no compiler for what
            torch generates.
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
    _check_compiler(task.device.type)
    for layer in base_encoder(rotary_backbone(task)).encoder.layer:
        if layer._compiled_call_impl is None:
            layer.compile()


def _check_compiler(device: str) -> None:
    """Refuse what torch would refuse in the middle of the first step.

    It compiles C++ for a CPU, with `CXX` or g++, and has Triton compile C for a GPU.
    """
    if device == "cpu":
        variable, usual = "CXX", ("g++",)
    else:
        variable, usual = "CC", ("gcc", "clang")
    named = os.environ.get(variable)
    wanted = (named,) if named else usual
    if not any(map(shutil.which, wanted)):
        raise ValueError(
            f"CompileLayers needs a compiler, and none of {', '.join(wanted)} is on the PATH. "
            f"Install one, name one in {variable}, or leave the callback out."
        )
