# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.long_context.evaluation import MaskedBases


def counted(bins=4):
    counter = MaskedBases(bins)
    counter.update(
        nll=torch.tensor([1.0, 3.0, 0.5, 0.1]),
        hit=torch.tensor([True, False, True, True]),
        position=torch.tensor([0.0, 0.99, 0.5, 0.25]),
        kind=torch.tensor([0, 0, 1, 2], dtype=torch.int8),
    )
    return counter


def test_by_hand():
    values = counted().compute()
    assert values["perplexity"] == pytest.approx(math.exp(2.0))
    assert values["accuracy"] == 0.5
    assert values["recall"] == 1.0
    assert values["copy_perplexity"] == pytest.approx(math.exp(0.3))
    assert values["loss"] == pytest.approx(4.6 / 4)
    assert values["loss_by_position"] == [1.0, None, None, 3.0]
    assert values["masked_bases"] == {"natural": 2, "copy": 1, "reverse_complement_copy": 1}


def test_batches_add_up():
    counter = counted()
    again = counted()
    counter.update(
        torch.tensor([1.0]), torch.tensor([False]), torch.tensor([0.1]), torch.tensor([1])
    )
    assert counter.compute()["recall_direct"] == 0.5
    assert counter.compute()["recall_reverse_complement"] == 1.0
    assert again.compute()["recall_direct"] == 1.0


def test_absent_kinds_are_left_out():
    counter = MaskedBases(2)
    counter.update(*(torch.tensor([x]) for x in (1.0, True, 0.0, 1)))
    found = set(counter.compute()) - {"loss", "loss_by_position", "masked_bases"}
    assert found == {"copy_perplexity", "recall", "recall_direct"}


def test_guessing_among_four_is_perplexity_four():
    counter = MaskedBases(1)
    n = 100
    counter.update(torch.full((n,), math.log(4)), torch.zeros(n), torch.zeros(n), torch.zeros(n))
    assert counter.compute()["perplexity"] == pytest.approx(4.0)


def test_a_loss_beyond_all_floats_is_an_infinite_perplexity():
    counter = MaskedBases(1)
    counter.update(
        nll=torch.tensor([800.0]),
        hit=torch.tensor([False]),
        position=torch.tensor([0.0]),
        kind=torch.tensor([0]),
    )
    assert counter.compute()["perplexity"] == math.inf
