# SPDX-License-Identifier: Apache-2.0
"""A label for two aligned windows, such as the two alleles of a variant."""

from functools import partial
from typing import Callable, Optional

import torch
from torch import Tensor

from modelgenerator.adapters import SequenceAdapter
from modelgenerator.long_context.adapters import LinearCentrePoolAdapter
from modelgenerator.long_context.tasks.labelled_task import LabelledTask
from modelgenerator.tasks import SequenceClassification
from modelgenerator.tasks.base import BackboneCallable


class PairClassification(LabelledTask, SequenceClassification):
    """Classify pairs of windows of the same length, position by position of each other.

    Both are encoded by the same backbone; the adapter gets their hidden states side by side, twice
    as wide.

    Note:
        Columns `input_ids` and `pair_ids`, int64 [batch, n + 2]; `labels` as for
        `WindowClassification`, and so are the metrics.

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        adapter: A SequenceAdapter; it is made for twice the backbone's width.
    """

    inputs = ("input_ids", "pair_ids", "attention_mask")

    def __init__(
        self,
        backbone: BackboneCallable,
        adapter: Optional[Callable[[int, int], SequenceAdapter]] = LinearCentrePoolAdapter,
        **kwargs,
    ):
        super().__init__(backbone, adapter=adapter, **kwargs)
        if self.__class__ is PairClassification:
            self.save_hyperparameters()
        self._report_auprc()
        self.adapter_fn = partial(_twice_as_wide, adapter)

    def forward(self, collated_batch: dict) -> Tensor:
        """Logits [batch, n_classes]."""
        mask = collated_batch["attention_mask"]
        hidden = [
            self.backbone(input_ids=collated_batch[name], attention_mask=mask).last_hidden_state
            for name in ("input_ids", "pair_ids")
        ]
        return self.adapter(torch.cat(hidden, dim=-1), mask)


def _twice_as_wide(adapter: Callable, in_features: int, out_features: int) -> SequenceAdapter:
    return adapter(2 * in_features, out_features)
