# SPDX-License-Identifier: Apache-2.0
"""Whether a model says the same of a base read from either strand."""

from typing import NamedTuple

import torch
from torch import Tensor

from modelgenerator.long_context.data.vocabulary import COMPLEMENT, MASK, A, C, G, T

BASES = (A, C, G, T)
COMPLEMENTS = (T, G, C, A)  # of BASES, in their order


class StrandConsistency(NamedTuple):
    """One number a masked base, each [masked].

    Attributes:
        agree: Whether both strands have the same likeliest base.
        divergence: Mean of the two Kullback-Leibler divergences, nats.
    """

    agree: Tensor
    divergence: Tensor


def other_strand(input_ids: Tensor) -> Tensor:
    """Token ids of the same windows read from the other strand.

    [CLS] A C [MASK] [SEP] is [CLS] [MASK] G T [SEP] there.

    Args:
        input_ids: [batch, n], whole windows between [CLS] and [SEP].
    """
    table = torch.from_numpy(COMPLEMENT.copy()).to(input_ids)
    table[MASK] = MASK
    inner = table[input_ids[:, 1:-1].flip(1)]
    return torch.cat([input_ids[:, :1], inner, input_ids[:, -1:]], dim=1)


def strand_consistency(logits: Tensor, other_logits: Tensor) -> StrandConsistency:
    """Compare what is said of each masked base, as probabilities among A, C, G and T.

    Args:
        logits: Of one window's masked bases, from its left end [masked, vocabulary].
        other_logits: Of the same bases read from the other strand, from that strand's left end.
    """
    here = torch.log_softmax(logits.float()[:, BASES], dim=-1)
    there = torch.log_softmax(other_logits.float().flip(0)[:, COMPLEMENTS], dim=-1)
    # KL(here, there) + KL(there, here) = sum (p - q)(ln p - ln q)
    divergence = ((here.exp() - there.exp()) * (here - there)).sum(-1) / 2
    return StrandConsistency(here.argmax(-1) == there.argmax(-1), divergence)
