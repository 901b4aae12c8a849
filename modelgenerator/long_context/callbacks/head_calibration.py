# SPDX-License-Identifier: Apache-2.0
"""How much each head should sharpen as the context grows, found with the encoder held still."""

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from modelgenerator.backbones.positional.calibration import KAPPA_SCHEMA
from modelgenerator.long_context.evaluation.results import (
    check_writable,
    provenance,
    write_json,
)
from modelgenerator.long_context.installation import rotary_backbone, rotary_embedding


class HeadCalibration(Callback):
    """Trains kappa of `helix`, an exponent for each head of each layer, and nothing else.

    The loss is that of masked bases, at the lengths trained on. Exponents stay at or above 0: no
    head gets duller than it was pretrained. `mgen-lc calibrate-heads` runs it.

    Args:
        path: JSON file to write, for `kappa_start`.

    Raises:
        ValueError: If the file cannot be written, if `model.pe` is not helix with kappa `per_layer`
            and temperature `none`, if the windows are not beyond the original context, or if
            several devices would train.
    """

    def __init__(self, path: str):
        super().__init__()
        check_writable(path, "HeadCalibration.path")
        self.path = path

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        embedding = None if pl_module.pe is None else rotary_embedding(pl_module)
        given = (getattr(embedding, "given_kappa", None), getattr(embedding, "temperature", None))
        if given != ("per_layer", "none"):
            raise ValueError(
                "HeadCalibration: model.pe must be helix with kappa: per_layer and temperature: "
                f"none, here it is {type(embedding).__name__} with kappa: {given[0]} and "
                f"temperature: {given[1]}. Use `mgen-lc calibrate-heads`."
            )
        window, original = trainer.datamodule.window, embedding.original_max_position_embeddings
        if window <= original:
            raise ValueError(
                f"HeadCalibration: no head has to sharpen in windows of {window} nt. Give windows "
                f"beyond the original context, {original} nt."
            )
        if trainer.world_size > 1:
            raise ValueError(
                f"HeadCalibration: {trainer.world_size} devices would train; set trainer.devices "
                "to 1."
            )
        pl_module.requires_grad_(False)
        embedding.kappa.requires_grad_(True)

    @torch.no_grad()
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Tensor, batch: dict, idx: int
    ) -> None:
        rotary_embedding(pl_module).kappa.clamp_(min=0.0)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        embedding = rotary_embedding(pl_module)
        write_json(
            self.path,
            {
                "schema": KAPPA_SCHEMA,
                "kappa": [[round(x, 4) for x in heads] for heads in embedding.kappa.tolist()],
                "num_heads": embedding.geometry.num_heads,
                "rotary_dim": embedding.geometry.rotary_dim,
                "original_max_position_embeddings": embedding.original_max_position_embeddings,
                "steps": trainer.global_step,
                "windows": trainer.global_step * trainer.accumulate_grad_batches,
                "backbone": type(rotary_backbone(pl_module)).__name__,
                "data": trainer.datamodule.describe(),
                **provenance(),
            },
        )
