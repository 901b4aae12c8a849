# SPDX-License-Identifier: Apache-2.0
"""A label for a whole window: upstream's classification and regression, fed with token ids."""

from typing import Callable, Optional

from torch import Tensor

from modelgenerator.adapters import LinearMeanPoolAdapter, SequenceAdapter
from modelgenerator.long_context.tasks.labelled_task import LabelledTask
from modelgenerator.tasks import SequenceClassification, SequenceRegression
from modelgenerator.tasks.base import BackboneCallable


class WindowClassification(LabelledTask, SequenceClassification):
    """Classify windows of token ids: binary, multiclass or multilabel.

    Upstream's [SequenceClassification](./#modelgenerator.tasks.SequenceClassification), which
    tokenizes strings in the training process, with ids made by the data workers instead.

    Note:
        `labels` is int64 [batch], or 0 and 1 [batch, n_classes] with `multilabel`. Test runs log
        `test_auprc`, the area under the precision-recall curve, beside upstream's metrics.

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        adapter: A SequenceAdapter; those of upstream and of `long_context.adapters` leave padding
            out.
    """

    def __init__(
        self,
        backbone: BackboneCallable,
        adapter: Optional[Callable[[int, int], SequenceAdapter]] = LinearMeanPoolAdapter,
        **kwargs,
    ):
        super().__init__(backbone, adapter=adapter, **kwargs)
        if self.__class__ is WindowClassification:
            self.save_hyperparameters()
        self._report_auprc()

    def evaluate(self, logits: Tensor, collated_batch: dict, *args, **kwargs) -> dict:
        """Loss and metrics of a batch."""
        if self.multilabel:
            _check_outputs("n_classes", logits, collated_batch["labels"])
        return super().evaluate(logits, collated_batch, *args, **kwargs)


class WindowRegression(LabelledTask, SequenceRegression):
    """Predict one or several numbers for windows of token ids.

    Upstream's [SequenceRegression](./#modelgenerator.tasks.SequenceRegression), which tokenizes
    strings in the training process, with ids made by the data workers instead.

    Note:
        `labels` is float [batch, num_outputs].

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        adapter: A SequenceAdapter; those of upstream and of `long_context.adapters` leave padding
            out.
    """

    def __init__(
        self,
        backbone: BackboneCallable,
        adapter: Optional[Callable[[int, int], SequenceAdapter]] = LinearMeanPoolAdapter,
        **kwargs,
    ):
        super().__init__(backbone, adapter=adapter, **kwargs)
        if self.__class__ is WindowRegression:
            self.save_hyperparameters()

    def evaluate(self, preds: Tensor, collated_batch: dict, *args, **kwargs) -> dict:
        """Loss and metrics of a batch."""
        _check_outputs("num_outputs", preds, collated_batch["labels"])
        return super().evaluate(preds, collated_batch, *args, **kwargs)


def _check_outputs(argument: str, outputs: Tensor, labels: Tensor) -> None:
    if outputs.shape != labels.shape:
        raise ValueError(
            f"{argument}: the model gives {outputs.shape[1]} a window, and labels are "
            f"{tuple(labels.shape[1:])}. Give model.{argument} as many as the data has."
        )
