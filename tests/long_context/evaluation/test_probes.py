# SPDX-License-Identifier: Apache-2.0
"""The probe on features whose answer is known."""

import numpy as np
import pytest

from modelgenerator.long_context.evaluation.probes import probe


def data(classes=2, rows=300, seed=0, signal=8.0):
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    features = rng.normal(size=(rows, 12)).astype(np.float32)
    features[np.arange(rows), labels] += signal
    return 1e-3 * features + 5.0, labels  # scale and offset do not matter


@pytest.mark.parametrize("classes", [2, 4])
def test_separable_classes_are_found(classes):
    scores = probe(data(classes), data(classes, seed=1))
    assert scores["accuracy"] > 0.99
    assert scores["auroc"] > 0.99
    assert scores["majority"] == pytest.approx(1 / classes)


def test_noise_is_chance():
    scores = probe(data(signal=0.0, rows=2000), data(signal=0.0, rows=2000, seed=1))
    assert scores["accuracy"] == pytest.approx(0.5, abs=0.05)
    assert scores["auroc"] == pytest.approx(0.5, abs=0.05)


def test_auroc_needs_every_class_in_the_test_windows():
    features, labels = data(3)
    scores = probe((features, labels), (features[labels < 2], labels[labels < 2]))
    assert scores["auroc"] is None
    assert scores["accuracy"] > 0.99


def test_bad_input_is_refused():
    features, labels = data()
    with pytest.raises(ValueError, match="train: all labels are 0"):
        probe((features, labels * 0), (features, labels))
    with pytest.raises(ValueError, match="test: label 7 is not among those of train"):
        probe((features, labels), (features, labels + 7))
    with pytest.raises(ValueError, match=r"test: features \(300, 12\) and labels \(299,\)"):
        probe((features, labels), (features, labels[1:]))
    bad = features.copy()
    bad[3, 2] = np.nan
    with pytest.raises(ValueError, match="train: 1 of 300 rows are not finite"):
        probe((bad, labels), (features, labels))
