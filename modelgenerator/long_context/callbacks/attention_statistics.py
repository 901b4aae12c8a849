# SPDX-License-Identifier: Apache-2.0
"""Where attention goes at each test length, measured while `mgen test` runs."""

import math
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from modelgenerator.backbones.positional import SPECIAL_TOKENS, apply_rotary
from modelgenerator.long_context.callbacks.natural_windows import natural_test_sets
from modelgenerator.long_context.evaluation.attention import (
    AttentionSpread,
    attention_spread,
    distance_bins,
)
from modelgenerator.long_context.installation import base_encoder, rotary_backbone

if TYPE_CHECKING:
    from modelgenerator.long_context.encoder import Rows


class AttentionStatistics(Callback):
    """Entropy of attention, and its share by distance, of every layer at every test length.

    For sampled nucleotides of the first natural windows the softmax is computed again, exactly,
    from the layer's queries and keys with the rotary table that it applied; nothing of size n x n
    is formed. The result file gets rows under `attention`: `entropy` in nats, of which `log_n` is
    the most there can be; `mass`, the share of attention by distance in powers of two; `special`,
    the share that rests on [CLS] and [SEP]. With several processes it is the first one's windows.

    Args:
        windows: Windows of every test length to look at.
        queries: Nucleotides sampled in each of them.
        seed: Decides which nucleotides; the same ones for every method.

    Raises:
        ValueError: If a number is out of range, `model.pe` is not given, the data has no test sets
            by length, or processes share windows.
    """

    def __init__(self, windows: int = 2, queries: int = 64, seed: int = 0):
        for name, value, least in (
            ("windows", windows, 1),
            ("queries", queries, 1),
            ("seed", seed, 0),
        ):
            if value < least:
                raise ValueError(f"AttentionStatistics.{name}: {value}; give at least {least}.")
        self.windows = windows
        self.queries = queries
        self.seed = seed

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        from modelgenerator.long_context.encoder import LongSelfAttention

        encoder = base_encoder(rotary_backbone(pl_module))
        self._layers = [m for m in encoder.modules() if isinstance(m, LongSelfAttention)]
        if not self._layers:
            raise ValueError(
                "AttentionStatistics needs `model.pe`: without it the encoder is upstream's, which "
                "this callback does not look into. Give `model.pe: rope` for the same numbers."
            )
        self._lengths = natural_test_sets(trainer, "AttentionStatistics")
        # Spreads of each layer, one a window, by length.
        self._found: dict[int, list[list[AttentionSpread]]] = {
            length: [[] for _ in self._layers] for length in self._lengths.values()
        }
        self._handles: list[RemovableHandle] = []

    def on_test_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        length = self._lengths.get(dataloader_idx)
        if length is None or len(self._found[length][0]) >= self.windows:
            return
        for layer, found in zip(self._layers, self._found[length], strict=True):

            def look(layer: nn.Module, inputs: tuple, found: list = found) -> None:
                self._look(layer, inputs[0], inputs[-1], found)

            self._handles.append(layer.register_forward_pre_hook(look))

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        while self._handles:
            self._handles.pop().remove()

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        rows = [
            _row(length, layer, spreads)
            for length, layers in self._found.items()
            for layer, spreads in enumerate(layers)
            if spreads
        ]
        if not hasattr(pl_module, "extra_results"):
            pl_module.extra_results = {}
        pl_module.extra_results["attention"] = rows

    @torch.no_grad()
    def _look(
        self, layer: nn.Module, hidden: Tensor, rows: "Rows", found: list[AttentionSpread]
    ) -> None:
        """Add the spreads of the first sequences of a batch, as far as windows are wanted."""
        if rows.shards is not None:
            raise ValueError(
                "AttentionStatistics needs whole windows on one device, and here several share "
                "them. Test without context parallelism."
            )
        wanted = self.windows - len(found)
        hidden = hidden[:wanted]
        shape = (*hidden.shape[:2], layer.num_attention_heads, layer.attention_head_size)
        query, key = (
            project(hidden).view(shape).transpose(1, 2) for project in (layer.query, layer.key)
        )
        query, key = layer.rotate(query, rows), apply_rotary(key, rows.table)
        if rows.lengths is None:
            sequences = zip(query, key, strict=True)
        else:  # sequences of a packed row
            split = (x[0].split(rows.lengths, dim=1) for x in (query, key))
            sequences = list(zip(*split, strict=True))[:wanted]
        for sequence_query, sequence_key in sequences:
            at = self._sample(sequence_key.shape[1] - SPECIAL_TOKENS, len(found)).to(hidden.device)
            found.append(attention_spread(sequence_query[:, at], sequence_key, at))

    def _sample(self, nucleotides: int, window: int) -> Tensor:
        """Tokens to look at in a window, the same in every layer and for every method."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + window)
        order = torch.randperm(nucleotides, generator=generator)
        return 1 + order[: self.queries].sort().values


def _row(length: int, layer: int, spreads: list[AttentionSpread]) -> dict:
    """A layer's row of the result file: means over windows, and over heads where not by head."""
    entropy, share, special = (
        torch.stack(values).mean(0).cpu() for values in zip(*spreads, strict=True)
    )
    return {
        "length": length,
        "layer": layer,
        "entropy": round(entropy.mean().item(), 4),
        "entropy_by_head": [round(x, 4) for x in entropy.tolist()],
        "log_n": round(math.log(length + SPECIAL_TOKENS), 4),
        "mass": [
            {"low": low, "high": high, "share": round(part, 6)}
            for (low, high), part in zip(distance_bins(length), share.mean(0).tolist(), strict=True)
        ],
        "special": round(special.mean().item(), 6),
    }
