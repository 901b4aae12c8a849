# SPDX-License-Identifier: Apache-2.0
"""Which bases are hidden from the model, and what it is asked in their place."""

from typing import Union

import numpy as np

from modelgenerator.long_context.data.vocabulary import MASK, N

IGNORED = -100  # what torch's cross entropy leaves out


def choose_masked(ids: np.ndarray, draws: np.ndarray, rate: Union[float, np.ndarray]) -> np.ndarray:
    """Whether each base is masked, bool [n]; N never is, for there is nothing to predict.

    Args:
        ids: Token ids without special tokens [n].
        draws: Uniform random numbers in [0, 1) [n], as of `Generator.random`. A part of a window
            with the same part of its draws has the same bases masked.
        rate: Probability of each base, one for all or [n].
    """
    return (draws < rate) & (ids != N)


def hide(ids: np.ndarray, masked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Input ids and labels, int64 [n] each.

    Every masked base becomes [MASK]. BERT's 80/10/10 rule, by which some stay or turn random, is
    not used: no base is ever wrong on purpose, and what is scored is exactly what is hidden.
    """
    ids = ids.astype(np.int64)
    return np.where(masked, MASK, ids), np.where(masked, ids, IGNORED)
