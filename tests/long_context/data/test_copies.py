# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.copies import (
    DIRECT,
    NATURAL,
    REVERSE_COMPLEMENT,
    largest_copies,
    plant_copies,
)
from modelgenerator.long_context.data.vocabulary import COMPLEMENT


def window(length, seed=0):
    return np.random.default_rng(seed).integers(5, 9, length).astype(np.uint8)


def sources_of(planted):
    """For each base of a copy, the places its distance allows for the base it was made of."""
    at = np.flatnonzero(planted.kind != NATURAL)
    before, after = at - planted.distance[at], at + planted.distance[at]
    return at, before, after


@given(
    count=st.integers(1, 6),
    lengths=st.tuples(st.integers(1, 12), st.integers(0, 12)),
    extra=st.integers(0, 300),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 10_000),
)
def test_copies_equal_their_sources_and_nothing_overlaps(count, lengths, extra, share, seed):
    least, most = lengths[0], sum(lengths)
    ids = window((2 if count == 1 else 4 * count) * most + extra, seed)
    assert most <= largest_copies(len(ids), count)
    planted = plant_copies(ids, np.random.default_rng(seed), count, least, most, share)
    copied = planted.kind != NATURAL
    # As many bases of copies as of sources, and none of them shared, means no overlap at all.
    assert copied.sum() == planted.is_source.sum()
    assert not (copied & planted.is_source).any()
    assert count * least <= copied.sum() <= count * most
    assert (planted.ids[~copied] == ids[~copied]).all()  # sources and the rest are as they were
    assert ((planted.distance > 0) == copied).all()
    for at, before, after in zip(*sources_of(planted), strict=True):
        base = planted.ids[at]
        wanted = COMPLEMENT[base] if planted.kind[at] == REVERSE_COMPLEMENT else base
        assert any(
            0 <= place < len(ids) and planted.is_source[place] and planted.ids[place] == wanted
            for place in (before, after)
        )


@given(st.integers(0, 500), st.booleans())
def test_one_copy_in_full(seed, reverse):
    ids = window(100, seed)
    planted = plant_copies(ids, np.random.default_rng(seed), 1, 5, 5, float(reverse))
    copy = np.flatnonzero(planted.kind)
    source = np.flatnonzero(planted.is_source)
    assert np.ptp(copy) == np.ptp(source) == 4
    assert set(planted.kind[copy]) == {REVERSE_COMPLEMENT if reverse else DIRECT}
    partner = source[::-1] if reverse else source
    letters = ids[partner]
    assert (planted.ids[copy] == (COMPLEMENT[letters] if reverse else letters)).all()
    assert (planted.distance[copy] == np.abs(copy - partner)).all()


def test_the_kinds_come_in_their_shares():
    kinds = [
        plant_copies(window(80), np.random.default_rng(seed), 1, 4, 4, 0.25).kind.max()
        for seed in range(2_000)
    ]
    assert np.mean(np.array(kinds) == REVERSE_COMPLEMENT) == pytest.approx(0.25, abs=0.03)


def test_distances_spread_evenly_and_either_side_comes_first():
    distances, first = [], []
    for seed in range(4_000):
        planted = plant_copies(window(400), np.random.default_rng(seed), 1, 10, 10, 0.0)
        distances.append(planted.distance.max())
        first.append(np.argmax(planted.kind != NATURAL) < np.argmax(planted.is_source))
    counts = np.histogram(distances, 10, (10, 390))[0]
    assert counts.min() > 330
    assert counts.max() < 470
    assert np.mean(first) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("count", "most"), [(1, 512), (2, 128), (8, 32), (64, 4)])
def test_the_fullest_window_still_has_room(count, most):
    assert largest_copies(1_024, count) == most
    for seed in range(5):
        planted = plant_copies(window(1_024), np.random.default_rng(seed), count, most, most, 0.5)
        assert (planted.kind != NATURAL).sum() == count * most


def test_a_pair_that_fills_its_window():
    planted = plant_copies(window(64), np.random.default_rng(0), 1, 32, 32, 0.0)
    assert (planted.ids[:32] == planted.ids[32:]).all()
    assert set(planted.distance) == {0, 32}


def test_the_same_generator_plants_the_same_and_the_window_is_left_alone():
    ids = window(500)
    before = ids.copy()
    one, two = (plant_copies(ids, np.random.default_rng(7), 3, 5, 9, 0.5) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert (ids == before).all()


def test_types():
    planted = plant_copies(window(100), np.random.default_rng(0), 1, 4, 4, 0.5)
    assert [field.dtype for field in planted] == [np.uint8, np.int8, bool, np.int32]


def test_a_toy_model_finds_the_planted_distance():
    """Where a window agrees with itself shifted by d for a copy's length, d is the distance."""
    ids = window(2_000, 5)
    planted = plant_copies(ids, np.random.default_rng(5), 1, 40, 40, 0.0)
    found = [
        d
        for d in range(40, 2_000 - 40)
        if np.convolve(planted.ids[d:] == planted.ids[:-d], np.ones(40), "valid").max() == 40
    ]
    assert found == [planted.distance.max()]
