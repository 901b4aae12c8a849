# SPDX-License-Identifier: Apache-2.0
"""Every row counts once, whatever number of processes share an evaluation."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, DistributedSampler

from modelgenerator.long_context.tasks import MaskedLM, WindowClassification
from modelgenerator.long_context.tasks.counted_rows import rows_that_count


def loader_of(data, ranks, rank, batch_size):
    sampler = DistributedSampler(data, num_replicas=ranks, rank=rank, shuffle=False)
    return DataLoader(data, batch_size=batch_size, sampler=sampler)


@given(st.integers(1, 20), st.integers(1, 5), st.integers(1, 4))
def test_every_row_counts_once(rows, ranks, batch_size):
    counted = []
    for rank in range(min(ranks, rows)):
        loader = loader_of(list(range(rows)), ranks, rank, batch_size)
        for batch_idx, batch in enumerate(loader):
            kept = rows_that_count([None, loader], 1, batch_idx, len(batch))
            counted += batch[:kept].tolist()
    assert sorted(counted) == list(range(rows))


def test_one_process_counts_all():
    loader = DataLoader(list(range(5)), batch_size=2)
    assert [rows_that_count(loader, 0, i, len(batch)) for i, batch in enumerate(loader)] == [
        2, 2, 1,
    ]  # fmt: skip


def test_a_process_without_rows_counts_one():
    loader = loader_of(list(range(2)), ranks=3, rank=2, batch_size=1)
    assert rows_that_count(loader, 0, 0, 1) == 1


@pytest.fixture
def tested(tiny_task):
    """Tests windows on one of two processes that share them, and returns the task."""

    def tested(task, data, rank, test_sets=(("windows", 32),), **module):
        loader = loader_of(data, ranks=2, rank=rank, batch_size=2)
        sets = {"test_sets": list(test_sets), "test_datasets": [data], "lengths": [32], **module}
        trainer = SimpleNamespace(
            datamodule=SimpleNamespace(**sets), test_dataloaders=loader, world_size=2
        )
        task._trainer = trainer
        task.on_test_epoch_start()
        with torch.inference_mode():
            for batch_idx, batch in enumerate(loader):
                task.test_step(batch, batch_idx)
        return task

    return tested


def windows(count=5):
    """Windows of 32 nt with 3 masked bases each."""
    for i in range(count):
        ids = torch.randint(5, 9, (34,), generator=torch.Generator().manual_seed(i))
        ids[0], ids[-1] = 2, 3
        masked = torch.zeros(34, dtype=torch.bool)
        masked[[4, 11, 20]] = True
        yield {
            "input_ids": torch.where(masked, 1, ids),
            "attention_mask": torch.ones_like(ids),
            "labels": torch.where(masked, ids, -100),
            "window": i,
        }


def test_masked_bases_of_repeated_windows_do_not_count(tiny_task, tested):
    counted = torch.zeros(5)
    for rank in range(2):
        task = tested(tiny_task(task=MaskedLM), list(windows()), rank, [("natural", 32)])
        assert task.counters["test0"].bases.sum() == (9, 6)[rank]
        counted += task.counters["segments0"].bases
    assert counted.tolist() == [3] * 5


def test_labels_of_repeated_windows_do_not_count(tiny_task, tested):
    data = [{**row, "labels": i % 2} for i, row in enumerate(windows())]
    for rank in range(2):
        task = tested(tiny_task(task=WindowClassification), data, rank)
        metrics = task.metrics["test0_metrics"]
        assert sum(len(part) for part in metrics["auroc"].preds) == (3, 2)[rank]
        assert metrics["loss"].weight == (3, 2)[rank]
