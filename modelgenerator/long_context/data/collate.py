# SPDX-License-Identifier: Apache-2.0
"""Windows of one or of different lengths as one batch, padded on the right."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.data.vocabulary import CLS, PAD, SEP, decode

_PADDING = {
    "input_ids": PAD,
    "pair_ids": PAD,
    "attention_mask": 0,
    "copy_kind": 0,
    "copy_distance": 0,
}


def example(ids: np.ndarray, labels: object, name: str) -> dict:
    """The columns of one window.

    Args:
        ids: Token ids without special tokens, uint8 [n].
        labels: A class, an array of classes or numbers, or one row of them for each bin.
        name: Where the window comes from.

    Returns:
        `input_ids` and `attention_mask` int64 [n + 2], `labels`, `sequences`, `ids`.
    """
    return {
        "input_ids": with_special_tokens(ids),
        "attention_mask": torch.ones(len(ids) + 2, dtype=torch.long),
        "labels": torch.as_tensor(labels),
        "sequences": decode(ids),
        "ids": name,
    }


def with_special_tokens(ids: np.ndarray) -> Tensor:
    """Token ids with [CLS] and [SEP], int64 [n + 2]."""
    out = np.empty(len(ids) + 2, dtype=np.int64)
    out[0], out[1:-1], out[-1] = CLS, ids, SEP
    return torch.from_numpy(out)


def collate(examples: Sequence[dict]) -> dict:
    """A batch; token ids and labels of positions are padded to the longest window.

    Labels are padded by -100 if they are classes and by NaN if they are numbers, so that losses
    leave them out. Labels of whole windows have the same shape in every row and are stacked.
    """
    batch = {}
    for name in examples[0]:
        values = [one[name] for one in examples]
        if name in _PADDING:
            batch[name] = _pad(values, _PADDING[name])
        elif name == "labels" and len({value.shape for value in values}) > 1:
            number = values[0].is_floating_point()
            batch[name] = _pad(values, float("nan") if number else IGNORED)
        else:
            batch[name] = default_collate(values)
    return batch


def _pad(values: Sequence[Tensor], padding: float) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(values, batch_first=True, padding_value=padding)
