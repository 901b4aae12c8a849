# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle: what is lost, and that the next run goes on.

Studies: tests/long_context/study/test_runner.py.
"""

import csv
import json

import pytest
import torch

from modelgenerator.long_context.depmap.store import MapFolder

from .conftest import stopped_when

pytestmark = [pytest.mark.slow, pytest.mark.upstream]


def size(path):
    """Bytes of a file, 0 if it is none (any more)."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def test_training_killed_while_it_writes_a_checkpoint(start, tmp_path):
    """What is there loads; the run goes on from it, with the step that was under way lost."""
    weights, writing = tmp_path / "w", tmp_path / "tmp"
    writing.mkdir()
    fit = [
        "mgen", "fit", "--config", "configs/yarn_16x.yaml", "--config", "configs/tiny.yaml",
        "--trainer.callbacks.dirpath", weights, "--trainer.callbacks.every_n_train_steps", 1,
        "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false",
        "--trainer.log_every_n_steps", 1, "--trainer.default_root_dir", tmp_path,
        "--trainer.logger.save_dir", tmp_path, "--trainer.logger.name", "log",
        "--data.window", 512, "--data.lengths", "[512]", "--data.copies_per_window", 1,
    ]  # fmt: skip
    # Lightning writes to the folder of temporary files, then renames.
    process = start(*fit, "--trainer.max_steps", 1000, TMPDIR=str(writing))
    last = weights / "last.ckpt"

    def in_the_middle():
        whole = size(last)
        return whole and any(0 < size(path) < whole for path in writing.glob("tmp*"))

    stopped_when(process, in_the_middle)
    (half,) = (path for path in writing.glob("tmp*") if path.is_file())  # all that it leaves
    with pytest.raises(Exception, match="(?i)zip archive|invalid"):
        torch.load(half, weights_only=True)
    kept = {path: torch.load(path, weights_only=True)["global_step"] for path in weights.iterdir()}
    assert last in kept
    before = kept[last]
    assert before >= 1
    assert max(kept.values()) <= before + 1

    goal = before + 2
    process = start(*fit, "--ckpt_path", last, "--trainer.max_steps", goal)
    assert process.wait(400) == 0, process.log.read_text()[-3000:]
    assert torch.load(last, weights_only=True)["global_step"] == goal
    (log,) = (tmp_path / "log").glob("version_1/metrics.csv")
    steps = [int(row["step"]) for row in csv.DictReader(log.open())]
    assert steps == [before, before + 1], "goes on where the checkpoint was"


def test_a_map_killed_between_its_blocks(start, tmp_path, run):
    folder, fasta = MapFolder(tmp_path / "map"), tmp_path / "s.fa"
    fasta.write_text(">s\n" + "ACGTTGCAAGGCTTAACCGTATGC" * 8 + "\n")
    predict = [
        "mgen", "predict", "--config", "configs/depmap.yaml",
        "--model.backbone", "modelgenerator.long_context.backbones.aido_dna_tiny",
        "--trainer.accelerator", "cpu", "--data.fasta", fasta, "--data.strand", "+",
        "--data.batch_size", 4, "--model.output", folder.path,
        "--trainer.enable_progress_bar", "false", "--trainer.default_root_dir", tmp_path,
    ]  # fmt: skip

    def blocks():
        return sorted((folder.path / "blocks").glob("*.npz"))

    stopped_when(start(*predict), lambda: len(blocks()) >= 2)
    before = {path: path.stat().st_mtime_ns for path in blocks()}
    all_blocks = 24 * 8 // 4
    assert 2 <= len(before) < all_blocks
    with pytest.warns(UserWarning, match="values of the map are missing"):
        folder.load()

    process = start(*predict)
    assert process.wait(400) == 0, process.log.read_text()[-3000:]
    assert len(blocks()) == all_blocks
    assert {path: path.stat().st_mtime_ns for path in before} == before, "computed once"
    passes = json.loads((folder.path / "cost.json").read_text())["passes"]
    assert passes == 1 + 3 * 4 * (all_blocks - len(before))
    assert not [path for path in folder.path.rglob("*.part") if path.stat().st_size == 0]
    assert folder.load().values.shape == (24 * 8, 24 * 8)


def test_a_genome_killed_while_it_is_copied(start, tmp_path, run):
    source, cache = tmp_path / "big.fa", tmp_path / "cache"
    source.write_text(">a\n" + ("ACGT" * 20 + "\n") * 1_000_000)
    fetch = ["mgen-lc", "genomes", "fetch", "mine", "--source", source]

    def copying():
        parts = (cache / "fetched").glob(".mine.*/sequence/big.fa")
        return any(0 < size(path) < size(source) for path in parts)

    stopped_when(start(*fetch, MGEN_LC_CACHE=str(cache)), copying)
    assert list((cache / "fetched").glob(".mine.*")), "it left what it had"
    listed = run("mgen-lc", "genomes", "list", MGEN_LC_CACHE=str(cache))
    assert "mine" not in listed.stdout
    done = run(*fetch, MGEN_LC_CACHE=str(cache))
    assert done.returncode == 0, done.stderr
    assert "mine: fetched and verified" in done.stdout
    assert [path.name for path in (cache / "fetched").iterdir()] == ["mine"], "and nothing else"
    verified = run("mgen-lc", "genomes", "verify", "mine", MGEN_LC_CACHE=str(cache))
    assert "mine: as fetched" in verified.stdout
