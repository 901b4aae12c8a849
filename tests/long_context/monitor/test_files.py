# SPDX-License-Identifier: Apache-2.0
import json
import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.monitor.context import save, shown
from modelgenerator.long_context.monitor.files import (
    check_run_name,
    number,
    open_file,
    plain,
    read_json,
    write_json,
)
from modelgenerator.long_context.monitor.runs import Runs
from modelgenerator.long_context.monitor.settings import Shown


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".a", "a/b", "../a", "/etc", "a\0", "a\nb", "b\\c"]
)
def test_names_that_could_lead_elsewhere(name, tmp_path):
    with pytest.raises(ValueError, match="run name .* is not allowed"):
        check_run_name(name)
    with pytest.raises(ValueError, match="run name .* is not allowed"):
        open_file(tmp_path, name, "run.json")


@pytest.mark.parametrize("name", ["a", "<script>alert(1)<b>", "yarn 16x, 3", "é", "$(rm -rf)"])
def test_odd_names_are_names(name):
    assert check_run_name(name) == name


def test_links_lead_nowhere(tmp_path):
    (tmp_path / "secret.json").write_text('{"key": 1}')
    root = tmp_path / "runs"
    (root / "a").mkdir(parents=True)
    (root / "a" / "run.json").symlink_to(tmp_path / "secret.json")
    (root / "b").symlink_to(tmp_path)
    os.mkfifo(root / "a" / "metrics.jsonl")
    assert read_json(root, "a", "run.json") is None
    assert read_json(root, "b", "secret.json") is None
    with pytest.raises(OSError, match="not a regular file"):
        open_file(root, "a", "metrics.jsonl")
    with pytest.raises(OSError, match="directory"):
        write_json(root, "b", "control.json", {})
    write_json(root, "a", "run.json", {"mine": True})  # the link is replaced, not followed
    assert read_json(root, "a", "run.json") == {"mine": True}
    assert json.loads((tmp_path / "secret.json").read_text()) == {"key": 1}


def test_what_is_saved_for_all_viewers_follows_no_link(tmp_path):
    root, outside = tmp_path / "runs", tmp_path / "outside.json"
    root.mkdir()
    outside.write_text('{"panels": ["secret"]}')
    (root / "monitor.json").symlink_to(outside)
    runs = Runs(root)
    assert shown(runs, []) == (Shown(), "the defaults")
    save(runs, Shown(panels=["lr"]))
    assert json.loads(outside.read_text()) == {"panels": ["secret"]}
    assert shown(runs, []) == (Shown(panels=["lr"]), "saved for all viewers")
    (root / "monitor.json").unlink()
    os.mkfifo(root / "monitor.json")
    assert shown(runs, [])[1] == "the defaults", "and waits for no writer"


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "[" * 100_000, "\xff"])
def test_what_is_no_object_is_nothing(tmp_path, text):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "run.json").write_text(text, encoding="latin-1")
    assert read_json(tmp_path, "a", "run.json") is None


@given(st.floats())
def test_every_number_comes_back(value):
    back = number(json.loads(json.dumps(plain(value), allow_nan=False)))
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_a_number_larger_than_any_float():
    assert number(10**400) == math.inf
    assert number(-(10**400)) == -math.inf


@pytest.mark.parametrize("value", [None, True, "1e5", "x", [], {}])
def test_what_is_no_number(value):
    assert number(value) is None
