# SPDX-License-Identifier: Apache-2.0
"""A label for every nucleotide of a window, or for every bin of several."""

from typing import Callable, Optional

import torch
import torchmetrics as tm
from torch import Tensor

from modelgenerator.adapters import LinearAdapter, TokenAdapter
from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.tasks.labelled_task import LabelledTask
from modelgenerator.tasks import SequenceClassification, SequenceRegression
from modelgenerator.tasks.base import BackboneCallable

# Exact curves would keep every prediction: 64,000 a window. These are counts at so many thresholds.
THRESHOLDS = 200


def bin_hidden(hidden: Tensor, bin_size: int) -> Tensor:
    """Mean hidden state of each bin of nucleotides, [batch, n // bin_size, width].

    Args:
        hidden: Hidden states with [CLS] and [SEP], [batch, n + 2, width].
        bin_size: Nucleotides in a bin; what is left over at the end of a window is in none.
    """
    batch, tokens, width = hidden.shape
    bins = (tokens - 2) // bin_size
    inside = hidden[:, 1 : 1 + bins * bin_size]
    return inside if bin_size == 1 else inside.view(batch, bins, bin_size, width).mean(dim=2)


class _Bins(LabelledTask):
    """What tasks with a label for every bin share; mixed into upstream's tasks."""

    def _set_bins(self, bin_size: int) -> None:
        if bin_size < 1:
            raise ValueError(f"bin_size: {bin_size}; give at least 1.")
        self.bin_size = bin_size

    def forward(self, collated_batch: dict) -> Tensor:
        """What the adapter says of each bin, [batch, n // bin_size, outputs]."""
        hidden = self.backbone(
            input_ids=collated_batch["input_ids"], attention_mask=collated_batch["attention_mask"]
        ).last_hidden_state
        return self.adapter(bin_hidden(hidden, self.bin_size))

    def _check_bins(self, labels: Tensor, predictions: Tensor) -> None:
        if labels.shape[:2] != predictions.shape[:2]:
            raise ValueError(
                f"bin_size: {self.bin_size} gives {predictions.shape[1]} bins a window, and labels "
                f"are {tuple(labels.shape)}. Give model and data the same bin_size."
            )


class BinClassification(_Bins, SequenceClassification):
    """Classify every nucleotide of a window, or every bin of several.

    Upstream's TokenClassification takes strings, cannot ignore single positions, and keeps every
    prediction for its AUROC; at 64,000 nt none of these will do.

    Note:
        `labels` is int64 [batch, n // bin_size], -100 where nothing is asked. Test runs log, beside
        upstream's metrics, `test_auprc_CLASS`, the area under the precision-recall curve (at 200
        thresholds, as AUROC is).

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        adapter: A TokenAdapter.
        n_classes: Number of classes.
        bin_size: Nucleotides in a bin, whose hidden states are averaged. 1 labels nucleotides.
    """

    def __init__(
        self,
        backbone: BackboneCallable,
        adapter: Optional[Callable[[int, int], TokenAdapter]] = LinearAdapter,
        n_classes: int = 2,
        bin_size: int = 1,
        **kwargs,
    ):
        super().__init__(backbone, adapter=adapter, n_classes=n_classes, **kwargs)
        if self.__class__ is BinClassification:
            self.save_hyperparameters()
        if self.multilabel:
            raise ValueError("multilabel: true; a nucleotide or bin has one class here. Leave out.")
        self._set_bins(bin_size)
        kind = "binary" if n_classes == 2 else "multiclass"
        options = {"num_classes": n_classes, "thresholds": THRESHOLDS}
        for stage in ("train", "val", "test"):
            self.metrics[f"{stage}_metrics"]["auroc"] = tm.AUROC(kind, **options)
        self.metrics["test_metrics"]["auprc"] = tm.AveragePrecision(kind, average=None, **options)

    def evaluate(
        self,
        logits: Tensor,
        collated_batch: dict,
        stage: Optional[str] = None,
        loss_only: bool = False,
    ) -> dict:
        """Loss and metrics over all labelled nucleotides or bins of the batch."""
        labels = collated_batch["labels"]
        self._check_bins(labels, logits)
        asked = labels != IGNORED
        if not asked.any():
            return {"loss": logits.sum() * 0.0}  # a batch of N alone, say
        asked_of = {"labels": labels[asked]}
        return super().evaluate(logits[asked], asked_of, stage, loss_only)


class BinRegression(_Bins, SequenceRegression):
    """Predict one or several tracks of numbers along a window.

    Note:
        `labels` is float [batch, n // bin_size, num_outputs]; bins with a NaN are ignored.
        Spearman's correlation is not among the metrics: it would keep every bin of every window.

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        adapter: A TokenAdapter.
        num_outputs: Number of tracks.
        bin_size: Nucleotides in a bin, whose hidden states are averaged.
        loss_func: The loss, such as torch.nn.MSELoss or torch.nn.PoissonNLLLoss.
    """

    def __init__(
        self,
        backbone: BackboneCallable,
        adapter: Optional[Callable[[int, int], TokenAdapter]] = LinearAdapter,
        num_outputs: int = 1,
        bin_size: int = 128,
        loss_func: Callable[..., torch.nn.Module] = torch.nn.MSELoss,
        **kwargs,
    ):
        super().__init__(
            backbone, adapter=adapter, num_outputs=num_outputs, loss_func=loss_func, **kwargs
        )
        if self.__class__ is BinRegression:
            self.save_hyperparameters()
        self._set_bins(bin_size)
        for metrics in self.metrics.values():
            for name in [name for name in metrics if name.startswith("spearman")]:
                del metrics[name]
        self.metrics_to_pbar = set(self.metrics["train_metrics"])

    def evaluate(
        self,
        predictions: Tensor,
        collated_batch: dict,
        stage: Optional[str] = None,
        loss_only: bool = False,
    ) -> dict:
        """Loss and metrics over all labelled bins of the batch."""
        labels = collated_batch["labels"].to(predictions.dtype)
        self._check_bins(labels, predictions)
        asked = ~labels.isnan().any(dim=-1)
        if not asked.any():
            return {"loss": predictions.sum() * 0.0}
        asked_of = {"labels": labels[asked]}
        return super().evaluate(predictions[asked], asked_of, stage, loss_only)
