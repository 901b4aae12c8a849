# SPDX-License-Identifier: Apache-2.0
"""The spread of attention logits at the original context, measured while `mgen validate` runs."""

from typing import TYPE_CHECKING

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from modelgenerator.backbones.positional import SPECIAL_TOKENS, apply_rotary
from modelgenerator.backbones.positional.calibration import SCHEMA
from modelgenerator.long_context.calibration import logit_std
from modelgenerator.long_context.evaluation.results import (
    check_writable,
    provenance,
    write_json,
)
from modelgenerator.long_context.installation import (
    base_encoder,
    rotary_backbone,
    rotary_embedding,
)

if TYPE_CHECKING:
    from modelgenerator.long_context.encoder import Rows


class LogitCalibration(Callback):
    """Standard deviation of the attention logits of every layer and head, in a file for `helix`.

    Logits are taken after the rotation, of sampled tokens against all tokens of a window: the
    standard deviation within a row, a mean over rows and windows. `mgen-lc calibrate` runs it with
    plain RoPE on validation windows of the original context.

    Args:
        path: JSON file to write.
        windows: Windows to measure; the validation data must have as many.
        queries: Tokens sampled in each of them.
        seed: Decides which tokens.

    Raises:
        ValueError: If the file cannot be written, a number is below 1 (`seed`: 0), `model.pe` is
            not rope, windows are not of the original context, or there are or were too few.
    """

    def __init__(self, path: str, windows: int = 100, queries: int = 64, seed: int = 0):
        for name, value, least in (
            ("windows", windows, 1),
            ("queries", queries, 1),
            ("seed", seed, 0),
        ):
            if value < least:
                raise ValueError(f"LogitCalibration.{name}: {value}; give at least {least}.")
        check_writable(path, "LogitCalibration.path")
        self.path = path
        self.windows = windows
        self.queries = queries
        self.seed = seed

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        # Here already: without any window there is no validation to start.
        data = trainer.datamodule
        found = 0 if data.val_dataset is None else len(data.val_dataset)
        if found < self.windows:
            raise ValueError(
                f"LogitCalibration: {self.windows} windows of {data.window:,} nt are asked for, "
                f"validation has {found}. Give more data or a larger data.valid_share, or ask for "
                "fewer windows."
            )

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        from modelgenerator.long_context.encoder import LongSelfAttention

        encoder = base_encoder(rotary_backbone(pl_module))
        self._layers = [m for m in encoder.modules() if isinstance(m, LongSelfAttention)]
        name = type(rotary_embedding(pl_module)).__name__ if self._layers else None
        if name != "rope":
            raise ValueError(
                f"LogitCalibration: model.pe is {name}; give `model.pe: rope`, for it is the "
                "encoder as pretrained that is measured."
            )
        original = rotary_embedding(pl_module).original_max_position_embeddings
        window = trainer.datamodule.window
        if window != original:
            raise ValueError(
                f"LogitCalibration: windows of {window:,} nt, the original context is "
                f"{original:,}. Give a window of {original}."
            )
        self._found: list[list[Tensor]] = [[] for _ in self._layers]
        self._handles: list[RemovableHandle] = []
        for layer, spreads in zip(self._layers, self._found, strict=True):

            def look(layer: nn.Module, inputs: tuple, spreads: list = spreads) -> None:
                self._look(layer, inputs[0], inputs[-1], spreads)

            self._handles.append(layer.register_forward_pre_hook(look))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        while self._handles:
            self._handles.pop().remove()
        seen = len(self._found[0])
        if seen < self.windows:
            raise ValueError(
                f"LogitCalibration: {self.windows} windows are asked for, this process has seen "
                f"{seen}. Leave trainer.limit_val_batches out, and run on one device."
            )
        embedding = rotary_embedding(pl_module)
        std = [torch.stack(spreads).mean(0).tolist() for spreads in self._found]
        write_json(
            self.path,
            {
                "schema": SCHEMA,
                "logit_std": [[round(x, 5) for x in heads] for heads in std],
                "num_heads": embedding.geometry.num_heads,
                "rotary_dim": embedding.geometry.rotary_dim,
                "original_max_position_embeddings": embedding.original_max_position_embeddings,
                "windows": seen,
                "queries": self.queries,
                "backbone": type(rotary_backbone(pl_module)).__name__,
                "data": trainer.datamodule.describe(),
                **provenance(),
            },
        )

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        while getattr(self, "_handles", None):
            self._handles.pop().remove()

    @torch.no_grad()
    def _look(self, layer: nn.Module, hidden: Tensor, rows: "Rows", spreads: list[Tensor]) -> None:
        """Add the spread of the windows of a batch, as far as windows are wanted."""
        assert rows.lengths is None, "windows of one length have no padding"
        assert rows.shards is None, "one process"
        table = rows.table
        shape = (1, -1, layer.num_attention_heads, layer.attention_head_size)
        for states in hidden[: self.windows - len(spreads)]:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + len(spreads))
            order = torch.randperm(len(states) - SPECIAL_TOKENS, generator=generator)
            at = (1 + order[: self.queries].sort().values).to(states.device)
            sampled = type(table)(table.cos[at], table.sin[at])
            query = apply_rotary(layer.query(states[at]).view(shape).transpose(1, 2), sampled)
            key = apply_rotary(layer.key(states).view(shape).transpose(1, 2), table)
            spreads.append(logit_std(query[0], key[0]).cpu())
