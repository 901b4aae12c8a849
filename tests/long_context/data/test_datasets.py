# SPDX-License-Identifier: Apache-2.0
import pickle

import numpy as np
import pytest
import torch

from modelgenerator.long_context.data import Genome
from modelgenerator.long_context.data.datasets import FixedWindows, TrainWindows
from modelgenerator.long_context.data.examples import Masking, Planting
from modelgenerator.long_context.data.vocabulary import decode, reverse_complement
from modelgenerator.long_context.data.window_sets import cut_tiles

MASKING = Masking(0.15, 0.5)
PLANTING = Planting(2, 8, 16, 0.5)
ELIGIBLE = np.array([[0, 5_000, 5_000], [9_000, 19_744, 15_744]])


@pytest.fixture
def genome(genome_file):
    return Genome([genome_file])


def same(one, two):
    return all(
        torch.equal(one[key], two[key]) if torch.is_tensor(one[key]) else one[key] == two[key]
        for key in one
    )


def truth(genome, name):
    """The bases that an id names, in the direction it names."""
    place = name.removesuffix("(-)")
    record, interval = place.split(":")
    start, stop = map(int, interval.split("-"))
    offset = int(genome.offsets[genome.names.index(record)])
    ids = genome.read(offset + start, stop - start)
    return decode(reverse_complement(ids) if name != place else ids)


def test_an_item_depends_on_seed_and_index_alone(genome):
    one = TrainWindows(genome, ELIGIBLE, 256, 10, MASKING, PLANTING, 0.5, seed=1)
    two = pickle.loads(pickle.dumps(one))
    [one[i] for i in range(5)]
    assert same(one[123_456], two[123_456])
    assert not same(one[0], one[1])
    other = TrainWindows(genome, ELIGIBLE, 256, 10, MASKING, PLANTING, 0.5, seed=2)
    assert not same(one[0], other[0])


def test_windows_are_what_their_ids_say_on_either_strand(genome):
    data = TrainWindows(genome, ELIGIBLE, 256, 10, MASKING)
    items = [data[i] for i in range(200)]
    assert all(item["sequences"] == truth(genome, item["ids"]) for item in items)
    reverse = np.mean([item["ids"].endswith("(-)") for item in items])
    assert reverse == pytest.approx(0.5, abs=0.1)


def test_copies_come_in_their_share(genome):
    data = TrainWindows(genome, ELIGIBLE, 256, 10, MASKING, PLANTING, copy_share=0.3)
    share = np.mean([bool(data[i]["copy_kind"].any()) for i in range(400)])
    assert share == pytest.approx(0.3, abs=0.07)


def windows_of(genome, tiles, length):
    return cut_tiles(np.array(tiles), 4_096, length, genome.n_runs)


def scored(genome, length, tiles=(0, 4_096, 75_000)):
    """Where each masked base lies in the genome, and which it is."""
    windows = windows_of(genome, tiles, length)
    data = FixedWindows(genome, windows, length, 4_096, MASKING, seed=3)
    found = {}
    for index, (start, _) in enumerate(windows):
        labels = data[index]["labels"][1:-1]
        for at in torch.nonzero(labels != -100)[:, 0].tolist():
            found[int(start) + at] = int(labels[at])
    return found


def test_every_length_scores_the_same_bases(genome):
    whole = scored(genome, 4_096)
    assert len(whole) == pytest.approx(0.15 * 3 * 4_096, rel=0.1)
    for length in (2_048, 512, 32):
        assert scored(genome, length) == whole


def test_every_length_scores_the_same_bases_where_there_are_n(genome):
    whole = scored(genome, 4_096, tiles=[18_000])
    assert whole
    for length in (1_024, 256):
        assert scored(genome, length, tiles=[18_000]) == whole


def test_fixed_windows_are_fixed_and_differ_by_seed(genome):
    windows = windows_of(genome, [0, 4_096], 512)
    make = dict(genome=genome, windows=windows, length=512, tile_length=4_096, masking=MASKING)
    one = FixedWindows(**make, planting=PLANTING, copy_share=0.5, seed=1)
    assert all(same(one[i], pickle.loads(pickle.dumps(one))[i]) for i in range(len(one)))
    two = FixedWindows(**make, planting=PLANTING, copy_share=0.5, seed=2)
    assert not any(same(one[i], two[i]) for i in range(len(one)))
    assert one[3]["ids"] == two[3]["ids"] == "chr1:1536-2048"
