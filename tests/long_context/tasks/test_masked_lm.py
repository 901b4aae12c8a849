# SPDX-License-Identifier: Apache-2.0
"""The task alone; with data and a trainer it is tested in tests/test_mgen.py."""

from functools import partial

import pytest
import torch

from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.tasks import MaskedLM

ROPE = partial(rope, original_max_position_embeddings=512)


def batch(rows=2, length=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 9, (rows, length + 2), generator=generator)
    ids[:, 0], ids[:, -1] = 2, 3
    masked = torch.zeros_like(ids, dtype=torch.bool)
    masked[:, 4:60:7] = True
    labels = torch.where(masked, ids, -100)
    return {
        "input_ids": torch.where(masked, 1, ids),
        "attention_mask": torch.ones_like(ids),
        "labels": labels,
        "sequences": ["never tokenized"] * rows,
    }


def test_logits_are_formed_for_masked_bases_only(tiny_task):
    task = tiny_task(ROPE)
    logits = task(task.transform(batch()))
    assert logits.shape == (2 * 8, 16)
    everything = {k: v for k, v in batch().items() if k != "labels"}
    full = task(task.transform(everything))
    assert full.shape == (2, 66, 16)
    torch.testing.assert_close(logits, full[batch()["labels"] != -100])


def test_the_loss_is_of_masked_bases_alone(tiny_task):
    task = tiny_task(ROPE)
    collated = task.transform(batch())
    logits = torch.zeros(16, 16)
    target = collated["labels"][collated["labels"] != -100]
    logits[torch.arange(8), target[:8]] = 100.0  # eight known for sure, eight guessed among 16
    out = task.evaluate(logits, collated)
    assert out["loss"] == pytest.approx(0.5 * torch.log(torch.tensor(16.0)).item(), rel=1e-5)
    assert out["hit"][:8].all()
    assert out["position"].min() == pytest.approx(3 / 64)
    assert list(task.evaluate(logits, collated, loss_only=True)) == ["loss"]


def test_a_batch_without_masked_bases_has_no_loss(tiny_task):
    task = tiny_task(ROPE)
    nothing = {**batch(), "labels": torch.full((2, 66), -100)}
    collated = task.transform(nothing)
    loss = task.evaluate(task(collated), collated)["loss"]
    assert loss == 0.0


def test_positions_are_exact_where_bf16_is_the_default(tiny_task, bf16_by_default):
    task = tiny_task(ROPE)
    length = 4096
    labels = torch.full((1, length + 2), -100)
    labels[0, 1:-1] = 5
    position = task.evaluate(torch.zeros(length, 16), {"labels": labels})["position"]
    torch.testing.assert_close(position.double(), torch.arange(length).double() / length)


def test_the_same_loss_with_upstreams_encoder(tiny_task):
    losses = []
    for pe in (None, ROPE):
        task = tiny_task(pe)
        collated = task.transform(batch())
        losses.append(task.evaluate(task(collated), collated)["loss"])
    torch.testing.assert_close(*losses)


def test_columns():
    task = MaskedLM.__new__(MaskedLM)
    assert MaskedLM.required_data_columns(task, "fit") == ["input_ids", "attention_mask", "labels"]
    assert MaskedLM.required_data_columns(task, "predict") == ["input_ids", "attention_mask"]


def test_position_bins_are_checked(tiny_task):
    with pytest.raises(ValueError, match="position_bins: 0; give at least 1"):
        tiny_task(ROPE, options={"position_bins": 0})


def test_results_that_cannot_be_written_are_refused_before_the_run(tiny_task, tmp_path):
    (tmp_path / "file").write_text("")
    task = tiny_task(ROPE, options={"results": str(tmp_path / "file" / "results.json")})
    with pytest.raises(ValueError, match="model.results: cannot write in .*file"):
        task.check_data_compatibility("test")
    task.check_data_compatibility("fit")
