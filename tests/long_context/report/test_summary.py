# SPDX-License-Identifier: Apache-2.0
import math

import pandas as pd
import pytest

from modelgenerator.long_context.report import load_results
from modelgenerator.long_context.report.summary import (
    baseline_label,
    best_label,
    difference,
    over_seeds,
)


def test_over_seeds_by_hand():
    frame = pd.DataFrame({"label": list("aab"), "seed": [0, 1, 0], "value": [1.0, 3.0, 5.0]})
    out = over_seeds(frame, ["value"], ["label"])
    assert out["value"].tolist() == [2.0, 5.0]
    assert out["value_spread"][0] == pytest.approx(math.sqrt(2))
    assert math.isnan(out["value_spread"][1])
    assert out["seeds"].tolist() == [2, 1]


def test_best_is_least_perplexity_and_most_recall():
    means = pd.DataFrame({"label": ["a", "b"], "value": [3.0, 4.0]})
    assert best_label(means, "perplexity") == "a"
    assert best_label(means, "recall") == "b"


def test_the_baseline_is_plain_rope_unless_named(make, simple, tmp_path):
    results = load_results(make.write(tmp_path, a=simple(), b=simple("rope", factor=1.0)))
    assert baseline_label(results) == "plain RoPE, zero-shot"
    assert baseline_label(results, "yarn 16x, zero-shot") == "yarn 16x, zero-shot"
    with pytest.raises(ValueError, match="no result is called 'yarn'. Known: yarn 16x, zero-shot,"):
        baseline_label(results, "yarn")
    (tmp_path / "b.json").unlink()
    assert baseline_label(load_results([str(tmp_path)])) is None


def test_a_difference_is_that_of_the_metrics(study):
    results = load_results([str(study)]).of("held_out")
    frame = results.frame()
    frame = frame[(frame["regime"] == "tuned_16x") & (frame["length"] == 8192)]
    for metric in ("perplexity", "recall"):
        means = frame[frame["metric"] == metric].groupby("label")["value"].mean()
        found = difference(results, "tuned_16x", metric, 8192, "yarn", "rope")
        assert found.interval.value == pytest.approx(means["yarn"] - means["rope"])
        assert found.interval.low < found.interval.value < found.interval.high
        assert not found.within_spread
        spread = frame[frame["metric"] == metric].groupby("label")["value"].std()
        assert found.spread == pytest.approx(max(spread["yarn"], spread["rope"]))


def test_what_was_not_measured_has_no_difference(study):
    results = load_results([str(study)]).of("held_out")
    assert difference(results, "tuned_16x", "recall", 8192, "gene", "rope") is None


def test_what_was_not_finite_has_no_difference(study):
    """A result file holds null where a loss was NaN or infinite."""
    results = load_results([str(study)]).of("held_out")
    (one,) = (
        s
        for r in results.finished
        if (r["cell"]["label"], r["cell"]["regime"], r["seed"]) == ("yarn", "tuned_16x", 0)
        for s in r["segments"]
        if (s["kind"], s["length"]) == ("natural", 8192)
    )
    one["nll"][0] = None
    assert difference(results, "tuned_16x", "perplexity", 8192, "yarn", "rope") is None
