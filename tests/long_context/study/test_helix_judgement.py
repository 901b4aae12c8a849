# SPDX-License-Identifier: Apache-2.0
"""The rule of experiments/long_context/helix/README.md, on numbers whose verdict is known."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "experiments/long_context/helix/judge.py"


@pytest.fixture(scope="module")
def judge():
    spec = importlib.util.spec_from_file_location("judge", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [
        ([0.62, 0.64, 0.63], [0.60, 0.61, 0.58], "better"),  # worst of ours above best of theirs
        ([0.60, 0.64, 0.63], [0.60, 0.61, 0.58], "as good"),  # seeds overlap
        ([0.55, 0.56, 0.56], [0.58, 0.60, 0.61], "worse"),  # .040 behind, spreads .01 and .03
        ([0.57, 0.57, 0.58], [0.58, 0.60, 0.61], "as good"),  # .023 behind
    ],
)
def test_recall_of_trained_cells_is_judged_by_seeds(judge, ours, theirs, word):
    assert judge.judge("recall", ours, theirs, None) == word


@pytest.mark.parametrize(
    ("ours", "word"), [(0.59, "as good"), (0.62, "better"), (0.41, "as good"), (0.38, "worse")]
)
def test_recall_without_training_is_judged_by_its_error(judge, ours, word):
    """Half of 200 bases: both have a standard error near .035, the difference near .05."""
    assert judge.judge("recall", [ours], [0.5], 200) == word


@pytest.mark.parametrize(
    ("ours", "theirs", "word"),
    [
        ([0.58, 0.58, 0.59], [0.60, 0.60, 0.61], "as good"),  # behind by more than the seeds differ
        ([0.56, 0.56, 0.57], [0.60, 0.60, 0.61], "worse"),  # .04 behind, twice the error is .031
        ([0.55, 0.56, 0.60], [0.58, 0.60, 0.61], "as good"),  # .027 behind, spread .05
        ([0.62, 0.62, 0.63], [0.60, 0.60, 0.61], "as good"),  # seeds apart by less than the error
        ([0.64, 0.64, 0.65], [0.60, 0.60, 0.61], "better"),
        ([0.60, 0.66, 0.66], [0.60, 0.60, 0.61], "as good"),  # .037 ahead, but seeds overlap
    ],
)
def test_recall_of_trained_cells_may_count_the_error_of_the_test_set(judge, ours, theirs, word):
    """Two shares near .6 of 2,000 bases: twice the standard error of the difference is .031."""
    assert judge.judge("recall", ours, theirs, 2000) == word


@pytest.mark.parametrize(
    ("ours", "word"), [(3.90, "as good"), (3.93, "worse"), (3.87, "better"), (3.918, "as good")]
)
@pytest.mark.parametrize("bases", [None, 200])
def test_perplexity_may_differ_by_half_a_percent(judge, ours, word, bases):
    assert judge.judge("perplexity", [ours], [3.90], bases) == word


def test_the_goal_needs_reach_and_no_loss(judge):
    def found(**words):
        return {
            ("zero_shot", metric, length): judge.Verdict(
                0.5, ("yarn", 0.5), words.get(f"{metric}_{length}", "as good")
            )
            for metric in judge.METRICS
            for length in (1, 2, 16, 32)
        }

    assert "The zero-shot half of the goal is not met" in judge.goal(found())
    reach = {"recall_16": "better", "recall_32": "better"}
    assert "The zero-shot half of the goal is met" in judge.goal(found(**reach))
    lost = judge.goal(found(**reach, perplexity_2="worse"))
    assert "in 1 of 6 cells: natural bases, perplexity, zero-shot, 2x." in lost
    assert "The zero-shot half of the goal is not met" in lost
    beyond = judge.goal(found(**reach, perplexity_1="worse"))
    assert "The zero-shot half of the goal is met" in beyond, "2x to 16x count"
    trained = {("tuned_4x", *key[1:]): verdict for key, verdict in found(**reach).items()}
    assert "The goal is met" in judge.goal(trained)
