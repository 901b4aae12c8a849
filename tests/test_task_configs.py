# SPDX-License-Identifier: Apache-2.0
"""Every YAML in configs/tasks: parsed by the real CLI, run on small files of the same layout."""

import contextlib
import importlib.util
import io
import json
import re
from pathlib import Path
from unittest import mock

import pytest
import yaml

from modelgenerator.long_context.data.benchmarks.transcription_initiation import REPLACED, TRACKS

ROOT = Path(__file__).parents[1]
OVERLAY = ROOT / "configs/tasks/tiny.yaml"
TASKS = sorted({*ROOT.glob("configs/tasks/*.yaml")} - {OVERLAY})
SMALL = [
    "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false",
    "--trainer.max_steps", "1", "--trainer.limit_test_batches", "1",
    "--model.backbone.config_overwrites", "{num_hidden_layers: 1}",
]  # fmt: skip


@pytest.fixture
def mgen(monkeypatch):
    """Upstream's entry point in this process, from the root of the repository."""
    from modelgenerator.main import cli_main

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def mgen(*arguments):
        with mock.patch("sys.argv", ["mgen", *map(str, arguments)]):
            cli_main()

    return mgen


def only_tests(file):
    """Whether a config has nothing to train: its first command is `mgen test`."""
    return "mgen fit" not in file.read_text()


@pytest.mark.parametrize("file", TASKS, ids=lambda f: f.stem)
def test_parses_alone_and_with_the_overlay(mgen, file):
    found = []
    for overlay in ([], ["--config", OVERLAY]):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as stop:
            mgen(
                "test" if only_tests(file) else "fit", "--config", file, *overlay,
                "--print_config",
            )  # fmt: skip
        assert stop.value.code in (None, 0)
        found.append(yaml.safe_load(out.getvalue()))
    alone, tiny = found
    assert alone["model"]["init_args"]["pe"] == tiny["model"]["init_args"]["pe"]
    backbone = tiny["model"]["init_args"]["backbone"]["class_path"]
    assert backbone == "modelgenerator.long_context.backbones.aido_dna_tiny"
    assert alone["trainer"]["profiler"] is None


@pytest.mark.parametrize("file", TASKS, ids=lambda f: f.stem)
def test_opens_with_what_it_is_the_command_and_what_it_needs(file):
    head = "".join(line for line in file.read_text().splitlines(True) if line.startswith("#"))
    commands = re.findall(r"mgen (?:fit|test) --config configs/tasks/(\w+)\.yaml", head)
    assert set(commands) == {file.stem}
    assert "Needs one GPU" in head


@pytest.fixture(scope="module")
def layouts():
    """Writes small files as the benchmarks lay them out."""
    path = ROOT / "tests/long_context/data/benchmarks/layouts.py"
    spec = importlib.util.spec_from_file_location("benchmark_layouts", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def local(tmp_path_factory, layouts):
    """A folder with small files of every benchmark, and the arguments that point a config there."""
    folder = tmp_path_factory.mktemp("local")
    fasta = folder / "genome.fa"
    records = layouts.genome(fasta)
    layouts.bgi(folder / "hotspot")
    layouts.bgi(folder / "population", "Human_population_classification_8192", 3)
    layouts.generteam(folder / "taxonomy")
    layouts.gue(folder / "gue")
    layouts.transcripts(folder / "half_life", "rnahl-saluki-human.parquet")
    layouts.transcripts(folder / "go", "go_dna_dataset_mf.parquet", lists=True)
    layouts.alleles(folder / "traitgym", "mendelian_traits_vep.parquet")
    layouts.needles(folder / "niah", rows=1)
    layouts.long_range_benchmark(folder / "lrb", records)
    (folder / "bend").mkdir()
    layouts.bend(folder / "bend")
    layouts.bend(folder / "bend", "enhancer_annotation", size=2048, bin_size=128, n_classes=2)
    layouts.eqtl_gene(folder, records)
    chroms = {"chr1": 2_000, "chr8": 2_000, "chr10": 2_000}
    layouts.genome(folder / "three.fa", list(chroms.items()))
    files = [*TRACKS.values(), *(name for name, _, _ in REPLACED)]
    layouts.transcription_initiation(folder / "tracks", files, chroms)

    def path_to(name, *more):
        return ["--data.path", folder / name, *more]

    window = ["--data.window", "256"]
    lrb = path_to("lrb", "--data.fasta", fasta, "--data.window", "512")
    no_valid = ["--data.valid_chromosomes", "null"]
    chromosomes = ["--data.test_chromosomes", "['4']", "--data.valid_chromosomes", "['3']"]
    needle = ["--data.test_split_files", "['niah_4k/test.parquet']"]
    return {
        "bend_enhancers": path_to("bend", "--data.fasta", fasta, "--data.window", "1024"),
        "bend_gene_finding": path_to("bend", "--data.fasta", fasta, *window),
        "enhancer_gene": [
            "--data.table", folder / "pairs.tsv", "--data.fasta", fasta,
            "--data.window", "10000", "--data.batch_size", "1",
        ],
        "eqtl_gene": [
            "--data.table", folder / "eqtls.tsv", "--data.fasta", fasta,
            "--data.window", "10000", "--data.batch_size", "1",
        ],
        "genomic_niah": path_to("niah", *needle, "--data.batch_size", "1"),
        "gue_virus": path_to("gue", *window),
        "human_population": path_to("population", *window),
        "lrb_bulk_rna": [*lrb, *no_valid],
        "lrb_cage": lrb,
        "lrb_clinvar": [*lrb, *no_valid],
        "lrb_eqtl": [*lrb, *no_valid],
        "lrb_histone_marks": [*lrb, *no_valid, "--model.n_classes", "3"],
        "lrb_promoter": [*lrb, *no_valid],
        "taxonomy": path_to("taxonomy", *window),
        "traitgym": path_to("traitgym", *window, *chromosomes),
        "transcript_go": path_to("go", *window, "--model.n_classes", "5"),
        "transcript_half_life": path_to("half_life", *window),
        "transcription_initiation": path_to("tracks", "--data.fasta", folder / "three.fa", *window),
        "variant_hotspot": path_to("hotspot", *window),
    }  # fmt: skip


BENCHMARKS = [file for file in TASKS if "data.benchmarks." in file.read_text()]


def test_every_benchmark_has_local_files(local):
    assert {file.stem for file in BENCHMARKS} == set(local)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", BENCHMARKS, ids=lambda f: f.stem)
def test_runs_on_local_files(mgen, local, tmp_path, monkeypatch, file):
    """Trains, saves, and tests the checkpoint; metrics are logged."""
    import datasets
    import lightning.pytorch as pl

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    arguments = ["--config", file, "--config", OVERLAY, *SMALL, *local[file.stem]]
    arguments += ["--trainer.default_root_dir", tmp_path]
    logged = {}
    monkeypatch.setattr(
        pl.LightningModule, "on_test_end",
        lambda task: logged.update(task.trainer.callback_metrics), raising=False,
    )  # fmt: skip
    if only_tests(file):
        mgen("test", *arguments, "--model.results", tmp_path / "results.json")
        result = json.loads((tmp_path / "results.json").read_text())
        assert any(row["metric"] == "recall" for row in result["results"])
        return
    mgen("fit", *arguments, "--trainer.callbacks.dirpath", tmp_path)
    mgen("test", *arguments, "--ckpt_path", tmp_path / "last.ckpt")
    assert "test_loss" in logged
    assert len([name for name in logged if name.startswith("test_")]) > 2


OWN = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/data.md").read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def own_files(tmp_path_factory, layouts):
    """The files that docs/data.md names, in one folder."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("own")
    records = layouts.genome(folder / "genome.fa", [(f"chr{i}", 30_000) for i in (1, 2, 3)])
    rows = [(f"chr{1 + i % 3}", 2_000 + 500 * i) for i in range(24)]
    frame = pd.DataFrame(rows, columns=["chrom", "start"]).assign(label=[i % 2 for i in range(24)])
    frame["stop"] = frame["start"] + 50
    layouts.write(folder / "labels.csv", frame)
    layouts.write(folder / "levels.tsv", frame.assign(liver=0.5 * frame["label"], lung=range(24)))
    features = [
        f"{chrom}\tx\t{('gene', 'tRNA')[i % 2]}\t{start + 1}\t{start + 90}\t.\t+\t.\tID=f{i}"
        for i, (chrom, start) in enumerate(rows)
    ]
    (folder / "features.gff").write_text("##gff-version 3\n" + "\n".join(features) + "\n")
    for seed, name in enumerate(("train", "test")):
        table = pd.DataFrame({"sequence": layouts.sequences(12, 300, seed), "label": [0, 1] * 6})
        layouts.write(folder / "sequences" / f"{name}.csv", table)
    variants = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for i, (chrom, start) in enumerate(rows):
        ref = records[chrom][start - 1]
        alt = "ACGT"["ACGT".index(ref) - 1]
        sign = ("Benign", "Pathogenic")[i % 2]
        variants.append(f"{chrom}\t{start}\t.\t{ref}\t{alt}\t.\t.\tCLNSIG={sign}")
    (folder / "calls.vcf").write_text("\n".join(variants) + "\n")
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("block", OWN, ids=range(len(OWN)))
def test_the_recipes_for_ones_own_data_run(mgen, own_files, tmp_path, monkeypatch, block):
    import datasets

    assert len(block.splitlines()) <= 5
    monkeypatch.chdir(own_files)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    (tmp_path / "mine.yaml").write_text(block)
    variants = "Variants" in block
    base = "configs/variant_effect.yaml" if variants else "configs/tasks/own_data.yaml"
    arguments = ["--config", ROOT / base, "--config", tmp_path / "mine.yaml", "--config", OVERLAY]
    arguments += [*SMALL, "--data.window", "256", "--trainer.default_root_dir", tmp_path]
    if variants:
        results = tmp_path / "results.json"
        table = ["--model.results", results, "--model.table", tmp_path / "scores.tsv"]
        every = ["--trainer.limit_test_batches", "1.0"]  # ranks of all variants, or none
        mgen("test", *arguments, *table, *every, "--data.lengths", "[256]")
        assert json.loads(results.read_text())["results"]
        return
    mgen("fit", *arguments, "--trainer.callbacks.dirpath", tmp_path)
    mgen("test", *arguments, "--ckpt_path", tmp_path / "last.ckpt")
