# SPDX-License-Identifier: Apache-2.0
"""Embeddings of a small encoder, and the files that keep them."""

from functools import partial
from unittest import mock

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from modelgenerator.backbones.positional import pi, rope, yarn
from modelgenerator.long_context.adapters.pooling import centre_pool, mean_pool
from modelgenerator.long_context.evaluation import embeddings
from modelgenerator.long_context.evaluation.embeddings import embed, load_embeddings

METHODS = {m: partial(m, original_max_position_embeddings=16) for m in (rope, pi, yarn)}
METHODS[pi] = partial(METHODS[pi], factor=4.0)


def windows(rows=6, length=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 9, (rows, length + 2), generator=generator)
    ids[:, 0], ids[:, -1] = 2, 3
    return [
        {"input_ids": row, "attention_mask": torch.ones_like(row), "labels": i % 2}
        for i, row in enumerate(ids)
    ]


def loader(batch_size=2, **options):
    return DataLoader(windows(**options), batch_size=batch_size)


@pytest.fixture
def task(tiny_task):
    return tiny_task(METHODS[rope])


def test_one_row_a_window_in_order(task):
    found = embed(task, loader())
    assert found.features.shape == (6, 256)
    assert found.features.dtype == np.float32
    assert found.labels.tolist() == [0, 1, 0, 1, 0, 1]
    row = windows()[3]["input_ids"][None]
    with torch.inference_mode():
        hidden = task.backbone(row, torch.ones_like(row)).last_hidden_state
    np.testing.assert_allclose(found.features[3], hidden[0, 1:-1].mean(0), atol=1e-5)


def test_the_task_is_left_as_it_was_and_embedded_without_dropout(task):
    task.train()
    first, second = embed(task, loader()), embed(task, loader())
    np.testing.assert_array_equal(first.features, second.features)
    assert task.training


def test_a_second_run_reads_the_file_and_not_the_encoder(task, tmp_path):
    first = embed(task, loader(), cache=tmp_path)
    with mock.patch.object(embeddings, "_run") as run:
        second = embed(task, loader(batch_size=3), cache=tmp_path)  # other batches, same windows
    run.assert_not_called()
    np.testing.assert_array_equal(first.features, second.features)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert len(list(tmp_path.iterdir())) == 1


def test_whatever_changes_the_embeddings_gets_a_file_of_its_own(tiny_task, tmp_path):
    task = tiny_task(METHODS[rope])
    embed(task, loader(), cache=tmp_path)
    embed(tiny_task(METHODS[pi]), loader(), cache=tmp_path)  # same weights, another method
    embed(tiny_task(partial(METHODS[pi], factor=8.0)), loader(), cache=tmp_path)
    embed(task, loader(seed=1), cache=tmp_path)
    embed(task, loader(), partial(centre_pool, width=8), cache=tmp_path)
    embed(task, loader(), partial(centre_pool, width=16), cache=tmp_path)
    weight = next(task.backbone.encoder.parameters())
    weight.data.view(-1)[0] += 1
    embed(task, loader(), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 7


def test_another_models_file_is_refused(tiny_task, tmp_path):
    embed(tiny_task(METHODS[rope]), loader(), cache=tmp_path)
    theirs = next(tmp_path.iterdir())
    other = tiny_task(METHODS[rope], seed=1)
    embed(other, loader(), cache=tmp_path)
    ours = next(path for path in tmp_path.iterdir() if path != theirs)
    theirs.replace(ours)
    with pytest.raises(ValueError, match=r"holds embeddings of another encoder: .*delete the file"):
        embed(other, loader(), cache=tmp_path)


def test_a_damaged_file_is_made_again(task, tmp_path):
    first = embed(task, loader(), cache=tmp_path)
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.warns(UserWarning, match="is damaged"):
        second = embed(task, loader(), cache=tmp_path)
    np.testing.assert_array_equal(first.features, second.features)
    assert load_embeddings(path, {}) is not None


def test_padding_does_not_count(task, tmp_path):
    short, long = windows(rows=1, length=20)[0], windows(rows=1, length=40, seed=3)[0]
    padded = {
        "input_ids": torch.cat([short["input_ids"], torch.zeros(20, dtype=torch.long)]),
        "attention_mask": torch.cat([short["attention_mask"], torch.zeros(20, dtype=torch.long)]),
        "labels": 0,
    }
    alone = embed(task, DataLoader([short]))
    both = embed(task, DataLoader([padded, long], batch_size=2))
    np.testing.assert_allclose(both.features[0], alone.features[0], atol=1e-5)
    assert embeddings.data_digest(DataLoader([padded])) == embeddings.data_digest(
        DataLoader([short])
    )


def test_loaders_that_shuffle_or_are_empty_are_refused(task):
    with pytest.raises(ValueError, match="it shuffles"):
        embed(task, DataLoader(windows(), shuffle=True))
    with pytest.raises(ValueError, match="has no batch"):
        embed(task, [])


def test_the_pool_is_named_with_what_is_bound():
    assert embeddings._name(mean_pool) == "mean_pool()"
    assert embeddings._name(partial(centre_pool, width=8)) == "centre_pool(width=8)"
