# SPDX-License-Identifier: Apache-2.0
"""Which rows of an evaluation batch count where several processes share the evaluation."""

from collections.abc import Sequence
from typing import Union

from torch.utils.data import DataLoader, DistributedSampler


def rows_that_count(
    loaders: Union[DataLoader, Sequence[DataLoader]], index: int, batch_idx: int, rows: int
) -> int:
    """How many rows of a batch, from its first, are this process's own.

    So that all processes take as many steps, the sampler that Lightning gives them deals the first
    rows out once more where rows run out: 5 rows among 2 processes are 0, 2, 4 and 1, 3, 0. The
    last must be encoded, for sharded models step together, and must not count.

    Args:
        loaders: The trainer's evaluation dataloaders, or the only one.
        index: Which of them the batch is from.
        batch_idx: Number of the batch in this process.
        rows: Rows in the batch.

    Returns:
        From 0 to `rows`. A process that has no row of its own at all counts one, for most metrics
        cannot be joined with those of a process that has seen nothing.
    """
    loader = loaders[index] if isinstance(loaders, (list, tuple)) else loaders
    sampler = getattr(loader, "sampler", None)
    if not isinstance(sampler, DistributedSampler):
        return rows
    own = len(range(sampler.rank, len(sampler.dataset), sampler.num_replicas))
    return min(rows, max(0, max(1, own) - batch_idx * loader.batch_size))
