# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from modelgenerator.long_context.evaluation import check_writable, provenance, write_json


def test_provenance_names_versions_commit_and_hardware():
    found = provenance()
    assert found["versions"]["modelgenerator"] == "0.1.3.post0"
    assert "CPU threads" in found["hardware"] or found["hardware"]
    json.dumps(found)


def test_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"x": float("nan")})
    assert json.loads(path.read_text()) == {"x": 1}


def test_check_writable_makes_the_folder(tmp_path):
    check_writable(tmp_path / "new" / "deep" / "a.json", "x")
    assert (tmp_path / "new" / "deep").is_dir()
    assert not list((tmp_path / "new" / "deep").iterdir())


def test_check_writable_says_what_and_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="results: cannot write in .*file.* Give a folder"):
        check_writable(tmp_path / "file" / "a.json", "results")
