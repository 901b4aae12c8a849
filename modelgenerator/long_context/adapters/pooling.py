# SPDX-License-Identifier: Apache-2.0
"""Token embeddings of a window made one embedding of the window, with padding left out.

Letters in shapes: B rows, S tokens with [CLS], [SEP] and padding on the right, D width.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Pooling = Callable[[Tensor, Tensor], Tensor]
"""From hidden states [B, S, D] and an attention mask [B, S] to float32 [B, D]."""


def nucleotides(attention_mask: Tensor) -> Tensor:
    """Which tokens are nucleotides: all but [CLS], [SEP] and padding, bool [B, S].

    Args:
        attention_mask: 1 for tokens, 0 for padding on the right, [B, S].
    """
    tokens = attention_mask.bool()
    followed = F.pad(tokens[:, 1:], (0, 1))  # all but the last token, [SEP]
    inside = tokens & followed
    inside[:, 0] = False  # [CLS]
    return inside


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Mean over nucleotides, float32 [B, D]."""
    return _mean_over(hidden, nucleotides(attention_mask))


def max_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Largest value of each channel over nucleotides, float32 [B, D]."""
    inside = nucleotides(attention_mask)
    return hidden.masked_fill(~inside[..., None], -torch.inf).amax(dim=1).float()


def centre_pool(hidden: Tensor, attention_mask: Tensor, width: int) -> Tensor:
    """Mean over `width` nucleotides about the middle one, float32 [B, D].

    Of n nucleotides, counted from 0, the middle one is n // 2: where a window of even length
    centred on a position has that position. ACGTAC with width 2 is the mean of G and T. Rows with
    fewer than `width` nucleotides are taken whole.
    """
    inside = nucleotides(attention_mask)
    count = inside.sum(dim=1, keepdim=True)  # [B, 1]
    index = inside.cumsum(dim=1) - 1  # of each nucleotide
    first = count // 2 - width // 2
    return _mean_over(hidden, inside & (index >= first) & (index < first + width))


def _mean_over(hidden: Tensor, keep: Tensor) -> Tensor:
    # Summed in float32: the sum of 64,000 values leaves the range of float16.
    total = hidden.masked_fill(~keep[..., None], 0).sum(dim=1, dtype=torch.float32)
    return total / keep.sum(dim=1, keepdim=True).clamp(min=1)
