# SPDX-License-Identifier: Apache-2.0
"""One sequence over several processes: its tokens are split, and within attention its heads.

Every process holds some tokens of all heads; attention needs all tokens, and works on some heads.
An all-to-all changes one division into the other and back (DeepSpeed-Ulysses, Jacobs et al. 2023,
arXiv:2309.14509). Exact, for attention without a mask. Letters in shapes: B batch, H heads,
P processes, n tokens, m tokens of this process, D head width, W hidden width.
"""

from typing import NamedTuple

from torch import Tensor
from torch.distributed import ProcessGroup
from torch.distributed._functional_collectives import all_to_all_single_autograd


class TokenShards(NamedTuple):
    """How the tokens of a sequence are divided.

    Attributes:
        group: The processes that share it.
        sizes: Tokens of each, in the order of their ranks; they differ by at most one.
    """

    group: ProcessGroup
    sizes: tuple[int, ...]

    @property
    def here(self) -> int:
        """Tokens of this process, m."""
        return self.sizes[self.group.rank()]

    def own(self, x: Tensor, dim: int) -> Tensor:
        """The part of `x` along its tokens that belongs to this process."""
        return x.split(self.sizes, dim=dim)[self.group.rank()]


def divide(tokens: int, group: ProcessGroup) -> TokenShards:
    """Divide a sequence as evenly as can be, longer parts first."""
    each, left = divmod(tokens, group.size())
    return TokenShards(group, tuple(each + (rank < left) for rank in range(group.size())))


def to_heads(x: Tensor, shards: TokenShards) -> Tensor:
    """Some tokens of all heads [B, H, m, D] to all tokens of some heads [B, H/P, n, D]."""
    parts = x.unflatten(1, (len(shards.sizes), -1)).permute(1, 3, 0, 2, 4)  # [P, m, B, H/P, D]
    whole = _exchange(parts.flatten(0, 1), [shards.here] * len(shards.sizes), shards.sizes, shards)
    return whole.permute(1, 2, 0, 3)


def to_tokens(x: Tensor, shards: TokenShards) -> Tensor:
    """All tokens of some heads [B, H/P, n, D] to some tokens of all heads [B, H, m, D]."""
    processes = len(shards.sizes)
    parts = _exchange(x.permute(2, 0, 1, 3), shards.sizes, [shards.here] * processes, shards)
    return parts.unflatten(0, (processes, -1)).permute(2, 0, 3, 1, 4).flatten(1, 2)


def gather(x: Tensor, shards: TokenShards) -> Tensor:
    """Some tokens [B, m, W] to all of them [B, n, W], on every process.

    Gradients are summed over the processes: if each computes the same loss of the whole, the
    gradients within are P times theirs, and the mean over processes that DDP takes is right.
    """
    processes = len(shards.sizes)
    copies = x.transpose(0, 1).repeat(processes, 1, 1)  # one for each process
    whole = _exchange(copies, [shards.here] * processes, shards.sizes, shards)
    return whole.transpose(0, 1)


def _exchange(x: Tensor, sent, received, shards: TokenShards) -> Tensor:
    return all_to_all_single_autograd(
        x.contiguous(), list(received), list(sent), shards.group
    )  # along the first dimension
