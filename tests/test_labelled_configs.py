# SPDX-License-Identifier: Apache-2.0
"""Every task with labels from the genome or its annotation: trained and tested on small files."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
TASKS = sorted(
    path
    for path in ROOT.glob("configs/tasks/*.yaml")
    if "data.labelled." in path.read_text() and path.stem != "own_data"
)
LENGTH = 12_000
GENES = [(at, at + 700, "+-"[i % 2]) for i, at in enumerate(range(200, LENGTH - 900, 900))]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Small files, and the arguments that point each config to them."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    letters = np.array(list("ACGT"))
    fasta, annotation = [], []
    for name in "abc":
        sequence = rng.choice(letters, LENGTH)
        sequence[: LENGTH // 2][rng.random(LENGTH // 2) < 0.2] = "G"  # a leading strand
        sequence[7_600:7_900] = sequence[7_000:7_300]  # a copy
        rows = []
        for start, stop, strand in GENES:
            first, last = ("GT", "AG") if strand == "+" else ("CT", "AC")
            sequence[start + 200 : start + 202] = list(first)
            sequence[start + 498 : start + 500] = list(last)
            for kind in ("gene", "CDS", "mobile_genetic_element"):
                rows.append((kind, start, stop, strand, f"ID={kind}{start};is_phage=1"))
            for begin, end in ((start, start + 200), (start + 500, stop)):
                rows.append(("exon", begin, end, strand, f"Parent=t{start}"))
        sequence = "".join(sequence)
        sequence = sequence[:1_000] + sequence[1_000:1_500].lower() + sequence[1_500:]
        fasta.append(folder / f"{name}.fa")
        fasta[-1].write_text(f">{name}\n{sequence}\n")
        annotation.append(folder / f"{name}.gff")
        annotation[-1].write_text(
            "".join(
                f"{name}\tx\t{kind}\t{start + 1}\t{stop}\t.\t{strand}\t.\t{rest}\n"
                for kind, start, stop, strand, rest in rows
            )
        )
    window = ["--data.window", "256", "--data.lengths", "[128,256]", "--data.eval_windows", "4"]
    train = [*window, "--data.train_windows", "4", "--data.fasta", fasta[0]]
    blocks = ["--data.block", "1000"]
    other = ["--data.test_fasta", fasta[1]]
    genes = [*train, *blocks, "--data.annotation", annotation[0]]
    three = f"{{one: {fasta[0]}, two: {fasta[1]}, three: [{fasta[2]}]}}"
    species = [
        *window,
        "--data.train_windows",
        "4",
        "--data.fasta",
        three,
        "--model.n_classes",
        "3",
    ]
    return {
        "replication_strand": [
            *train,
            *blocks,
            *other,
            "--data.margin",
            "100",
            "--data.stride",
            "256",
        ],
        "gene_strand": [*genes, "--data.stride", "50"],
        "species_bacteria": species,
        "species_drosophila": [*species, "--data.stride", "256"],
        "species_arabidopsis": species,
        "gene_structure": genes,
        "coding_strand": [*genes, *other, "--data.test_annotation", annotation[1]],
        "splice_sites": genes,
        "prophages": [*genes, *other, "--data.test_annotation", annotation[1]],
        "mobile_elements": genes,
        "repeats": [*train, *blocks, *other],
        "natural_copies": ["--data.fasta", fasta[0], "--data.lengths", "[1024,4096]"],
    }


def test_every_task_has_local_files(local):
    assert {file.stem for file in TASKS} == set(local)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", TASKS, ids=lambda f: f.stem)
def test_runs_on_local_files(local, tmp_path, monkeypatch, capsys, file):
    """One step of training and a test at every length, by stock `mgen`."""
    from modelgenerator.main import cli_main

    monkeypatch.chdir(ROOT)
    own = [str(argument) for argument in local[file.stem]]
    given = [
        "--config", str(file), "--config", "configs/tasks/tiny.yaml", *own,
        "--trainer.max_steps", "1", "--trainer.limit_test_batches", "1",
        "--trainer.default_root_dir", str(tmp_path), "--trainer.enable_progress_bar", "false",
        "--trainer.enable_model_summary", "false",
        "--model.backbone.config_overwrites", "{num_hidden_layers: 1}",
    ]  # fmt: skip
    if file.stem == "natural_copies":
        given += ["--model.results", str(tmp_path / "results.json")]
        stages = ["test"]
    else:
        stages = ["fit", "test"]
    for stage in stages:
        with mock.patch("sys.argv", ["mgen", stage, *given]):
            cli_main()
    shown = capsys.readouterr().out
    lengths = (1024, 4096) if file.stem == "natural_copies" else (128, 256)
    metric = "test_recall" if file.stem == "natural_copies" else "test_accuracy"
    for length in lengths:
        assert f"{metric}/{length}" in shown
