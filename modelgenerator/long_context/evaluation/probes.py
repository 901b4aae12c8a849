# SPDX-License-Identifier: Apache-2.0
"""A linear probe: how much of a label can be read off embeddings by a line."""

from typing import Optional

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MAX_ITERATIONS = 1_000


def probe(
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    strength: float = 1.0,
) -> dict[str, Optional[float]]:
    """Fit a logistic regression on standardised features and score it on others.

    Args:
        train: Features [windows, width] and classes [windows].
        test: The same of other windows.
        strength: L2 penalty, as scikit-learn's 1 / C.

    Returns:
        `accuracy`; `auroc`, over pairs of one class against the rest if there are more than two,
        None where the test windows lack a class; `majority`, the accuracy of always answering the
        class most frequent in training.

    Raises:
        ValueError: If features are not finite, the sizes do not fit, or training has one class.
    """
    _check("train", *train)
    _check("test", *test)
    (features, classes), (test_features, test_classes) = train, test
    kinds, counts = np.unique(classes, return_counts=True)
    if len(kinds) < 2:
        raise ValueError(f"train: all labels are {kinds[0]}. Give windows of at least two classes.")
    unknown = np.setdiff1d(test_classes, kinds)
    if len(unknown):
        raise ValueError(f"test: label {unknown[0]} is not among those of train, {kinds.tolist()}.")
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1.0 / strength, max_iter=MAX_ITERATIONS)
    )
    model.fit(features, classes)
    return {
        "accuracy": float((model.predict(test_features) == test_classes).mean()),
        "auroc": _auroc(kinds, model.predict_proba(test_features), test_classes),
        "majority": float((test_classes == kinds[counts.argmax()]).mean()),
    }


def _check(name: str, features: np.ndarray, classes: np.ndarray) -> None:
    if features.ndim != 2 or classes.shape != features.shape[:1]:
        raise ValueError(
            f"{name}: features {features.shape} and labels {classes.shape}; give [windows, width] "
            "and one class a window, [windows]."
        )
    if not np.isfinite(features).all():
        rows = int((~np.isfinite(features)).any(axis=1).sum())
        raise ValueError(f"{name}: {rows} of {len(features)} rows are not finite. Check the model.")


def _auroc(kinds: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> Optional[float]:
    if len(np.unique(classes)) < len(kinds):
        return None
    if len(kinds) == 2:
        return float(roc_auc_score(classes == kinds[1], scores[:, 1]))
    return float(roc_auc_score(classes, scores, multi_class="ovr", labels=kinds))
