# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.whole_file import whole_file


def test_takes_its_name_in_the_end(tmp_path):
    path = tmp_path / "a.json"
    with whole_file(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "new"


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")

    def fail():
        with whole_file(path) as partial:
            partial.write_text("ne")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "old"
