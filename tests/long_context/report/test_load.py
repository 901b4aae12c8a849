# SPDX-License-Identifier: Apache-2.0
import copy

import pytest

from modelgenerator.long_context.report import load_results


def test_a_study_in_a_folder(study):
    results = load_results([str(study)])
    assert results.test_sets == ["held_out", "blocks"]
    assert results.regimes == ["zero_shot", "pose_1x", "tuned_16x"]
    assert results.labels == ["rope", "pi", "ntk", "ntk_dynamic", "yarn", "gene", "clex"]
    assert len(results.failed) == 3
    part = results.of("held_out")
    # 7 methods, 3 regimes, 3 seeds, less 3 failures and one that is not there yet
    assert len(part.finished) == 7 * 3 * 3 - 3 - 1
    assert len(part.failed) == 3, "of no test set in particular, so of each"
    frame = part.frame("segments")
    assert set(frame["extension"]) == {1.0, 2.0, 4.0, 8.0, 16.0}
    assert set(frame["kind"]) == {"natural", "copies"}
    assert results.frame("no such list").empty


def test_half_written_empty_and_foreign_files_are_left_out_with_a_warning(make, simple, tmp_path):
    paths = make.write(tmp_path, good=simple())
    for name, text, reason in (
        ("half", '{"schema": "masked', "Unterminated string"),
        ("empty", "", "Expecting value"),
        ("foreign", "{}", "no 'schema'"),
        (
            "later",
            '{"schema": "masked_lm/9"}',
            "its schema is 'masked_lm/9', known are",
        ),
        ("list", "[]", "list indices"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.warns(UserWarning, match=f"{name} is left out: not a result file.*{reason}"):
            assert len(load_results([*paths, str(tmp_path / name)]).finished) == 1


def test_files_in_the_making_are_not_looked_at(make, simple, tmp_path):
    make.write(tmp_path, good=simple())
    (tmp_path / ".new.json.123.part").write_text("{")
    assert len(load_results([str(tmp_path)]).finished) == 1


def test_nothing_to_report_on(make, tmp_path):
    with pytest.raises(ValueError, match="no such result file or folder"):
        load_results([str(tmp_path / "absent.json")])
    with pytest.raises(ValueError, match="No result file to report on. Write one with"):
        load_results([str(tmp_path)])
    make.write(tmp_path, a=make.failure("yarn", "zero_shot", 0, "crashed", ""))
    with pytest.raises(ValueError, match="No result file to report on, only 1 of runs that failed"):
        load_results([str(tmp_path)])


def test_mixed_schemas_are_refused(make, simple, tmp_path):
    newer = {**simple("rope"), "schema": "masked_lm/2"}
    with pytest.raises(ValueError, match="has schema masked_lm/2 and .* has masked_lm/1"):
        load_results(make.write(tmp_path, a=simple(), b=newer))


def test_different_windows_are_refused(make, simple, tmp_path):
    other = copy.deepcopy(simple("rope"))
    other["data"]["random_seed"] = 1
    with pytest.raises(ValueError, match="different bases and cannot share a table: random_seed"):
        load_results(make.write(tmp_path, a=simple(), b=other))


def test_different_masked_bases_of_the_same_options_are_refused(make, tmp_path):
    one = make.result("rope", "rope", "zero_shot", 0, "held_out", 0.1, 0)
    other = make.result("yarn", "yarn", "zero_shot", 0, "held_out", 0.1, 0)
    other["segments"][0]["bases"][3] += 1
    with pytest.raises(ValueError, match="the same data options gave other masked bases"):
        load_results(make.write(tmp_path, a=one, b=other))


def test_different_models_are_refused(make, simple, tmp_path):
    other = {**simple("rope"), "original_max_position_embeddings": 4000}
    with pytest.raises(ValueError, match="original context of 4,000 nt and .* of 512"):
        load_results(make.write(tmp_path, a=simple(), b=other))


def test_plans_share_a_page_if_they_train_as_much(make, tmp_path):
    one = make.result("rope", "rope", "tuned_4x", 0, "held_out", 0.1, 8)
    other = make.result("helix", "helix", "tuned_4x", 0, "held_out", 0.1, 8)
    other["cell"]["scale"] = "ablations"
    assert load_results(make.write(tmp_path, a=one, b=other)).labels == ["rope", "helix"]
    other["training"]["tokens"] += 1
    with pytest.raises(
        ValueError, match="b.json was trained on 65,537 tokens and .*a.json on 65,536"
    ):
        load_results(make.write(tmp_path, a=one, b=other))


def test_training_may_differ(make, simple, tmp_path):
    other = copy.deepcopy(simple("rope"))
    other["data"]["train_windows"] = 1
    assert len(load_results(make.write(tmp_path, a=simple(), b=other)).finished) == 2


def test_the_same_cell_twice_is_refused(make, simple, tmp_path):
    with pytest.raises(ValueError, match="both of yarn 16x, zero-shot, 0: .*a.json and .*b.json"):
        load_results(make.write(tmp_path, a=simple(), b=simple()))
    one = make.result("yarn", "yarn", "zero_shot", 1, "blocks", 0.1, 0)
    failed = make.failure("yarn", "zero_shot", 1, "crashed", "", test_set="blocks")
    with pytest.raises(ValueError, match="both of blocks, zero_shot, yarn, 1"):
        load_results(make.write(tmp_path, c=one, d=failed))


def test_a_file_named_twice_is_read_once(make, simple, tmp_path):
    (path,) = make.write(tmp_path, a=simple())
    assert len(load_results([path, path, str(tmp_path)]).finished) == 1


def test_the_seed_is_that_of_the_training(make, tmp_path):
    content = make.result("yarn", "yarn", "tuned_16x", 2, "held_out", 0.1, 9)
    for row in content["probes"]:
        row["seed"] = 7  # of the probe's own split
    frame = load_results(make.write(tmp_path, a=content)).frame("probes")
    assert set(frame["seed"]) == {2}


def test_a_label_is_drawn_alike_where_others_are_missing(make, tmp_path):
    """A running study: one test set has only the last of three variants yet."""

    def variant(label, test_set):
        return make.result(label, "ntk", "zero_shot", 0, test_set, 0.02, 0)

    contents = {label: variant(label, "held_out") for label in ("a", "b", "c")}
    contents["late"] = variant("c", "blocks")
    results = load_results(make.write(tmp_path, **contents))
    assert len(set(results.styles.values())) == 3
    assert results.of("blocks").styles == {"c": results.styles["c"]}


def test_models_are_not_mixed(make, simple, tmp_path):
    other = {**simple("rope", factor=1.0), "backbone": "another"}
    with pytest.raises(ValueError, match="b.json is of another and .*a.json of made_up"):
        load_results(make.write(tmp_path, a=simple(), b=other))
