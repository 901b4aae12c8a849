# SPDX-License-Identifier: Apache-2.0
import errno
import hashlib
import shutil

import pytest

from modelgenerator.long_context.genomes import path_of
from modelgenerator.long_context.genomes.fetch import fetch, fetch_from
from modelgenerator.long_context.genomes.store import fetched, read_record, store_folder, verify

from .conftest import FASTA, MEMBERS, make_wheel


def left_behind():
    """Anything in the folder that is no genome."""
    return [p.name for p in store_folder().glob(".*")] if store_folder().exists() else []


def test_one_package_gives_all_its_genomes(known, pip):
    assert list(fetch(["a", "b", "c"])) == [("a", False), ("b", False), ("c", False)]
    assert pip == ["pack"]
    assert path_of("a").read_bytes() == MEMBERS["data/a.fa.gz"]
    assert path_of("a", "annotation").read_bytes() == MEMBERS["data/a.gff"]
    assert path_of("b").name == "b.fna"  # decompressed
    assert path_of("b").read_bytes() == FASTA
    assert path_of("b", "annotation") is None
    assert path_of("c").read_text() == ">TEST.1 A test\nACGTACGTAC\n"  # made FASTA
    assert path_of("c", "annotation").read_bytes() == MEMBERS["data/c.gb"]
    assert read_record("a")["licence"] == "MIT"
    assert fetched() == ["a", "b", "c"]
    assert left_behind() == []


def test_what_is_there_is_kept_and_what_is_damaged_fetched_again(known, pip):
    list(fetch(["a"]))
    assert list(fetch(["a"])) == [("a", True)]
    assert len(pip) == 1
    path_of("a").write_bytes(b"damaged")
    assert verify("a") == [f"{path_of('a')} has changed since it was fetched (SHA-256)"]
    assert list(fetch(["a", "b"])) == [("a", False), ("b", False)]
    assert verify("a") == []
    assert verify("never") == ["not fetched"]


@pytest.mark.parametrize("form", ["wheel", "sdist", "deb"])
def test_from_a_package_of_the_users(known, packages, form):
    fetch_from("c", str(packages[form]))
    assert path_of("c").exists()
    assert read_record("c")["source"] == str(packages[form])


def test_from_the_file_itself(known, tmp_path):
    path = tmp_path / "whatever"
    path.write_bytes(MEMBERS["data/b.fna.xz"])
    fetch_from("b", str(path))
    assert path_of("b").read_bytes() == FASTA


def test_another_version_is_refused_and_nothing_stored(known, tmp_path):
    members = {**MEMBERS, "data/a.fa.gz": b"other"}
    with pytest.raises(ValueError, match="data/a.fa.gz of .* has SHA-256 .* another version"):
        fetch_from("a", str(make_wheel(tmp_path / "x.whl", members)))
    del members["data/a.fa.gz"]
    with pytest.raises(ValueError, match="does not hold data/a.fa.gz. Give pack 1.0"):
        fetch_from("a", str(make_wheel(tmp_path / "y.whl", members)))
    assert fetched() == []
    assert left_behind() == []


def test_fasta_of_ones_own(known, tmp_path):
    path = tmp_path / "mine.fa"
    path.write_bytes(FASTA)
    digest = hashlib.sha256(FASTA).hexdigest()
    fetch_from("mine", str(path), digest.upper())
    assert path_of("mine").read_bytes() == FASTA
    with pytest.raises(ValueError, match=f"has SHA-256 {digest}, not 00"):
        fetch_from("mine", str(path), "00")
    path.write_bytes(b"hello")
    with pytest.raises(ValueError, match="is not FASTA"):
        fetch_from("mine", str(path))
    with pytest.raises(ValueError, match="Name '../x': use letters"):
        fetch_from("../x", str(path))
    with pytest.raises(ValueError, match="none.fa is no file and no URL"):
        fetch_from("mine", "none.fa")
    assert path_of("mine").read_bytes() == FASTA


def test_a_full_disk_leaves_nothing(known, pip, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    list(fetch(["c"]))
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ValueError, match="No space left on device. Free space there, or set"):
        list(fetch(["a"]))
    assert fetched() == ["c"]
    assert left_behind() == []


def test_a_disk_too_small_is_seen_before(known, pip, monkeypatch):
    monkeypatch.setattr("modelgenerator.long_context.genomes.fetch.free_bytes", lambda: 10)
    with pytest.raises(ValueError, match="MB are needed and 10 B free. Free space"):
        list(fetch(["a"]))
    assert fetched() == []


def test_an_interrupted_fetch_leaves_nothing_that_could_be_taken_for_a_genome(
    known, pip, monkeypatch
):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("modelgenerator.long_context.genomes.store.sha256_of", interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(fetch(["a"]))
    assert path_of("a") is None
    assert left_behind() == []


def test_a_url_of_ones_own(known, tmp_path, monkeypatch):
    asked = []

    def download(url, path):
        asked.append(url)
        path.write_bytes(FASTA)
        return path

    monkeypatch.setattr("modelgenerator.long_context.genomes.fetch.download", download)
    for address in ("https://one.example/x.fa", "https://other.example/x.fa"):
        fetch_from("mine", address)
        assert read_record("mine")["source"] == address
    assert len(asked) == 2
    assert left_behind() == []
