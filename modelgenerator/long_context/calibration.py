# SPDX-License-Identifier: Apache-2.0
"""How far the attention logits of each head spread: what a calibrated temperature starts from."""

import torch
from torch import Tensor


def logit_std(query: Tensor, key: Tensor) -> Tensor:
    """Standard deviation of the logits within a row, a mean over rows [H].

    A head at a time: memory is that of one head's rows, [queries, n] float32.

    Args:
        query: Rotated queries of sampled tokens [H, queries, Dh].
        key: Rotated keys of a whole window, no padding [H, n, Dh].
    """
    with torch.autocast(key.device.type, enabled=False):  # it would round the logits
        scale = key.shape[-1] ** -0.5
        return torch.stack(
            [
                (head_query @ head_key.T * scale).std(-1, correction=0).mean()
                for head_query, head_key in zip(query.float(), key.float(), strict=True)
            ]
        )
