# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from modelgenerator.long_context.monitor.figures import (
    COLOURS,
    available_panels,
    colours,
    config_difference,
    curve_figure,
    metric_figure,
    wanted_panels,
)
from modelgenerator.long_context.monitor.lines import POINTS
from modelgenerator.long_context.monitor.runs import Runs

RED = {"a": "#D55E00", "b": "#0072B2"}


@pytest.fixture
def opened(make_run, tmp_path):
    """Open runs by name, read to their end."""

    def opened(*names):
        return {name: Runs(tmp_path).open(name) for name in names}

    return opened


def test_two_runs_on_one_chart(make_run, opened):
    make_run("a", steps=3)
    make_run("b", steps=2)
    figure = metric_figure("train_loss", opened("a", "b"), RED, "step", 0.0, False)
    first, second = figure["traces"]
    assert (first["name"], first["x"], first["y"]) == ("a", [1, 2, 3], [1, 0.5, 0.333333])
    assert first["line"]["color"] == "#D55E00"
    assert (second["name"], second["x"]) == ("b", [1, 2])
    by_tokens = metric_figure("train_loss", opened("a"), RED, "tokens", 0.0, True)
    assert by_tokens["traces"][0]["x"] == [100, 200, 300]
    assert by_tokens["layout"]["yaxis"]["type"] == "log"
    by_time = metric_figure("train_loss", opened("a"), RED, "time", 0.0, False)
    assert by_time["traces"][0]["x"][0] == 0
    assert metric_figure("absent", opened("a"), RED, "step", 0.0, False)["traces"] == []


def test_smoothing_keeps_what_it_smooths_in_sight(make_run, opened):
    make_run("a")
    raw, smooth = metric_figure("train_loss", opened("a"), RED, "step", 0.9, False)["traces"]
    assert raw["opacity"] < 1
    assert raw["y"][0] == smooth["y"][0]
    assert raw["y"][-1] < smooth["y"][-1], "lags behind a falling line"


def test_a_long_run_is_thinned_and_keeps_its_band(make_run, opened):
    make_run("a", steps=0)
    recorder = make_run("a", steps=0)
    for step in range(1, 2 * POINTS + 1):
        recorder.log(step, step, {"loss": float(step % 2)})
    low, high, line = metric_figure("loss", opened("a"), RED, "step", 0.0, False)["traces"]
    assert len(line["x"]) <= POINTS
    assert (set(low["y"]), set(high["y"]), set(line["y"])) == ({0.0}, {1.0}, {0.5})


def test_a_refresh_keeps_the_viewers_zoom(make_run, opened):
    """Plotly keeps it for as long as `uirevision` is the same."""
    recorder = make_run("a")
    before = metric_figure("train_loss", opened("a"), RED, "step", 0.0, False)["layout"]
    recorder.log(4, 400, {"train_loss": 0.1})
    after = metric_figure("train_loss", opened("a"), RED, "step", 0.0, False)["layout"]
    assert before["uirevision"] == after["uirevision"]
    other = metric_figure("train_loss", opened("a"), RED, "tokens", 0.0, False)["layout"]
    assert other["uirevision"] != after["uirevision"], "another axis, another zoom"
    other = metric_figure("train_loss", opened("a"), RED, "step", 0.0, True)["layout"]
    assert other["yaxis"]["uirevision"] != after["yaxis"]["uirevision"], "another scale as well"
    assert other["uirevision"] == after["uirevision"], "the horizontal zoom stays"


def test_curves_of_two_runs(make_run, opened):
    for name, y in (("a", 3.5), ("b", 3.6)):
        recorder = make_run(name)
        recorder.curve("perplexity_by_length", 0, [{"x": 512, "y": 9.0}])
        recorder.curve("perplexity_by_length", 50, [{"x": 512, "y": y}, {"x": 8192, "y": 4.0}])
        recorder.curve("loss_by_position", 50, [
            {"x": 0.5, "y": 1.0, "line": "512 nt"}, {"x": 0.5, "y": None, "line": "8192 nt"},
            {"x": "wrong"}, 7,
        ])  # fmt: skip
    figure = curve_figure("perplexity_by_length", opened("a", "b"), RED, False)
    assert [trace["y"] for trace in figure["traces"]] == [[3.5, 4.0], [3.6, 4.0]]
    assert figure["layout"]["title"]["text"] == "perplexity by length, at step 50"
    axis = figure["layout"]["xaxis"]
    assert axis["type"] == "log"
    assert axis["tickvals"] == [512, 1024, 2048, 4096, 8192]
    figure = curve_figure("loss_by_position", opened("a", "b"), RED, False)
    assert [t["name"] for t in figure["traces"] if t["showlegend"]] == ["512 nt", "8192 nt"]
    assert len(figure["traces"]) == 4
    assert curve_figure("recall_by_distance", opened("a"), RED, False)["traces"] == []


def test_names_are_shown_and_not_obeyed(make_run, opened):
    name = "<a href='x'>b %{x}"
    make_run(name).curve("loss_by_position", 1, [{"x": 1, "y": 1, "line": "<b>%{y}"}])
    runs, palette = opened(name), {name: "#000000"}
    for figure in (
        metric_figure("train_loss", runs, palette, "step", 0.0, False),
        curve_figure("loss_by_position", runs, palette, False),
        metric_figure("<img src=x>", runs, palette, "step", 0.0, False),
    ):
        text = json.dumps(figure)
        assert "<a" not in text
        assert "<b>" not in text
        assert "<img" not in text
        for trace in figure["traces"]:
            said = trace["hovertemplate"].removeprefix("%{x}: %{y}<extra>")
            assert "%{" not in said


def test_panels_by_pattern_and_in_order(make_run, opened):
    recorder = make_run("a")
    recorder.log(4, 400, {f"eval_perplexity/{n}": 3.0 for n in (1024, 512, 64000)})
    recorder.curve("perplexity_by_length", 4, [{"x": 1, "y": 1}])
    names = available_panels(list(opened("a").values()))
    lengths = [f"eval_perplexity/{n}" for n in (512, 1024, 64000)]
    assert names == ["perplexity_by_length", *lengths, "train_loss"]
    make_run("b").log(4, 400, {f"x{'9' * 5000}": 1.0})  # more digits than Python reads
    assert len(available_panels(list(opened("b").values()))) == 2
    assert wanted_panels(["train_*", "eval_perplexity/*", "train_loss", "nothing"], names) == [
        "train_loss",
        *lengths,
    ]


def test_a_run_keeps_its_colour():
    first = colours({}, ["a", "b"])
    assert [*first.values()] == [*COLOURS[:2]]
    assert colours(first, ["c", "b"]) == {"b": first["b"], "c": COLOURS[0]}
    many = colours({}, [str(i) for i in range(2 * len(COLOURS))])
    assert all([*many.values()].count(colour) == 2 for colour in COLOURS)


def test_what_differs_between_configurations():
    one = {"model": {"pe": {"factor": 16.0}, "lr": 1}, "callbacks": [{"a": 1}], "same": [1, 2]}
    two = {"model": {"pe": {"factor": 4.0}, "lr": 1}, "callbacks": [{"a": 2}], "same": [1, 2]}
    assert config_difference({"x": one, "y": two}) == [
        {"setting": "callbacks.0.a", "x": "1", "y": "2"},
        {"setting": "model.pe.factor", "x": "16.0", "y": "4.0"},
    ]
    assert config_difference({"x": {"a": {}}, "y": {}}) == [
        {"setting": "a", "x": "{}", "y": "(not set)"}
    ]
    assert config_difference({"x": one, "y": one}) == []
    deep: dict = {}
    for _ in range(900):
        deep = {"a": deep}
    assert [row["x"] for row in config_difference({"x": deep, "y": {}})] == ["(nested too deeply)"]
