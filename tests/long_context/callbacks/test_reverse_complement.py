# SPDX-License-Identifier: Apache-2.0
from functools import partial

import pytest
import torch

from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.callbacks import ReverseComplementConsistency
from modelgenerator.long_context.data.vocabulary import A, C, G, T
from modelgenerator.tasks import Embed

ROPE = partial(rope, original_max_position_embeddings=64)


def rows_of(task):
    return {row["length"]: row for row in task.extra_results["reverse_complement"]}


def test_the_same_bases_are_predicted_from_both_strands(tiny_task, run_test, windows):
    """Against the two windows predicted by hand, from their letters."""
    task = run_test(tiny_task(ROPE), ReverseComplementConsistency(windows=1))
    rows = rows_of(task)
    assert set(rows) == {64, 256}
    pair = {"A": "T", "C": "G", "G": "C", "T": "A"}
    order = torch.tensor([A, C, G, T])
    for index, (kind, length) in enumerate(windows.test_sets):
        if kind != "natural":
            continue
        window = windows.test_datasets[index][0]
        masked = (window["labels"] != -100).nonzero().flatten().tolist()
        letters = window["sequences"]
        agree, divergence = [], []
        ids = {"A": A, "C": C, "G": G, "T": T}
        there = [2, *(ids[pair[x]] for x in reversed(letters)), 3]
        for at in masked:
            there[length + 1 - at] = 1  # [MASK]
        with torch.no_grad():
            one = task({"input_ids": window["input_ids"][None], "attention_mask": None})[0]
            other = task({"input_ids": torch.tensor([there]), "attention_mask": None})[0]
        for at in masked:
            p = one[at, order].softmax(-1)
            q = other[length + 1 - at, order.flip(0)].softmax(-1)  # T G C A is A C G T there
            agree.append(p.argmax() == q.argmax())
            divergence.append(((p * (p / q).log()).sum() + (q * (q / p).log()).sum()) / 2)
        assert rows[length]["bases"] == len(masked)
        assert rows[length]["agreement"] == pytest.approx(sum(agree).item() / len(masked))
        assert rows[length]["divergence"] == pytest.approx(
            sum(divergence).item() / len(masked), abs=1e-5
        )


def test_a_model_that_is_indifferent_to_strands_is_consistent(tiny_task, run_test):
    """The same logits for A and T, and for C and G, everywhere: both strands say the same."""
    task = tiny_task(ROPE)
    with torch.no_grad():
        for parameter in task.adapter.parameters():
            parameter.zero_()
    for row in rows_of(run_test(task, ReverseComplementConsistency())).values():
        assert row["divergence"] == pytest.approx(0.0, abs=1e-6)


def test_as_many_windows_as_asked_for(tiny_task, run_test):
    one = rows_of(run_test(tiny_task(ROPE), ReverseComplementConsistency(windows=1)))
    two = rows_of(run_test(tiny_task(ROPE), ReverseComplementConsistency(windows=2)))
    assert all(two[n]["bases"] > one[n]["bases"] for n in (64, 256))


def test_other_tasks_are_refused(tiny_task, run_test):
    with pytest.raises(ValueError, match="masked bases, which Embed does not make"):
        ReverseComplementConsistency().on_test_start(None, tiny_task(ROPE, task=Embed))


def test_windows_out_of_range_are_refused():
    with pytest.raises(ValueError, match="ReverseComplementConsistency.windows: 0; give at least"):
        ReverseComplementConsistency(windows=0)
