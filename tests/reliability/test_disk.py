# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, and folders that cannot be written; by the kernel, not by a mock."""

import json
from functools import partial

import numpy as np
import pytest
import torch

from modelgenerator.long_context.data.index import index_fasta
from modelgenerator.long_context.depmap.store import Block, MapFolder
from modelgenerator.long_context.evaluation import check_writable, write_json
from modelgenerator.long_context.genomes.fetch import fetch_from
from modelgenerator.long_context.genomes.store import fetched, path_of

from .conftest import drop_rights, limit_file_size

FULL = partial(limit_file_size, 20_000)
LETTERS = "ACGT" * 10_000


@pytest.fixture
def fasta(tmp_path, monkeypatch):
    monkeypatch.setenv("MGEN_LC_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "g.fa"
    path.write_text(f">a\n{LETTERS}\n")
    return path


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_a_result_that_does_not_fit_leaves_the_one_before(outcome, tmp_path):
    path = tmp_path / "r.json"
    write_json(path, {"results": 1})
    error, _ = outcome(FULL, write_json, path, {"results": list(range(20_000))})
    assert error.startswith("OSError")
    assert json.loads(path.read_text()) == {"results": 1}
    assert names(tmp_path) == ["r.json"]


def test_a_block_of_a_map_that_does_not_fit_is_missing_and_no_more(outcome, tmp_path):
    folder = MapFolder(tmp_path / "m")
    rows = np.arange(200)
    folder.start({"rows": [0], "columns": [0], "strand": "+", "start": 0})
    values = np.random.default_rng(0).random((200, 200), dtype=np.float32)
    before = names(tmp_path)
    error, _ = outcome(FULL, folder.write, Block("+", rows, rows, values))
    assert error.startswith("OSError")
    assert names(tmp_path) == before
    assert not folder.has("+", rows, rows)
    folder.write(Block("+", rows, rows, values))
    assert folder.has("+", rows, rows)


def test_an_index_that_does_not_fit(outcome, fasta, tmp_path):
    error, _ = outcome(FULL, index_fasta, fasta)
    assert error.startswith("ValueError: Cannot write the index of a genome in")
    assert "Set the environment variable MGEN_LC_CACHE to a folder" in error
    assert names(tmp_path / "cache") == []
    assert (index_fasta(fasta) / "ids").stat().st_size == len(LETTERS)


def test_a_genome_that_does_not_fit(outcome, fasta):
    error, _ = outcome(FULL, fetch_from, "mine", str(fasta))
    assert error.startswith("ValueError: Cannot write to")
    assert "Free space there, or set the environment variable MGEN_LC_CACHE" in error
    assert fetched() == []
    fetch_from("mine", str(fasta))
    assert path_of("mine").read_bytes() == fasta.read_bytes()


@pytest.fixture
def locked(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_a_folder_that_may_only_be_read(outcome, fasta, locked, monkeypatch):
    error, _ = outcome(drop_rights, check_writable, locked / "r.json", "model.results")
    assert f"ValueError: model.results: cannot write in {locked} (Permission denied)" in error
    error, _ = outcome(drop_rights, check_writable, locked / "new/r.json", "model.results")
    assert f"cannot write in {locked / 'new'} (Permission denied)" in error
    monkeypatch.setenv("MGEN_LC_CACHE", str(locked / "cache"))
    error, _ = outcome(drop_rights, index_fasta, fasta)
    assert error.startswith("ValueError: Cannot write the index of a genome in")
    error, _ = outcome(drop_rights, fetch_from, "mine", str(fasta))
    assert error.startswith("ValueError: Cannot write to")
    assert names(locked) == []


@pytest.mark.slow
@pytest.mark.upstream
def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(root, start, tmp_path):
    """Training stops with the system's error; it goes on from the checkpoint before."""
    last, small = tmp_path / "w/last.ckpt", partial(limit_file_size, 1_000_000)
    fit = [
        "mgen", "fit", "--config", "configs/yarn_16x.yaml", "--config", "configs/tiny.yaml",
        "--trainer.callbacks.dirpath", last.parent, "--trainer.callbacks.every_n_train_steps", 1,
        "--trainer.logger", "false", "--trainer.enable_progress_bar", "false",
        "--trainer.enable_model_summary", "false", "--trainer.default_root_dir", tmp_path,
        "--data.window", 512, "--data.lengths", "[512]", "--data.copies_per_window", 1,
    ]  # fmt: skip
    (tmp_path / "tmp").mkdir()
    process = start(*fit, "--trainer.max_steps", 1, TMPDIR=str(tmp_path / "tmp"))
    assert process.wait(400) == 0, process.log.read_text()[-3000:]
    before = last.read_bytes()
    on = [*fit, "--ckpt_path", last, "--trainer.max_steps", 3]
    process = start(*on, restrict=small, TMPDIR=str(tmp_path / "tmp"))
    assert process.wait(400) != 0
    assert "OSError: [Errno 27] File too large" in process.log.read_text()
    assert last.read_bytes() == before
    process = start(*on, TMPDIR=str(tmp_path / "tmp"))
    assert process.wait(400) == 0, process.log.read_text()[-3000:]
    assert torch.load(last, weights_only=True)["global_step"] == 3
