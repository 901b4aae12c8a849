# SPDX-License-Identifier: Apache-2.0
"""What our labelled tasks share: windows come as token ids, and a test run may have many lengths.

Upstream's tasks tokenize strings a character at a time, and test on one dataloader.
"""

import copy
from typing import Optional

import torchmetrics as tm
from torch import Tensor, nn

from modelgenerator.long_context.tasks.counted_rows import rows_that_count


class LabelledTask:
    """Mixed into upstream's tasks: ids in, and a set of test metrics for each test dataloader.

    A data module says in `test_sets`, a (kind, length) for each test dataloader, what it tests on.
    With several, `/LENGTH` is added to the names of test metrics.
    """

    inputs = ("input_ids", "attention_mask")
    _test_set = 0  # number of the test dataloader at hand
    _test_rows = 0  # how many rows of the batch at hand count

    def _report_auprc(self) -> None:
        """Add the area under the precision-recall curve, of all classes or labels on average."""
        if self.multilabel:
            metric = tm.AveragePrecision("multilabel", num_labels=self.n_classes)
        else:
            kind = "binary" if self.n_classes == 2 else "multiclass"
            metric = tm.AveragePrecision(kind, num_classes=self.n_classes)
        self.metrics["test_metrics"]["auprc"] = metric

    def required_data_columns(self, stage: str) -> list[str]:
        """Token ids, and labels wherever a loss is computed."""
        return [*self.inputs] + ([] if stage == "predict" else ["labels"])

    def provided_data_columns(self, stage: str) -> list[str]:
        """The backbone's tokenizer is not used, so it needs no strings."""
        return ["sequences"]

    def transform(self, batch: dict, batch_idx: Optional[int] = None) -> dict:
        """The part of a batch that forward and evaluate read, on this task's device."""
        labels = batch.get("labels")
        return {
            **{name: batch[name].to(self.device) for name in self.inputs},
            "labels": None if labels is None else labels.to(self.device),
        }

    # Lightning passes the index only to a `test_step` that names it.
    def test_step(
        self, batch: dict, batch_idx: Optional[int] = None, dataloader_idx: int = 0
    ) -> dict:
        """Test one batch, counted for its dataloader; rows that another process counts are not."""
        self._test_set = dataloader_idx
        rows = len(batch["labels"])
        own = rows_that_count(self.trainer.test_dataloaders, dataloader_idx, batch_idx, rows)
        self._test_rows = own
        if own == rows:
            return super().test_step(batch, batch_idx)
        collated = self.transform(batch, batch_idx)
        predictions = self.forward(collated)[:own]
        if not own:
            return {"predictions": predictions}
        outputs = self.evaluate(predictions, {k: v[:own] for k, v in collated.items()}, "test")
        self.log_loss_and_metrics(outputs["loss"], "test")
        return {"predictions": predictions, **outputs}

    def on_test_epoch_start(self) -> None:
        """One set of metrics for each test dataloader."""
        super().on_test_epoch_start()
        sets = getattr(self.trainer.datamodule, "test_sets", [("windows", None)])
        self._test_suffixes = [f"/{length}" if len(sets) > 1 else "" for _, length in sets]
        for index in range(len(sets)):
            metrics = copy.deepcopy(self.metrics["test_metrics"])
            metrics["loss"] = tm.MeanMetric()
            self.metrics[f"test{index}_metrics"] = metrics.to(self.device)

    def on_test_epoch_end(self) -> None:
        """Log what was counted; a metric with a value for each class gets a name for each."""
        super().on_test_epoch_end()
        for index, suffix in enumerate(self._test_suffixes):
            for name, metric in self.metrics.pop(f"test{index}_metrics").items():
                value = metric.compute()
                if value.ndim:
                    for label, one in enumerate(value):
                        self.log(f"test_{name}_{label}{suffix}", one)
                else:
                    self.log(f"test_{name}{suffix}", value)

    def get_metrics_by_stage(self, stage: str) -> nn.ModuleDict:
        """The metrics of a stage; in a test run those of the dataloader at hand."""
        if stage != "test" or f"test{self._test_set}_metrics" not in self.metrics:
            return super().get_metrics_by_stage(stage)
        metrics = self.metrics[f"test{self._test_set}_metrics"]
        return nn.ModuleDict({name: metric for name, metric in metrics.items() if name != "loss"})

    def log_loss_and_metrics(self, loss: Tensor, stage: str) -> None:
        """As upstream; in a test run everything is logged at its end."""
        if stage == "test":
            metric = self.metrics[f"test{self._test_set}_metrics"]["loss"]
            metric.update(loss.detach(), weight=self._test_rows)
        else:
            super().log_loss_and_metrics(loss, stage)
