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
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(path, {"x": object()})
    assert json.loads(path.read_text()) == {"x": 1}


def test_what_is_no_finite_number_does_not_cost_the_rest(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"x": [1.5, float("nan"), {"y": float("inf")}], "z": (2, "nan")})
    assert json.loads(path.read_text()) == {"x": [1.5, None, {"y": None}], "z": [2, "nan"]}


def test_a_package_without_metadata_has_no_version(monkeypatch):
    """As in a fork of ModelGenerator that holds this package's files."""
    from importlib import metadata

    from modelgenerator.long_context.evaluation import results

    def version(name):
        if name == "modelgenerator-long-context":
            raise metadata.PackageNotFoundError(name)
        return metadata.version(name)

    monkeypatch.setattr(results, "version", version)
    assert provenance()["versions"]["modelgenerator-long-context"] is None
    assert provenance()["versions"]["modelgenerator"] == "0.1.3.post0"


def test_check_writable_makes_the_folder(tmp_path):
    check_writable(tmp_path / "new" / "deep" / "a.json", "x")
    assert (tmp_path / "new" / "deep").is_dir()
    assert not list((tmp_path / "new" / "deep").iterdir())


def test_check_writable_says_what_and_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="results: cannot write in .*file.* Give a folder"):
        check_writable(tmp_path / "file" / "a.json", "results")
