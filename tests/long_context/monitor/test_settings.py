# SPDX-License-Identifier: Apache-2.0
from dataclasses import asdict

import pytest
import yaml

from modelgenerator.long_context.monitor.settings import Logged, Shown, logged_from, shown_from


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "logged: list; give a mapping"),
        ({"every": 1}, "unknown option 'every'. Known: metrics, every_n_steps"),
        ({"every_n_steps": 0}, "every_n_steps: 0; give a whole number of at least 1"),
        ({"every_n_steps": 10**20}, "every_n_steps: 100000000000000000000; give a whole.*2.53"),
        ({"every_n_steps": True}, "every_n_steps: True; give a whole number"),
        ({"eval_windows": 1.5}, "eval_windows: 1.5; give a whole number"),
        ({"eval_lengths": []}, r"eval_lengths: \[\]; give a list of lengths, or null"),
        ({"eval_lengths": [48, 64]}, "48 does not divide the longest, 64"),
        ({"metrics": "loss"}, "metrics: 'loss'; give a list of names"),
        ({"attention_entropy": "yes"}, "attention_entropy: 'yes'; give true or false"),
    ],
)
def test_what_cannot_be_logged(given, message):
    with pytest.raises(ValueError, match=message):
        logged_from(given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"panels": [1]}, r"panels: \[1\]; give a list of names"),
        ({"runs": "a"}, "runs: 'a'; give a list"),
        ({"alerts": {"stalled_minutes": 0}}, "stalled_minutes: 0; give a number above 0"),
        ({"alerts": {"perplexity_up_percent": float("nan")}}, "perplexity_up_percent: nan"),
        ({"alerts": {"wave": 1}}, "shown.alerts: unknown option 'wave'"),
        ({"alerts": 5}, "shown.alerts: int; give a mapping"),
    ],
)
def test_what_cannot_be_shown(given, message):
    with pytest.raises(ValueError, match=message):
        shown_from(given)


def test_a_number_larger_than_any_float_is_no_crash():
    assert shown_from({"alerts": {"stalled_minutes": 10**400}}).alerts.stalled_minutes == 10**400


def test_there_and_back():
    logged = Logged(eval_lengths=[16, 64], attention_entropy=True)
    assert logged_from(asdict(logged)) == logged
    shown = Shown(panels=["a*"], runs=["b"])
    assert shown_from(asdict(shown)) == shown


def test_the_shipped_config_says_what_the_defaults_are(root):
    config = yaml.safe_load((root / "configs/monitor.yaml").read_text())
    (callback,) = config["trainer"]["callbacks+"]
    options = callback["init_args"]
    assert shown_from(options["shown"]) == Shown()
    assert logged_from({**options["logged"], "eval_every_n_steps": 0}) == Logged()
