# SPDX-License-Identifier: Apache-2.0
"""How wide attention looks and how far: entropy, and its share by distance, of sampled queries."""

from typing import NamedTuple

import torch
from torch import Tensor

from modelgenerator.backbones.positional import SPECIAL_TOKENS


class AttentionSpread(NamedTuple):
    """Where the attention of each head goes, a mean over queries.

    Attributes:
        entropy: In nats [H]; ln n where all n tokens get the same.
        share: Share of attention by distance of a nucleotide [H, bins], see `distance_bins`.
        special: Share on [CLS] and [SEP] [H]. Attention rests there where there is nothing to look
            at, so they are kept out of the distances: with `share` this sums to 1.
    """

    entropy: Tensor
    share: Tensor
    special: Tensor


def distance_bins(nucleotides: int) -> list[tuple[int, int]]:
    """Distances [low, high) that a window has: 0, then powers of two.

    4 nucleotides are at most 3 apart: (0, 1), (1, 2), (2, 4).
    """
    bins = [(0, 1)]
    while bins[-1][1] < nucleotides:
        low = bins[-1][1]
        bins.append((low, 2 * low))
    return bins


def attention_spread(query: Tensor, key: Tensor, positions: Tensor) -> AttentionSpread:
    """Exact softmax of some query rows against all keys, a head at a time.

    Memory is that of one head's rows, [queries, n] float32: linear in the window.

    Args:
        query: Rotated queries of the sampled tokens [H, queries, Dh].
        key: Rotated keys of a window of [CLS], nucleotides, [SEP] [H, n, Dh].
        positions: Which tokens the queries are [queries], from 1 to n - 2.
    """
    tokens = key.shape[1]
    nucleotides = tokens - SPECIAL_TOKENS
    assert int(positions.min()) >= 1
    assert int(positions.max()) <= nucleotides
    at = torch.arange(1, nucleotides + 1, device=key.device)
    distance = (at - positions[:, None]).abs()  # [queries, nucleotides]
    cell = distance.clamp(min=1).float().log2().floor().long() + (distance > 0)
    bins = len(distance_bins(nucleotides))
    entropy, share, special = [], [], []
    with torch.autocast(key.device.type, enabled=False):  # it would round the scores
        for head_query, head_key in zip(query.float(), key.float(), strict=True):
            log_p = torch.log_softmax(head_query @ head_key.T * key.shape[-1] ** -0.5, dim=-1)
            p = log_p.exp()
            entropy.append(-(p * log_p).sum(-1).mean())
            by_bin = p.new_zeros(bins).index_add_(0, cell.flatten(), p[:, 1:-1].flatten())
            share.append(by_bin / len(positions))
            special.append((p[:, 0] + p[:, -1]).mean())
    return AttentionSpread(torch.stack(entropy), torch.stack(share), torch.stack(special))
