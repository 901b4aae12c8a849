# SPDX-License-Identifier: Apache-2.0
"""Plants copies in a window: the answer to a masked base stands elsewhere in the same window.

A model that reaches as far as the source can copy the answer; one that does not is left with
guessing. So recall by distance shows the context a model really uses, as a needle in a haystack
does for text.
"""

from bisect import bisect_left
from typing import NamedTuple, Optional

import numpy as np

from modelgenerator.long_context.data.vocabulary import reverse_complement

NATURAL, DIRECT, REVERSE_COMPLEMENT = range(3)

# A lone pair may fill its window; of several, sources and copies take up to half of it, so that
# places are found in a few tries.
SHARE = 0.5
TRIES = 100


class PlantedCopies(NamedTuple):
    """A window with copies, each field [n].

    Attributes:
        ids: Token ids, uint8.
        kind: NATURAL, DIRECT or REVERSE_COMPLEMENT for the bases of a copy, int8. A source's are
            natural.
        is_source: Bases that a copy was made of; left unmasked, they hold the answer.
        distance: Bases between a copy's base and its source's, int32; 0 outside of copies.
    """

    ids: np.ndarray
    kind: np.ndarray
    is_source: np.ndarray
    distance: np.ndarray


def plant_copies(
    ids: np.ndarray,
    rng: np.random.Generator,
    count: int,
    min_length: int,
    max_length: int,
    reverse_complement_share: float,
) -> PlantedCopies:
    """Overwrite `count` segments with copies of others; no two of all these segments overlap.

    From AAGT....cccc a direct copy makes AAGT....AAGT, each base at distance 8, and a reverse
    complement makes AAGT....ACTT, at distances 11, 9, 7, 5 ... Where segments do not stand in the
    way, the distance of source and copy is as likely to be short as to span the window, and
    either may come first.

    Args:
        ids: Token ids without special tokens, uint8 [n].
        rng: Generator that decides everything.
        count: How many copies.
        min_length: Shortest copy, at least 1.
        max_length: Longest copy; see `largest_copies`.
        reverse_complement_share: Share of copies that are on the other strand.
    """
    assert max_length <= largest_copies(len(ids), count)
    while (
        planted := _try_to_plant(ids, rng, count, min_length, max_length, reverse_complement_share)
    ) is None:
        pass
    return planted


def _try_to_plant(
    ids: np.ndarray,
    rng: np.random.Generator,
    count: int,
    min_length: int,
    max_length: int,
    reverse_complement_share: float,
) -> Optional[PlantedCopies]:
    """As `plant_copies`; None if an early pair left no room for a later one."""
    planted = PlantedCopies(
        ids.copy(),
        np.zeros(len(ids), dtype=np.int8),
        np.zeros(len(ids), dtype=bool),
        np.zeros(len(ids), dtype=np.int32),
    )
    taken: list[tuple[int, int]] = []
    for length in rng.integers(min_length, max_length + 1, count).tolist():
        pair = _free_pair(taken, len(ids), length, rng)
        if pair is None:
            return None
        source, copy = pair
        letters = ids[source : source + length]
        here = slice(copy, copy + length)
        at = np.arange(length)
        if rng.random() < reverse_complement_share:
            planted.ids[here] = reverse_complement(letters)
            planted.kind[here] = REVERSE_COMPLEMENT
            planted.distance[here] = np.abs(copy + at - (source + length - 1 - at))
        else:
            planted.ids[here] = letters
            planted.kind[here] = DIRECT
            planted.distance[here] = abs(copy - source)
        planted.is_source[source : source + length] = True
    return planted


def largest_copies(window: int, count: int) -> int:
    """The longest copy of which a window has room for `count`."""
    if count == 1:
        return window // 2
    return int(SHARE * window) // (2 * count)


def _free_pair(
    taken: list[tuple[int, int]], window: int, length: int, rng: np.random.Generator
) -> Optional[tuple[int, int]]:
    """Starts of a source and a copy on free ground; adds both to the sorted segments `taken`."""
    for _ in range(TRIES):
        # `random` is several times as fast as `integers` for a single number.
        distance = length + int(rng.random() * (window - 2 * length + 1))
        first = int(rng.random() * (window - length - distance + 1))
        second = first + distance
        if _is_free(taken, first, length) and _is_free(taken, second, length):
            for start in (first, second):
                segment = (start, start + length)
                taken.insert(bisect_left(taken, segment), segment)
            return (first, second) if rng.random() < 0.5 else (second, first)
    return None


def _is_free(taken: list[tuple[int, int]], start: int, length: int) -> bool:
    after = bisect_left(taken, (start, start))
    return (after == 0 or taken[after - 1][1] <= start) and (
        after == len(taken) or start + length <= taken[after][0]
    )
