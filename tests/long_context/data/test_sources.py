# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from modelgenerator.long_context.data.sources import SHIPPED, resolve_fasta


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("b.fa", "a.fa", "c.fa.gz", "odd[1].fa"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(given):
    return [path.name for path in resolve_fasta("fasta", given)]


def test_files_and_patterns(folder):
    assert names("b.fa") == ["b.fa"]
    assert names("?.fa") == ["a.fa", "b.fa"]
    assert names(["c.*", str(folder / "a.fa")]) == ["c.fa.gz", "a.fa"]
    assert names("odd[1].fa") == ["odd[1].fa"]


def test_home(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert names("~/a.fa") == ["a.fa"]


def test_shipped_genomes(folder, monkeypatch):
    (folder / "demo").touch()
    monkeypatch.setitem(SHIPPED, "demo", folder / "*.fa.gz")
    assert names("demo") == ["c.fa.gz"]
    assert names("./demo") == ["demo"]


def test_nothing_found(folder):
    message = f"test_fasta: no/*.fa fits no file (from {folder}). Give an existing FASTA file"
    with pytest.raises(ValueError, match=re.escape(message)):
        resolve_fasta("test_fasta", "no/*.fa")


def test_nothing_given():
    with pytest.raises(ValueError, match="fasta: no file is given"):
        resolve_fasta("fasta", [])
