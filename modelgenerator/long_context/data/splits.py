# SPDX-License-Identifier: Apache-2.0
"""Which parts of a genome train, validate and test.

Neighbouring bases are related, so a genome is divided in blocks and not in windows, with gaps
between. Positions are global, over records laid end to end (see `Genome`); parts are rows
[start, stop) of an int64 array [parts, 2].
"""

from typing import NamedTuple

import numpy as np

from modelgenerator.long_context.data.streams import Stream, generator

TRAIN, VALID, TEST = range(3)


class Split(NamedTuple):
    """Parts of a genome, each int64 [parts, 2], at least a gap apart from one another's."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def split_genome(
    offsets: np.ndarray,
    block: int,
    longest: int,
    valid_share: float,
    test_share: float,
    seed: int,
) -> Split:
    """Cut records into blocks, deal the blocks out at random, and leave gaps between splits.

    Only blocks that hold a window of the longest length validate or test. Between blocks of
    different splits at least `longest` bases belong to none; they are taken from training where
    it is one of the two, so that what is scored depends on it as little as possible.

    Args:
        offsets: Where each record begins and the last ends [records + 1].
        block: Bases in a block, at least `longest`. The rest of a record joins its last block.
        longest: The longest window, also the gap.
        valid_share: Share of all bases for validation.
        test_share: Share of all bases for testing.
        seed: Decides which blocks.
    """
    blocks, records = cut_blocks(offsets, block)
    labels = assign_blocks(blocks, longest, valid_share, test_share, seed)
    blocks = leave_gaps(blocks, records, labels, longest)
    return Split(*(_non_empty(blocks[labels == label]) for label in (TRAIN, VALID, TEST)))


def split_along(offsets: np.ndarray, gap: int, valid_share: float, test_share: float) -> Split:
    """Cut every record at the same shares of its length: it trains, validates, tests, in order.

    So genomes that are alike from end to end test on what is alike, and train on none of it.

    Args:
        offsets: Where each record begins and the last ends [records + 1].
        gap: Bases between splits that belong to none.
        valid_share: Share of each record for validation.
        test_share: Share of each record for testing.
    """
    lengths = np.diff(offsets)
    shares = [0.0, 1 - valid_share - test_share, 1 - test_share, 1.0]
    borders = offsets[:-1, None] + np.rint(lengths[:, None] * shares).astype(np.int64)
    blocks = np.stack([borders[:, :-1], borders[:, 1:]], axis=2).reshape(-1, 2)
    labels = np.tile([TRAIN, VALID, TEST], len(lengths)).astype(np.int8)
    blocks, labels = blocks[blocks[:, 1] > blocks[:, 0]], labels[blocks[:, 1] > blocks[:, 0]]
    records = np.searchsorted(offsets, blocks[:, 0], side="right")
    blocks = leave_gaps(blocks, records, labels, gap)
    return Split(*(_non_empty(blocks[labels == label]) for label in (TRAIN, VALID, TEST)))


def default_block(bases: int, longest: int) -> int:
    """About a hundred blocks, of at most 2 Mb, so that a eukaryote's genes are rarely cut in two.

    Never less than two of the longest windows, and always a whole number of them.
    """
    block = max(2 * longest, min(2_000_000, bases // 100))
    return -(-block // longest) * longest


def cut_blocks(offsets: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """Blocks [n, 2] and their records [n]: by 4, a record of 11 gives [0, 4) and [4, 11)."""
    lengths = np.diff(offsets)
    counts = np.maximum(lengths // block, 1)
    records = np.repeat(np.arange(len(lengths)), counts)
    within = np.arange(len(records)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = offsets[records] + within * block
    is_last = within == counts[records] - 1
    stops = np.where(is_last, offsets[records + 1], starts + block)
    return np.stack([starts, stops], axis=1), records


def assign_blocks(
    blocks: np.ndarray, longest: int, valid_share: float, test_share: float, seed: int
) -> np.ndarray:
    """TRAIN, VALID or TEST for each block, int8 [n].

    Blocks in random order fill testing up to its share of the bases, then validation; each gets
    at least one if its share is above 0 and there is one.
    """
    labels = np.full(len(blocks), TRAIN, dtype=np.int8)
    sizes = blocks[:, 1] - blocks[:, 0]
    order = generator(seed, Stream.SPLIT).permutation(len(blocks))
    order = order[sizes[order] >= longest]
    for label, share in ((TEST, test_share), (VALID, valid_share)):
        if share > 0:
            # A block more is taken if that comes closer to the share than stopping short.
            middle = np.cumsum(sizes[order]) - sizes[order] / 2
            count = max(1, int((middle <= share * sizes.sum()).sum()))
            labels[order[:count]] = label
            order = order[count:]
    return labels


def leave_gaps(blocks: np.ndarray, records: np.ndarray, labels: np.ndarray, gap: int) -> np.ndarray:
    """Shorten blocks [n, 2] so that neighbours of different splits are `gap` apart."""
    blocks = blocks.copy()
    borders = np.flatnonzero((records[1:] == records[:-1]) & (labels[1:] != labels[:-1]))
    # TRAIN < VALID < TEST: the lower of the two gives way.
    left_gives = labels[borders] < labels[borders + 1]
    blocks[borders[left_gives], 1] -= gap
    blocks[borders[~left_gives] + 1, 0] += gap
    return blocks


def _non_empty(parts: np.ndarray) -> np.ndarray:
    return parts[parts[:, 1] > parts[:, 0]]
