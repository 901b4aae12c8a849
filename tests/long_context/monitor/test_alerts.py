# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.monitor.alerts import alerts, duration
from modelgenerator.long_context.monitor.lines import Line
from modelgenerator.long_context.monitor.runs import Run
from modelgenerator.long_context.monitor.settings import Alerts


def line(*values):
    out = Line()
    out.extend(np.array([[i, i, i, value] for i, value in enumerate(values)], dtype=float))
    return out


def of(lines, state="running", silent=0.0, record=None, **settings):
    run = Run("a", state, started=0.0, silent=silent)
    return alerts(run, lines, record or {}, Alerts(**settings))


def test_all_is_well():
    assert of({"train_loss": line(1, 2, 3), "nonfinite_losses": line(0, 0)}) == []


def test_losses_that_are_no_number():
    lines = {"nonfinite_losses": line(0, 2)}
    assert of(lines) == ["2 losses were not finite numbers"]
    assert of(lines, not_finite=False) == []


def test_perplexity_at_the_shortest_length():
    lines = {
        "eval_perplexity/4000": line(3.0, 3.3),
        "eval_perplexity/16000": line(3.0, 9.0),
        "eval_perplexity/x": line(1, 9),
        f"eval_perplexity/{'9' * 5000}": line(1, 9),
    }
    said = "perplexity at 4,000 nt is up by 10.0%, from 3.000 to 3.300"
    assert of(lines) == [said]
    assert of(lines, perplexity_up_percent=11.0) == []
    assert of({"eval_perplexity/4000": line(3.0, float("nan"))}) == []


def test_states():
    assert of({}, state="stalled", silent=900.0) == ["nothing new for 15 min"]
    assert of({}, state="failed", record={"error": "no room"}) == ["failed: no room"]
    assert of({}, state="failed") == ["failed: no reason was recorded"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2.0 h"), (3e5, "3.5 days")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
