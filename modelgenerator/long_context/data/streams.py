# SPDX-License-Identifier: Apache-2.0
"""Random numbers as a pure function of a seed and of what they are for."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What random numbers are for; no two uses share any.

    The values are part of what a seed means: never change one, append.
    """

    SPLIT = 0
    TRAIN = 1
    MASK = 2
    COPIES = 3
    LABELLED = 4
    STRAND = 5


def generator(seed: int, stream: Stream, *key: int) -> np.random.Generator:
    """A fresh generator, the same in any process for the same arguments, all at least 0."""
    return np.random.default_rng((seed, stream, *key))
