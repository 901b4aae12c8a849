# SPDX-License-Identifier: Apache-2.0
"""Masked language modelling that scores masked bases only, at several lengths in one test run."""

import time
from pathlib import Path
from typing import Literal, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modelgenerator.long_context.evaluation import (
    MaskedBases,
    RecallByDistance,
    Segments,
    check_writable,
    peak_memory_mib,
    provenance,
    write_json,
)
from modelgenerator.long_context.evaluation.masked_bases import KINDS
from modelgenerator.long_context.method_record import method_record
from modelgenerator.long_context.tasks.counted_rows import rows_that_count
from modelgenerator.tasks import MLM
from modelgenerator.tasks.base import BackboneCallable

IGNORED = -100
NATURAL_METRICS = ("perplexity", "accuracy")
COPY_METRICS = ("copy_perplexity", "recall", "recall_direct", "recall_reverse_complement")


class MaskedLM(MLM):
    """Masked language modelling on windows of token ids, scored on masked bases only.

    Upstream's MLM counts every token, masked or not. Here the loss, accuracy and perplexity are
    those of masked bases, and logits are formed for them alone.

    Note:
        `mgen test` on [GenomeWindows](./#modelgenerator.long_context.data.GenomeWindows) logs
        `test_perplexity/LENGTH` and `test_accuracy/LENGTH` of natural bases for every length, and
        of planted copies `test_copy_perplexity/LENGTH` and `test_recall/LENGTH`, the share of
        their masked bases that is recovered. Callbacks add to the results what else they measure,
        through `extra_results`.

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        results: JSON file that a test run writes its results to. None writes none.
        position_bins: Equal parts of a window for the loss by position.
    """

    def __init__(
        self,
        backbone: BackboneCallable,
        results: Optional[str] = None,
        position_bins: int = 16,
        **kwargs,
    ):
        super().__init__(backbone, **kwargs)
        if self.__class__ is MaskedLM:
            self.save_hyperparameters()
        if position_bins < 1:
            raise ValueError(f"position_bins: {position_bins}; give at least 1.")
        self.results = results
        self.position_bins = position_bins
        # MaskedBases has what these held; upstream's would be logged beside it.
        for stage in ("train", "val", "test"):
            self.metrics[f"{stage}_metrics"] = nn.ModuleDict()
        self.counters = nn.ModuleDict()
        self.extra_results: dict[str, list] = {}

    def required_data_columns(self, stage: str) -> list[str]:
        """Token ids, and labels wherever a loss is computed."""
        return ["input_ids", "attention_mask"] + ([] if stage == "predict" else ["labels"])

    def provided_data_columns(self, stage: str) -> list[str]:
        """The backbone's tokenizer is not used, so it needs no strings."""
        return ["sequences"]

    def check_data_compatibility(self, stage: str) -> None:
        """Refuse, before the run, data without token ids and results that cannot be written."""
        super().check_data_compatibility(stage)
        if self.results is not None and stage == "test":
            check_writable(self.results, "model.results")

    def setup(self, stage: str) -> None:
        """Refuse checkpoint folders that cannot be written before the first step is taken."""
        if stage == "fit" and self.trainer.is_global_zero:
            for callback in self.trainer.checkpoint_callbacks:
                folder = callback.dirpath or self.trainer.default_root_dir
                check_writable(Path(folder) / "checkpoint", "ModelCheckpoint.dirpath")

    def transform(self, batch: dict, batch_idx: Optional[int] = None) -> dict:
        """The part of a batch that forward and evaluate read; ids are made by the data workers."""
        names = (
            "input_ids",
            "attention_mask",
            "labels",
            "copy_kind",
            "copy_distance",
            "window",
        )
        return {name: batch[name] for name in names if name in batch}

    def forward(self, collated_batch: dict) -> Tensor:
        """Logits of the masked bases [masked, vocab], or of all tokens if there are no labels."""
        hidden = self.backbone(
            input_ids=collated_batch["input_ids"],
            attention_mask=collated_batch["attention_mask"],
        ).last_hidden_state
        if "labels" in collated_batch:
            hidden = hidden[collated_batch["labels"] != IGNORED]
        return self.adapter(hidden)

    def evaluate(
        self,
        logits: Tensor,
        collated_batch: dict,
        stage: Optional[Literal["train", "val", "test"]] = None,
        loss_only: bool = False,
    ) -> dict:
        """Mean negative log-likelihood of the masked bases, and what it is made of.

        Args:
            logits: Logits of the masked bases [masked, vocab].
            collated_batch: The batch from `transform`.
            stage: The stage of training.
            loss_only: Whether to return the loss alone.

        Returns:
            `loss`; unless `loss_only`, also `nll`, `hit`, `position` and `kind`, each [masked].
        """
        labels = collated_batch["labels"]
        masked = labels != IGNORED
        target = labels[masked]
        nll = F.cross_entropy(logits.float(), target, reduction="none")
        loss = nll.sum() / max(1, target.numel())
        if loss_only:
            return {"loss": loss}
        column = masked.nonzero()[:, 1]
        kind = collated_batch.get("copy_kind")
        return {
            "loss": loss,
            "nll": nll.detach(),
            "hit": logits.argmax(-1) == target,
            # Without [CLS] and [SEP]. float32 also where a half precision is the default dtype.
            "position": (column - 1).float() / (labels.shape[1] - 2),
            "kind": torch.zeros_like(target) if kind is None else kind[masked],
        }

    def training_step(self, batch: dict, batch_idx: Optional[int] = None) -> Tensor:
        """One training step; logs loss, perplexity and accuracy on masked bases."""
        collated = self.transform(batch, batch_idx)
        out = self.evaluate(self.forward(collated), collated, "train")
        loss = out["loss"] * self._weight(out["nll"].numel())
        many = self.trainer.world_size > 1
        self.log("train_loss", loss, prog_bar=True, sync_dist=many)
        self.log("train_perplexity", out["loss"].detach().exp(), prog_bar=True)
        self.log("train_accuracy", out["hit"].float().mean())
        copied = out["kind"] > 0
        if copied.any():
            self.log("train_recall", out["hit"][copied].float().mean(), prog_bar=True)
        return loss

    def _weight(self, masked: int) -> float:
        """This rank's masked bases over the mean of all ranks.

        Gradients are averaged over ranks; weighted so, the average is that of all masked bases, as
        if one process had the whole batch.
        """
        if self.trainer.world_size == 1:
            return 1.0
        count = torch.tensor(masked, dtype=torch.float32, device=self.device)
        return masked / max(1.0, self.trainer.strategy.reduce(count, reduce_op="mean").item())

    def validation_step(self, batch: dict, batch_idx: Optional[int] = None) -> None:
        """Count the masked bases of a validation batch."""
        collated = self._counted(self.transform(batch, batch_idx), "val", 0, batch_idx)
        self._count("val", collated)

    def test_step(
        self, batch: dict, batch_idx: Optional[int] = None, dataloader_idx: int = 0
    ) -> None:
        """Count the masked bases of a test batch, for its dataloader's length and kind."""
        collated = self._counted(
            self.transform(batch, batch_idx), "test", dataloader_idx, batch_idx
        )
        out = self._count(f"test{dataloader_idx}", collated)
        masked = collated["labels"] != IGNORED
        kind, _ = self._test_sets()[dataloader_idx]
        scored = out["kind"] > 0 if kind == "copies" else torch.ones_like(out["hit"])
        window = collated["window"][masked.nonzero()[:, 0]]
        self.counters[f"segments{dataloader_idx}"].update(
            window[scored], out["position"][scored], out["nll"][scored], out["hit"][scored]
        )
        if kind == "copies":
            distance = collated["copy_distance"][masked]
            self.counters[f"recall{dataloader_idx}"].update(
                out["kind"][scored], distance[scored], out["hit"][scored]
            )

    def _counted(self, collated: dict, stage: str, index: int, batch_idx: int) -> dict:
        """The batch with nothing asked of windows that another process counts."""
        loaders = getattr(self.trainer, f"{stage}_dataloaders")
        labels = collated["labels"]
        own = rows_that_count(loaders, index, batch_idx, len(labels))
        if own == len(labels):
            return collated
        others = torch.arange(len(labels), device=labels.device) >= own
        return {**collated, "labels": labels.masked_fill(others[:, None], IGNORED)}

    def _count(self, key: str, collated: dict) -> dict:
        out = self.evaluate(self.forward(collated), collated)
        self.counters[key].update(out["nll"], out["hit"], out["position"], out["kind"])
        return out

    def _test_sets(self) -> list[tuple[str, int]]:
        """(kind, length) of each test dataloader."""
        return self.trainer.datamodule.test_sets

    def on_validation_epoch_start(self) -> None:
        self.counters["val"] = MaskedBases(self.position_bins).to(self.device)

    def on_validation_epoch_end(self) -> None:
        values = self.counters["val"].compute()
        for name in ("loss", *NATURAL_METRICS, *COPY_METRICS):
            if name in values:
                self.log(f"val_{name}", values[name], prog_bar=name in ("perplexity", "recall"))

    def on_test_epoch_start(self) -> None:
        super().on_test_epoch_start()
        self._started = time.perf_counter()
        self.extra_results.clear()
        data = self.trainer.datamodule
        shortest = min(data.lengths)
        for index, (kind, length) in enumerate(data.test_sets):
            windows = len(data.test_datasets[index])
            counters = {
                "test": MaskedBases(self.position_bins),
                "segments": Segments(windows, length // shortest),
            }
            if kind == "copies":
                counters["recall"] = RecallByDistance()
            for name, counter in counters.items():
                self.counters[f"{name}{index}"] = counter.to(self.device)

    def on_test_epoch_end(self) -> None:
        super().on_test_epoch_end()
        seconds = time.perf_counter() - self._started
        rows, positions, segments, recall = [], [], [], []
        for index, (kind, length) in enumerate(self._test_sets()):
            values = self.counters[f"test{index}"].compute()  # over all ranks
            for name in NATURAL_METRICS if kind == KINDS[0] else COPY_METRICS:
                if name in values:
                    self.log(f"test_{name}/{length}", values[name])
                    row = {"length": length, "metric": name, "value": values[name]}
                    rows.append({**row, "masked_bases": values["masked_bases"]})
            loss = values["loss_by_position"]
            positions.append({"length": length, "kind": kind, "loss": loss})
            sums = self.counters[f"segments{index}"].compute()
            segments.append({"length": length, "kind": kind, **sums})
            if kind == "copies":
                found = self.counters[f"recall{index}"].compute()
                recall += [{"length": length, **row} for row in found]
        if self.results is not None and self.trainer.is_global_zero:
            measured = {
                "results": rows,
                "loss_by_position": positions,
                "recall_by_distance": recall,
                "segments": segments,
                **self.extra_results,
            }
            write_json(self.results, self._result(measured, seconds))

    def _result(self, measured: dict[str, list], seconds: float) -> dict:
        """All that a table or a picture of this test run needs."""
        data = self.trainer.datamodule
        return {
            "schema": "masked_lm/2",
            **method_record(self),
            "backbone": type(self.backbone).__name__,
            "steps": self.global_step or self._trained_steps,
            "seed": getattr(data, "random_seed", None),
            "data": data.describe(),
            **measured,
            "seconds": round(seconds, 1),
            "peak_memory_mib": peak_memory_mib(),
            **provenance(),
        }

    _trained_steps = 0  # of the checkpoint under test: a test run itself takes none

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        super().on_load_checkpoint(checkpoint)
        self._trained_steps = checkpoint.get("global_step", 0)
