# SPDX-License-Identifier: Apache-2.0
"""Whether the model says the same of both strands, measured while `mgen test` runs."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from modelgenerator.long_context.callbacks.natural_windows import natural_test_sets
from modelgenerator.long_context.evaluation.reverse_complement import (
    StrandConsistency,
    other_strand,
    strand_consistency,
)


class ReverseComplementConsistency(Callback):
    """Predicts the first natural windows of every test length from both strands and compares.

    The same bases are masked on the other strand. The result file gets rows under
    `reverse_complement`: `agreement`, the share of masked bases whose likeliest base is the same
    from both; `divergence`, the mean over them of the symmetric Kullback-Leibler divergence (the
    mean of both directions) among A, C, G and T, in nats; `bases`, how many there were. With
    several processes it is the first one's windows. Not for FSDP, which shards the model outside of
    the test step.

    Args:
        windows: Windows of every test length to compare.

    Raises:
        ValueError: If `windows` is below 1, the task is not MaskedLM, or the data has no test sets
            by length.
    """

    def __init__(self, windows: int = 2):
        if windows < 1:
            raise ValueError(f"ReverseComplementConsistency.windows: {windows}; give at least 1.")
        self.windows = windows

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        from modelgenerator.long_context.tasks import MaskedLM

        if not isinstance(pl_module, MaskedLM):
            raise ValueError(
                "ReverseComplementConsistency compares predictions of masked bases, which "
                f"{type(pl_module).__name__} does not make. Use it with "
                "modelgenerator.long_context.tasks.MaskedLM."
            )
        self._lengths = natural_test_sets(trainer, "ReverseComplementConsistency")
        self._found: dict[int, list[StrandConsistency]] = {n: [] for n in self._lengths.values()}

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        length = self._lengths.get(dataloader_idx)
        if length is None:
            return
        found = self._found[length]
        for row in range(min(len(batch["labels"]), self.windows - len(found))):
            window = {
                name: batch[name][row : row + 1]
                for name in ("input_ids", "attention_mask", "labels")
            }
            other = {
                **window,
                "input_ids": other_strand(window["input_ids"]),
                "labels": window["labels"].flip(1),  # where they are is all that is read
            }
            with trainer.precision_plugin.test_step_context(), torch.no_grad():
                logits, other_logits = pl_module.forward(window), pl_module.forward(other)
            found.append(strand_consistency(logits, other_logits))

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        rows = []
        for length, found in self._found.items():
            if not sum(len(window.agree) for window in found):
                continue
            agree, divergence = (torch.cat(values) for values in zip(*found, strict=True))
            rows.append(
                {
                    "length": length,
                    "agreement": round(agree.float().mean().item(), 6),
                    "divergence": round(divergence.mean().item(), 6),
                    "bases": len(agree),
                }
            )
        pl_module.extra_results["reverse_complement"] = rows
