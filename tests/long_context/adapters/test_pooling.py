# SPDX-License-Identifier: Apache-2.0
"""Pooling by hand, and what padding must not change."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.adapters.pooling import (
    centre_pool,
    max_pool,
    mean_pool,
    nucleotides,
)

HIDDEN = torch.tensor([[9.0, 1, 2, 3, 6, 9, 9], [9, 4, 8, 9, 9, 9, 9]])[
    ..., None
]  # [CLS] ... [SEP]
MASK = torch.tensor([[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0]])


def test_nucleotides_are_all_but_special_tokens_and_padding():
    assert nucleotides(MASK).int().tolist() == [[0, 1, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 0, 0]]
    assert nucleotides(torch.ones(1, 4)).int().tolist() == [[0, 1, 1, 0]]


def test_means_and_maxima_by_hand():
    assert mean_pool(HIDDEN, MASK).flatten().tolist() == [3.0, 6.0]
    assert max_pool(HIDDEN, MASK).flatten().tolist() == [6.0, 8.0]


@pytest.mark.parametrize(
    ("width", "expected"),
    # Of 1 2 3 6 the middle one is index 2, the 3; of 4 8 it is the 8.
    [(1, [3.0, 8.0]), (2, [2.5, 6.0]), (3, [11 / 3, 6.0]), (4, [3.0, 6.0]), (100, [3.0, 6.0])],
)
def test_the_centre_by_hand(width, expected):
    assert centre_pool(HIDDEN, MASK, width).flatten().tolist() == pytest.approx(expected)


@given(length=st.integers(1, 40), padding=st.integers(0, 9), width=st.integers(1, 50))
def test_padding_changes_nothing(length, padding, width):
    generator = torch.Generator().manual_seed(length)
    hidden = torch.randn(1, length + 2, 3, generator=generator)
    mask = torch.ones(1, length + 2)
    padded = torch.cat([hidden, torch.full((1, padding, 3), torch.inf)], dim=1)
    longer = torch.cat([mask, torch.zeros(1, padding)], dim=1)
    for pool in (mean_pool, max_pool, lambda h, m: centre_pool(h, m, width)):
        torch.testing.assert_close(pool(padded, longer), pool(hidden, mask))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_64k_tokens_of_half_precision_are_summed_without_overflow(dtype):
    hidden = torch.full((1, 64_002, 2), 8.0, dtype=dtype)
    mask = torch.ones(1, 64_002)
    assert mean_pool(hidden, mask).tolist() == [[8.0, 8.0]]
    assert mean_pool(hidden, mask).dtype == torch.float32
