# SPDX-License-Identifier: Apache-2.0
"""Sequence adapters for long windows that upstream has not: where to look, learned or given.

For the mean and the maximum over a window use upstream's `LinearMeanPoolAdapter` and
`LinearMaxPoolAdapter`, which leave padding out as well.
"""

import torch
from torch import Tensor, nn

from modelgenerator.adapters import SequenceAdapter
from modelgenerator.long_context.adapters.pooling import centre_pool, nucleotides


class LinearCentrePoolAdapter(nn.Module, SequenceAdapter):
    """A linear layer on the mean of the nucleotides about the middle of a window.

    For labels of one site, such as a variant, in a window of context: a mean over all of 64,000 nt
    would drown it.

    Args:
        in_features: Width of the hidden states.
        out_features: Number of outputs.
        width: Nucleotides about the middle one, at least 1; shorter windows are taken whole.

    Raises:
        ValueError: If `width` is below 1.
    """

    def __init__(self, in_features: int, out_features: int, width: int = 512):
        super().__init__()
        if width < 1:
            raise ValueError(f"width: {width}; give at least 1 nucleotide, such as 512.")
        self.width = width
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
        """Outputs [batch, out_features] from hidden states [batch, tokens, in_features]."""
        pooled = centre_pool(hidden_states, attention_mask, self.width)
        return self.linear(pooled.to(self.linear.weight.dtype))


class LinearAttentionPoolAdapter(nn.Module, SequenceAdapter):
    """A linear layer on a mean of nucleotides weighted by a learned query.

        weight_i = softmax_i(query . hidden_i / sqrt(in_features)) over nucleotides

    The query starts at zero, so training begins from the plain mean. With it a window can be
    told by a few of its positions, wherever they lie.

    Args:
        in_features: Width of the hidden states.
        out_features: Number of outputs.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.query = nn.Parameter(torch.zeros(in_features))
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, hidden_states: Tensor, attention_mask: Tensor) -> Tensor:
        """Outputs [batch, out_features] from hidden states [batch, tokens, in_features]."""
        query = self.query.to(hidden_states.dtype) / self.query.numel() ** 0.5
        scores = (hidden_states @ query).float()  # [batch, tokens]
        scores = scores.masked_fill(~nucleotides(attention_mask), -torch.inf)
        weights = scores.softmax(dim=1).to(hidden_states.dtype)
        pooled = (weights[:, None] @ hidden_states)[:, 0]
        return self.linear(pooled.to(self.linear.weight.dtype))
