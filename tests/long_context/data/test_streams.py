# SPDX-License-Identifier: Apache-2.0
import numpy as np

from modelgenerator.long_context.data.streams import Stream, generator


def first(*arguments):
    return generator(*arguments).random()


def test_equal_arguments_give_equal_numbers():
    assert first(1, Stream.TRAIN, 2) == first(1, Stream.TRAIN, 2)


def test_seeds_streams_and_keys_differ():
    numbers = [
        first(seed, stream, *key)
        for seed in range(3)
        for stream in Stream
        for key in [(), (1,), (2,), (1, 2), (2, 1), (2**40,)]
    ]
    assert len(set(numbers)) == len(numbers)


def test_neighbouring_keys_are_unrelated():
    numbers = np.array([first(0, Stream.TRAIN, i) for i in range(2_000)])
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 0.1
    assert np.histogram(numbers, 4, (0, 1))[0].min() > 400


def test_the_meaning_of_a_seed_does_not_change():
    """Splits, masks and copies of published results hang on these values."""
    assert list(Stream) == [0, 1, 2, 3, 4, 5]
    names = ["SPLIT", "TRAIN", "MASK", "COPIES", "LABELLED", "STRAND"]
    assert [s.name for s in Stream] == names
    assert generator(42, Stream.MASK, 7).integers(0, 1000, 4).tolist() == [214, 842, 75, 19]
