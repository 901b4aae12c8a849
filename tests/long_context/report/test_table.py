# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.report import load_results, markdown_table
from modelgenerator.long_context.report import table as tables


def test_table_by_hand(make, simple, tmp_path):
    blown_up = simple("rope", perplexity=101.0, factor=1.0)
    paths = make.write(tmp_path, a=blown_up, b=simple(steps=12))
    assert markdown_table(load_results(paths)).splitlines() == [
        "|                           |                       | 1x    | 2x    |",
        "|---------------------------|-----------------------|-------|-------|",
        "| natural bases, perplexity | plain RoPE, zero-shot | >100  | >100  |",
        "| natural bases, perplexity | yarn 16x, 12 steps    | 3.500 | 3.500 |",
        "| direct copies, recall     | plain RoPE, zero-shot | 87.5% | 87.5% |",
        "| direct copies, recall     | yarn 16x, 12 steps    | 87.5% | 87.5% |",
    ]


def test_a_bar_in_a_cell_does_not_end_it():
    assert tables.Table(["a"], [["x|y"]]).markdown().splitlines()[-1] == "| x\\|y |"


@pytest.fixture(scope="module")
def results(study):
    return load_results([str(study)]).of("held_out")


def row(table, *start):
    (found,) = [r for r in table.rows if r[: len(start)] == list(start)]
    return found[len(start) :]


def test_mean_and_spread_over_seeds(results):
    frame = results.frame()
    here = frame[(frame.regime == "zero_shot") & (frame.label == "pi") & (frame.extension == 16)]
    values = here[here.metric == "perplexity"]["value"]
    cell = row(tables.by_length(results, "zero_shot"), "natural bases, perplexity", "pi")[-1]
    assert cell == f"{values.mean():.3f} ± {values.std():.3f}"


def test_failures_and_missing_seeds_are_said(results):
    table = tables.by_length(results, "tuned_16x")
    assert row(table, "direct copies, recall", "gene") == ["out of memory"] * 5
    assert all(c.endswith(" (2)") for c in row(table, "direct copies, recall", "clex"))
    assert "over k seeds only" in table.note
    failed = tables.failures(results)
    assert len(failed.rows) == 3
    assert failed.rows[0][-2:] == [
        "out of memory",
        "torch.OutOfMemoryError: tried to allocate 17 GiB",
    ]
    assert "k seeds" not in tables.by_length(results, "zero_shot").note


def test_all_regimes_side_by_side(results):
    table = tables.across_regimes(results, "perplexity", [1, 16])
    assert table.head[:3] == ["", "zero-shot: 1x", "zero-shot: 16x"]
    assert len(table.head) == 1 + 2 * len(results.regimes)
    for regime, cell in (("zero_shot", 2), ("tuned_16x", -1)):
        lengths = row(tables.by_length(results, regime), "natural bases, perplexity", "clex")
        assert row(table, "clex")[cell - 1 if cell > 0 else cell] == lengths[-1]
    assert row(table, "gene")[-1] == ""  # failed, no value
    assert "over k seeds only" in table.note


def test_in_short_names_the_best_and_the_difference(results):
    table = tables.in_short(results, "rope")
    assert [r[:3] for r in table.rows[:2]] == [
        ["zero-shot", "natural bases, perplexity", "yarn"],
        ["zero-shot", "copied bases, recall", "yarn"],
    ]
    assert table.head[1] == "at 16x"
    assert table.rows[0][-1].startswith("-0.")
    assert "[" in table.rows[0][-1]


def test_brackets_say_what_was_drawn_from(results):
    """32 segments of 512 nt: at 16x these are two windows."""
    note = tables.in_short(results, "rope").note
    assert "bootstrap over 32 segments of 512 nt (2 windows at 16x)." in note
    note = tables.differences(results, "zero_shot", "rope").note
    assert "32 segments of 512 nt (32 windows at 1x, 2 at 16x)." in note
    assert "≈: within seed spread" in note
    assert "Brackets" not in tables.in_short(results, None).note


def test_in_short_says_where_seeds_are_missing(make, tmp_path):
    contents = {
        f"{label}{seed}": make.result(label, label, "tuned_16x", seed, "held_out", loss, 100)
        for label, loss, seeds in (("rope", 0.04, 3), ("yarn", 0.005, 2))
        for seed in range(seeds)
    }
    table = tables.in_short(load_results(make.write(tmp_path, **contents)), "rope")
    (natural, _) = table.rows
    assert natural[2] == "yarn"
    assert natural[3].endswith("(2)")
    assert "(" not in natural[4]
    assert "over k seeds only" in table.note


def test_differences_to_the_baseline_and_to_the_best(results):
    table = tables.differences(results, "zero_shot", "rope")
    natural = "natural bases, perplexity"
    assert row(table, natural, "yarn minus best")[-1] == "best"
    assert row(table, natural, "yarn minus rope")[-1].startswith("-0.5")
    # The made-up methods do not differ at 1x.
    assert row(table, natural, "clex minus rope")[0].endswith("≈")
    assert not row(table, natural, "yarn minus rope")[-1].endswith("≈")
    assert not any(r[1] == "rope minus rope" for r in table.rows)


def test_without_segments_there_are_no_differences(make, simple, tmp_path):
    results = load_results(make.write(tmp_path, a=simple("rope", factor=1.0), b=simple()))
    assert tables.differences(results, "", "plain RoPE, zero-shot") is None


def test_cost_of_every_run(results):
    table = tables.cost(results)
    assert len(table.rows) == len(results.finished)
    assert row(table, "fine-tuned at 16x", "clex", "0")[:4] == ["4,096", "100", "0.8", "99"]


def test_in_short_is_at_the_length_methods_were_set_up_for(make, tmp_path):
    contents = {
        label: make.result(label, label, "zero_shot", 0, "held_out", 0.1, 0)
        for label in ("rope", "yarn")
    }
    contents["yarn"]["factor"] = 4.0
    results = load_results(make.write(tmp_path, **contents))
    assert results.factor == 4.0
    assert tables.in_short(results, "rope").head[1] == "at 4x"
    alone = tables.in_short(results, None)
    assert alone.head == ["", "at 4x", "best", "its value"]
    assert {len(row) for row in alone.rows} == {4}
