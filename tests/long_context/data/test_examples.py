# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from modelgenerator.long_context.data.copies import NATURAL
from modelgenerator.long_context.data.examples import (
    COLUMNS,
    Masking,
    Planting,
    copies_example,
    natural_example,
)
from modelgenerator.long_context.data.vocabulary import CLS, MASK, SEP, A, C, G, N, decode, encode

MASKING = Masking(rate=0.2, copy_rate=0.7)


def test_a_natural_example_by_hand():
    found = natural_example(encode(b"ACGN"), np.array([0.9, 0.1, 0.9, 0.1]), MASKING, "chr1:0-4")
    assert tuple(found) == COLUMNS
    assert found["input_ids"].tolist() == [CLS, A, MASK, G, N, SEP]
    assert found["labels"].tolist() == [-100, -100, C, -100, -100, -100]
    assert found["attention_mask"].tolist() == [1] * 6
    assert found["copy_kind"].tolist() == found["copy_distance"].tolist() == [0] * 6
    assert (found["sequences"], found["ids"]) == ("ACGN", "chr1:0-4")


@pytest.mark.parametrize("copies", [False, True])
def test_types_and_shapes(copies):
    ids = np.random.default_rng(0).integers(5, 9, 100).astype(np.uint8)
    rng = np.random.default_rng(1)
    if copies:
        found = copies_example(ids, rng, Planting(2, 5, 10, 0.5), MASKING, "a:0-100")
    else:
        found = natural_example(ids, rng.random(100), MASKING, "a:0-100")
    types = {name: value.dtype for name, value in found.items() if torch.is_tensor(value)}
    assert types == {
        "input_ids": torch.int64,
        "attention_mask": torch.int64,
        "labels": torch.int64,
        "copy_kind": torch.int8,
        "copy_distance": torch.int32,
    }
    assert all(found[name].shape == (102,) for name in types)
    assert len(found["sequences"]) == 100


def test_copies_are_masked_at_their_own_rate_and_sources_never():
    rng = np.random.default_rng(0)
    masked = {"copy": [], "source": [], "rest": []}
    for _ in range(300):
        ids = rng.integers(5, 9, 400).astype(np.uint8)
        found = copies_example(ids, rng, Planting(1, 40, 40, 0.0), MASKING, "a:0-400")
        hidden = found["labels"].numpy()[1:-1] != -100
        copy = found["copy_kind"].numpy()[1:-1] != NATURAL
        at = np.flatnonzero(copy)
        letters = np.frombuffer(found["sequences"].encode(), dtype=np.uint8)
        shift = int(found["copy_distance"].max())
        before = at[0] >= shift and (letters[at - shift] == letters[at]).all()
        source = np.zeros(400, dtype=bool)
        source[at - shift if before else at + shift] = True
        masked["copy"].append(hidden[copy].mean())
        masked["source"].append(hidden[source].mean())
        masked["rest"].append(hidden[~copy & ~source].mean())
    assert np.mean(masked["copy"]) == pytest.approx(0.7, abs=0.02)
    assert np.mean(masked["source"]) == 0
    assert np.mean(masked["rest"]) == pytest.approx(0.2, abs=0.01)


def test_the_sequence_is_the_input_without_masks():
    ids = np.random.default_rng(0).integers(5, 9, 200).astype(np.uint8)
    rng = np.random.default_rng(2)
    found = copies_example(ids, rng, Planting(3, 5, 10, 1.0), MASKING, "a:0-200")
    labels, input_ids = found["labels"], found["input_ids"]
    whole = torch.where(labels == -100, input_ids, labels)[1:-1]
    assert decode(whole.numpy()) == found["sequences"]
