# SPDX-License-Identifier: Apache-2.0
import copy
import json

import pytest

from modelgenerator.long_context.report import load_results, markdown_table, plot_by_length

DATA = {"fasta_digest": "abc", "lengths": [512, 1024], "random_seed": 42, "train_windows": 5}


def result(method="yarn", steps=0, perplexity=3.5, factor=16.0):
    return {
        "schema": "masked_lm/1",
        "method": method,
        "factor": factor,
        "steps": steps,
        "original_max_position_embeddings": 512,
        "data": DATA,
        "results": [
            {"length": length, "metric": metric, "value": value}
            for length in (512, 1024)
            for metric, value in (("perplexity", perplexity), ("recall_direct", 0.875))
        ],
    }


def write(folder, **results):
    for name, content in results.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return [str(folder / f"{name}.json") for name in results]


def test_table_by_hand(tmp_path):
    paths = write(tmp_path, a=result("rope", perplexity=101.0, factor=1.0), b=result(steps=12))
    assert markdown_table(load_results(paths)).splitlines() == [
        "|                           |                       | 1x    | 2x    |",
        "|---------------------------|-----------------------|-------|-------|",
        "| natural bases, perplexity | plain RoPE, zero-shot | >100  | >100  |",
        "| natural bases, perplexity | yarn 16x, 12 steps    | 3.500 | 3.500 |",
        "| direct copies, recall     | plain RoPE, zero-shot | 87.5% | 87.5% |",
        "| direct copies, recall     | yarn 16x, 12 steps    | 87.5% | 87.5% |",
    ]


def test_picture(tmp_path):
    frame = load_results(write(tmp_path, a=result("rope", factor=1.0), b=result()))
    plot_by_length(frame, tmp_path / "new" / "x.png")
    assert (tmp_path / "new" / "x.png").read_bytes().startswith(b"\x89PNG")


def test_different_bases_do_not_share_a_table(tmp_path):
    other = copy.deepcopy(result("rope"))
    other["data"]["random_seed"] = 1
    with pytest.raises(ValueError, match="different bases and cannot share a table: random_seed"):
        load_results(write(tmp_path, a=result(), b=other))


def test_training_may_differ(tmp_path):
    other = copy.deepcopy(result("rope"))
    other["data"]["train_windows"] = 1
    assert len(load_results(write(tmp_path, a=result(), b=other))) == 8


def test_half_written_and_foreign_files_are_left_out_with_a_warning(tmp_path):
    paths = write(tmp_path, good=result())
    for name, text in {"half": '{"schema": "masked', "foreign": "{}", "empty": ""}.items():
        (tmp_path / name).write_text(text)
        with pytest.warns(UserWarning, match=f"{name} is left out: not a result file"):
            assert len(load_results([*paths, str(tmp_path / name)])) == 4


def test_nothing_to_report_on(tmp_path):
    with pytest.raises(ValueError, match="no such result file"):
        load_results([str(tmp_path / "absent.json")])
    with pytest.raises(ValueError, match="No result file to report on"):
        load_results([])


def test_the_same_result_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Two result files are both of yarn 16x, zero-shot"):
        load_results(write(tmp_path, a=result(), b=result()))


def test_command(run, tmp_path):
    paths = write(tmp_path, a=result())
    done = run("mgen-lc", "report", *paths, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "yarn 16x, zero-shot" in done.stdout
    assert (tmp_path / "out" / "by_length.png").exists()
    assert "natural bases" in (tmp_path / "out" / "table.md").read_text()


def test_command_says_what_is_wrong(run, tmp_path):
    done = run("mgen-lc", "report", tmp_path / "absent.json", "--output", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("mgen-lc: ")
    assert "no such result file" in done.stderr
