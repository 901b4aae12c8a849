# SPDX-License-Identifier: Apache-2.0
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data import index
from modelgenerator.long_context.data.index import cache_folder, index_fasta, runs_of_n
from modelgenerator.long_context.data.vocabulary import decode, encode


def content(folder):
    ids = np.fromfile(folder / "ids", dtype=np.uint8)
    return decode(ids), json.loads((folder / "index.json").read_text())


def test_what_an_index_holds(write_fasta):
    path = write_fasta({"a": "acgtN", "b": "RRyG", "c": ""})
    sequence, found = content(index_fasta(path))
    assert sequence == "ACGTNNNNG"
    assert found["names"] == ["a", "b", "c"]
    assert found["lengths"] == [5, 4, 0]
    assert found["folded"] == 5
    assert found["ambiguous"] == {"R": 2, "Y": 1}


def test_runs_of_n_by_hand():
    assert runs_of_n(encode(b"ANNCN")).tolist() == [[1, 3], [4, 5]]
    assert runs_of_n(encode(b"")).tolist() == []


def test_a_run_of_n_over_several_pieces_is_one(write_fasta, monkeypatch):
    monkeypatch.setattr("modelgenerator.long_context.data.fasta.PIECE", 60)
    folder = index_fasta(write_fasta({"a": "A" * 100 + "N" * 300 + "C" * 100}))
    assert np.load(folder / "n_runs.npy").tolist() == [[100, 400]]


@given(st.text("ACGTN", max_size=60))
def test_runs_of_n_are_all_n(sequence):
    is_n = np.zeros(len(sequence), dtype=bool)
    for start, stop in runs_of_n(encode(sequence.encode())):
        assert stop > start
        assert not is_n[max(0, start - 1) : stop].any()  # runs do not touch
        is_n[start:stop] = True
    assert is_n.tolist() == [letter == "N" for letter in sequence]


def test_equal_sequences_have_equal_digests_whatever_their_names_and_case(write_fasta):
    _, found = content(index_fasta(write_fasta({"a": "ACGT", "b": "acgt", "c": "ACGA"})))
    assert found["digests"][0] == found["digests"][1] != found["digests"][2]


def test_indexed_once(write_fasta, monkeypatch):
    path = write_fasta({"a": "ACGT"})
    first = index_fasta(path)
    monkeypatch.setattr(index, "read_fasta", None)  # would fail if it were read again
    assert index_fasta(path) == first
    assert index_fasta(path.parent / "." / path.name) == first


def test_a_changed_file_is_indexed_anew(write_fasta):
    path = write_fasta({"a": "ACGT"})
    first = index_fasta(path)
    path.write_text(">a\nTTTT\n")
    os.utime(path, (time.time() + 5, time.time() + 5))
    assert index_fasta(path) != first
    assert content(index_fasta(path))[0] == "TTTT"


@pytest.mark.parametrize("damage", ["ids", "index.json", "n_runs.npy"])
def test_a_damaged_index_is_made_again(write_fasta, damage):
    path = write_fasta({"a": "ACGT" * 50})
    folder = index_fasta(path)
    if damage == "ids":
        (folder / damage).write_bytes(b"\x05")
    else:
        (folder / damage).unlink()
    assert content(index_fasta(path))[0] == "ACGT" * 50


def test_many_at_once(write_fasta, random_dna, cache):
    path = write_fasta({"a": random_dna(50_000)})
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(index_fasta, [path] * 8))
    assert len(set(folders)) == 1
    assert content(folders[0])[0] == random_dna(50_000)
    assert os.listdir(cache) == [folders[0].name]


def test_an_interrupted_pass_leaves_nothing(write_fasta, monkeypatch, cache):
    def interrupted(path):
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "read_fasta", interrupted)
    with pytest.raises(KeyboardInterrupt):
        index_fasta(write_fasta({"a": "ACGT"}))
    assert os.listdir(cache) == []


def test_a_refused_file_leaves_nothing(write_fasta, cache):
    path = write_fasta({"a": "MELF"})
    with pytest.raises(ValueError, match="protein"):
        index_fasta(path)
    assert os.listdir(cache) == []


def test_two_records_of_one_name(tmp_path):
    path = tmp_path / "twice.fa"
    path.write_text(">chr1 one\nACGT\n>chr1 two\nACGT\n")
    with pytest.raises(ValueError, match="twice.fa has two records named 'chr1'.*make them"):
        index_fasta(path)


def test_headers_without_sequence(write_fasta):
    with pytest.raises(ValueError, match="is empty: headers without a sequence"):
        index_fasta(write_fasta({"a": "", "b": ""}))


def test_missing_file(tmp_path):
    with pytest.raises(ValueError, match="no.fa does not exist"):
        index_fasta(tmp_path / "no.fa")


def test_cache_that_cannot_be_written(write_fasta, tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("a file, not a folder")
    monkeypatch.setenv("MGEN_LC_CACHE", str(tmp_path / "taken" / "cache"))
    with pytest.raises(ValueError, match="Cannot write .*taken.*MGEN_LC_CACHE to a folder"):
        index_fasta(write_fasta({"a": "ACGT"}))


def test_full_disk(write_fasta, monkeypatch, cache):
    def no_space(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index.np, "save", no_space)
    with pytest.raises(ValueError, match="No space left on device.*one byte a base free"):
        index_fasta(write_fasta({"a": "ACGT"}))
    assert os.listdir(cache) == []


def test_the_cache_is_that_given_or_of_the_environment_or_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("MGEN_LC_CACHE", str(tmp_path / "env"))
    assert cache_folder(tmp_path / "given") == tmp_path / "given"
    assert cache_folder() == tmp_path / "env"
    monkeypatch.delenv("MGEN_LC_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache/modelgenerator-long-context/genomes"
