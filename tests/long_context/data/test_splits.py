# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.splits import (
    TEST,
    TRAIN,
    VALID,
    assign_blocks,
    cut_blocks,
    default_block,
    leave_gaps,
    split_along,
    split_genome,
)


def offsets_of(lengths):
    return np.cumsum([0, *lengths])


def test_blocks_by_hand():
    blocks, records = cut_blocks(offsets_of([11, 3, 8]), 4)
    assert blocks.tolist() == [[0, 4], [4, 11], [11, 14], [14, 18], [18, 22]]
    assert records.tolist() == [0, 0, 1, 2, 2]


def test_gaps_by_hand():
    blocks = np.array([[0, 10], [10, 20], [20, 30], [30, 40], [40, 50]])
    records = np.array([0, 0, 0, 0, 1])
    labels = np.array([TRAIN, VALID, TEST, TRAIN, VALID])
    # Training gives way to both, validation to testing, and another record is no neighbour.
    expected = [[0, 7], [10, 17], [20, 30], [33, 40], [40, 50]]
    assert leave_gaps(blocks, records, labels, 3).tolist() == expected


def test_short_records_only_train():
    blocks, _ = cut_blocks(offsets_of([100, 9, 9, 100]), 100)
    for seed in range(20):
        labels = assign_blocks(blocks, 10, 0.3, 0.3, seed)
        assert labels[1] == labels[2] == TRAIN


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_shares_are_met_and_blocks_are_at_random(share):
    blocks, _ = cut_blocks(offsets_of([1_000_000]), 5_000)
    found = {seed: assign_blocks(blocks, 500, share, share, seed) for seed in range(3)}
    for labels in found.values():
        for label in (VALID, TEST):
            assert np.mean(labels == label) == pytest.approx(share, abs=0.006)
    assert not np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], assign_blocks(blocks, 500, share, share, 0))


def test_a_small_share_still_gets_a_block_and_none_gets_none():
    blocks, _ = cut_blocks(offsets_of([50]), 10)
    assert np.bincount(assign_blocks(blocks, 10, 0.01, 0.01, 0)).tolist() == [3, 1, 1]
    assert np.bincount(assign_blocks(blocks, 10, 0.0, 0.01, 0)).tolist() == [4, 0, 1]


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=6),
    st.integers(1, 40),
    st.integers(1, 4),
    st.floats(0, 0.5),
    st.floats(0, 0.49),
    st.integers(0, 100),
)
def test_splits_lie_apart_within_records(lengths, longest, blocks_of, valid, test, seed):
    offsets = offsets_of(lengths)
    split = split_genome(offsets, longest * blocks_of, longest, valid, test, seed)
    owner = np.full(offsets[-1], -1)
    for label, parts in enumerate(split):
        for start, stop in parts:
            record = np.searchsorted(offsets, start, side="right") - 1
            assert offsets[record] <= start < stop <= offsets[record + 1]
            assert (owner[start:stop] == -1).all()  # no base is in two parts
            owner[start:stop] = label
    for first, last in zip(offsets[:-1], offsets[1:], strict=True):
        held = np.flatnonzero(owner[first:last] >= 0)
        labels = owner[first:last][held]
        change = labels[1:] != labels[:-1]
        assert (np.diff(held)[change] > longest).all()  # at least `longest` bases between


@pytest.mark.parametrize(
    ("bases", "longest", "block"),
    [
        (3_100_000_000, 65_536, 2_031_616),  # at most 2 Mb, in whole windows
        (63_000_000, 65_536, 655_360),  # about a hundredth
        (200_000, 8_192, 16_384),  # at least two windows
    ],
)
def test_default_block(bases, longest, block):
    assert default_block(bases, longest) == block
    assert block % longest == 0


def test_every_record_is_cut_at_the_same_shares():
    split = split_along(np.array([0, 1_000, 3_000]), 10, 0.1, 0.2)
    assert split.train.tolist() == [[0, 690], [1_000, 2_390]]
    assert split.valid.tolist() == [[700, 790], [2_400, 2_590]]
    assert split.test.tolist() == [[800, 1_000], [2_600, 3_000]]
    assert split_along(np.array([0, 1_000]), 10, 0.0, 0.2).train.tolist() == [[0, 790]]
