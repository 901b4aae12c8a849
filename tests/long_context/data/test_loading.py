# SPDX-License-Identifier: Apache-2.0
import pytest
from torch.utils.data import Dataset

from modelgenerator.long_context.data.loading import EpochSampler, ResumableLoader


class Echo(Dataset):
    """Item i is i."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return self.items

    def __getitem__(self, index):
        return index


def steps(items, batch_size, ranks, epochs=2, num_workers=0):
    """The indices of every step, those of all ranks together."""
    data = Echo(items)
    found = []
    for epoch in range(epochs):
        loaders = []
        for rank in range(ranks):
            sampler = EpochSampler(data, ranks, rank)
            sampler.set_epoch(epoch)
            loaders.append(
                ResumableLoader(
                    data, sampler=sampler, batch_size=batch_size, num_workers=num_workers
                )
            )
        for batches in zip(*loaders, strict=True):
            found.append({int(i) for batch in batches for i in batch})
    return found


def test_epochs_go_on_where_the_last_ended():
    assert steps(6, 3, ranks=1) == [{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {9, 10, 11}]


@pytest.mark.parametrize(("batch_size", "ranks"), [(12, 1), (6, 2), (3, 4)])
def test_steps_are_the_same_for_any_number_of_ranks(batch_size, ranks):
    expected = [set(range(first, first + 12)) for first in range(0, 72, 12)]
    assert steps(36, batch_size, ranks) == expected


@pytest.mark.parametrize("num_workers", [1, 2])
def test_steps_are_the_same_for_any_number_of_workers(num_workers):
    assert steps(10, 2, 1, num_workers=num_workers) == steps(10, 2, 1)


def loader_of(items=10, batch_size=2, rank=0, ranks=1, epoch=0):
    data = Echo(items)
    sampler = EpochSampler(data, ranks, rank, epoch)
    return ResumableLoader(data, sampler=sampler, batch_size=batch_size)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("done", [0, 1, 3, 5])
def test_a_resumed_loader_goes_on(done, rank):
    whole = [batch.tolist() for batch in loader_of(20, 2, rank, 2, epoch=3)]
    first = loader_of(20, 2, rank, 2, epoch=3)
    batches = iter(first)
    for _ in range(done):
        next(batches)
    second = loader_of(20, 2, rank, 2, epoch=3)
    second.load_state_dict(first.state_dict())
    rest = whole[done:] or whole  # a finished epoch begins the next
    assert [batch.tolist() for batch in second] == rest
    assert [batch.tolist() for batch in second] == whole  # and later ones are whole


def test_a_loader_counts_on_after_resuming():
    loader = loader_of()
    loader.load_state_dict({"batches": 2, "epoch": 0})
    batches = iter(loader)
    next(batches)
    assert loader.state_dict() == {"batches": 3, "epoch": 0}


def test_an_epoch_that_was_cut_short_is_not_gone_on_with_in_the_next():
    """limit_train_batches ends an epoch before its loader does."""
    first = loader_of(epoch=0)
    batches = iter(first)
    for _ in range(2):
        next(batches)
    second = loader_of(epoch=1)
    second.load_state_dict(first.state_dict())
    assert [b.tolist() for b in second] == [b.tolist() for b in loader_of(epoch=1)]
