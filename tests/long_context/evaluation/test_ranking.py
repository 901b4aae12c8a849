# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from modelgenerator.long_context.evaluation.ranking import auroc


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_value_is_scikit_learns_with_ties(rng):
    labels = rng.integers(0, 2, 300)
    scores = np.round(rng.normal(labels), 1)
    assert auroc(labels, scores).value == pytest.approx(roc_auc_score(labels, scores))


def test_error_is_the_spread_over_repeated_samples(rng):
    values, errors = [], []
    for _ in range(400):
        labels = np.repeat([1, 0], [40, 60])
        found = auroc(labels, rng.normal(labels * 1.0))
        values.append(found.value)
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.1)


def test_by_hand():
    # positives 3 and 1, negatives 2 and 0: 3 of 4 pairs are in order
    found = auroc(np.array([1, 1, 0, 0]), np.array([3.0, 1.0, 2.0, 0.0]))
    assert found.value == 0.75
    # placements 1, 1/2 and 1/2, 1: variance 1/8 each, over two of each
    assert found.error == pytest.approx((1 / 16 + 1 / 16) ** 0.5)


def test_one_positive_has_no_error():
    assert auroc(np.array([1, 0, 0]), np.array([1.0, 0.0, 2.0])) == (0.5, None)
