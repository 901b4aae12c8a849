# SPDX-License-Identifier: Apache-2.0
"""Loads training windows in one sequence over all epochs and ranks, also after an interruption."""

from collections.abc import Iterator, Sized
from itertools import islice

from torch.utils.data import DataLoader, DistributedSampler


class EpochSampler(DistributedSampler):
    """Item i of epoch e has index e * items + i, dealt to the ranks in turn.

    The first batch_size * ranks indices make the first step, as many more the second, and so on. So
    a run sees the same windows in the same steps for any number of workers, and for any number of
    ranks with the same total batch. Lightning leaves a DistributedSampler as it is and calls
    `set_epoch`; the dataset must take any index.

    Args:
        dataset: What is sampled; its length is the number of items in an epoch.
        num_replicas: Number of ranks.
        rank: This one.
        epoch: The epoch to begin with.

    Attributes:
        skip: Items of this rank left out at the start of an epoch.
    """

    def __init__(self, dataset: Sized, num_replicas: int = 1, rank: int = 0, epoch: int = 0):
        super().__init__(dataset, num_replicas=num_replicas, rank=rank, shuffle=False)
        self.epoch = epoch
        self.skip = 0

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * len(self.dataset)
        return (first + item for item in islice(super().__iter__(), self.skip, None))


class ResumableLoader(DataLoader):
    """A loader that goes on where a checkpoint was taken in the middle of an epoch.

    Lightning stores and restores the state of any loader that has one. Without, a resumed run
    would see the first windows of the epoch again, and never the last.
    """

    _done = 0  # batches of this epoch
    _begun = (-1, 0)  # an epoch that was broken off, and after how many batches

    def __iter__(self) -> Iterator:
        (epoch, batches), self._begun = self._begun, (-1, 0)
        self._done = batches if epoch == self.sampler.epoch else 0
        self.sampler.skip = self._done * self.batch_size
        for batch in super().__iter__():
            self._done += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """How far this epoch has come."""
        return {"batches": self._done, "epoch": self.sampler.epoch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Begin that epoch there; any other one, as after a whole epoch, at its start."""
        self._begun = (state["epoch"], state["batches"] % len(self))
