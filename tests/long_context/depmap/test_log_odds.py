# SPDX-License-Identifier: Apache-2.0
from math import log, log2
from pathlib import Path

import numpy as np
import pytest
import torch

from modelgenerator.long_context.depmap.log_odds import (
    LETTERS,
    LIFT,
    largest_change,
    log_odds,
    probabilities,
)

VECTOR = Path(__file__).parents[2] / "vectors" / "depmap_upstream_script.npz"


@pytest.fixture(scope="module")
def upstream():
    """What ModelGenerator's own script makes of real predictions; the file says how it was run."""
    return np.load(VECTOR)


def in_our_order(array, letters, axes):
    order = [str(letters).index(letter) for letter in LETTERS]
    for axis in axes:
        array = np.take(array, order, axis=axis)
    return torch.from_numpy(array)


def test_map_is_that_of_upstreams_script(upstream):
    mutants = in_our_order(upstream["mutants"], upstream["letters"], (1, 3))
    wildtype = in_our_order(upstream["wildtype"], upstream["letters"], (1,))
    values = largest_change(log_odds(mutants), log_odds(wildtype)).numpy()
    off = ~np.eye(len(values), dtype=bool)
    assert upstream["matrix"].max() > 3  # there is something to agree on
    np.testing.assert_allclose(values[off], upstream["matrix"][off], atol=1e-5)


def test_three_alternatives_are_enough(upstream):
    # Upstream also "mutates" a base into itself, which changes nothing.
    sequence, letters = str(upstream["sequence"]), str(upstream["letters"])
    wildtype = log_odds(torch.from_numpy(upstream["wildtype"]))
    for row, letter in enumerate(sequence):
        others = [k for k in range(4) if letters[k] != letter]
        mutants = log_odds(torch.from_numpy(upstream["mutants"][row : row + 1, others]))
        values = largest_change(mutants, wildtype).numpy()[0]
        values[row] = 0
        np.testing.assert_allclose(values, upstream["matrix"][row], atol=1e-5)


def test_odds_by_hand():
    # p = 1/2, 1/4, 1/8, 1/8 before the lift; odds of the first are close to 1
    logits = torch.tensor([log(4.0), log(2.0), 0.0, 0.0])
    p = (0.5 + LIFT) / (1 + 4 * LIFT)
    torch.testing.assert_close(log_odds(logits)[0].item(), log2(p / (1 - p)), atol=1e-6, rtol=0)
    torch.testing.assert_close(probabilities(logits).sum(), torch.tensor(1.0))


def test_certain_prediction_keeps_its_digits():
    # p = 1 exactly in float32: odds are those of the lift, (1 + LIFT) / (3 LIFT)
    odds = log_odds(torch.tensor([200.0, 0.0, 0.0, 0.0]))
    assert odds[0].item() == pytest.approx(log2((1 + LIFT) / (3 * LIFT)), abs=1e-6)


def test_largest_change_is_over_alternatives_and_bases():
    reference = torch.zeros(2, 4)
    mutants = torch.zeros(1, 3, 2, 4)
    mutants[0, 1, 0, 2] = -5.0
    mutants[0, 2, 0, 3] = 4.0
    assert largest_change(mutants, reference).tolist() == [[5.0, 0.0]]
