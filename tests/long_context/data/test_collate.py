# SPDX-License-Identifier: Apache-2.0
"""Batches of windows of different lengths."""

import numpy as np
import torch

from modelgenerator.long_context.data.collate import collate, example
from modelgenerator.long_context.data.vocabulary import encode


def test_a_window_has_special_tokens_and_comes_with_its_letters():
    one = example(encode(b"acgN"), 2, "chr1:0-4")
    assert one["input_ids"].tolist() == [2, 5, 7, 6, 10, 3]
    assert one["attention_mask"].tolist() == [1] * 6
    assert (one["labels"].item(), one["sequences"], one["ids"]) == (2, "ACGN", "chr1:0-4")


def test_shorter_windows_are_padded_on_the_right():
    batch = collate([example(encode(b"ACG"), 1, "a"), example(encode(b"A"), 0, "b")])
    assert batch["input_ids"].tolist() == [[2, 5, 7, 6, 3], [2, 5, 3, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert batch["labels"].tolist() == [1, 0]
    assert batch["sequences"] == ["ACG", "A"]


def test_labels_of_positions_are_padded_with_what_losses_ignore():
    classes = collate(
        [
            example(encode(b"ACG"), np.array([0, 1, 2]), "a"),
            example(encode(b"A"), np.array([1]), "b"),
        ]
    )
    assert classes["labels"].tolist() == [[0, 1, 2], [1, -100, -100]]
    tracks = [np.ones((3, 2), np.float32), np.zeros((1, 2), np.float32)]
    numbers = collate(
        [example(encode(b"ACG"), tracks[0], "a"), example(encode(b"A"), tracks[1], "b")]
    )
    assert numbers["labels"].shape == (2, 3, 2)
    assert numbers["labels"][1, 1:].isnan().all()


def test_labels_of_windows_are_stacked():
    rows = [example(encode(b"ACGT"[:n]), np.array([n, 1.5], np.float32), "a") for n in (4, 2)]
    torch.testing.assert_close(collate(rows)["labels"], torch.tensor([[4.0, 1.5], [2.0, 1.5]]))
