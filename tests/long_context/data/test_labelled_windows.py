# SPDX-License-Identifier: Apache-2.0
import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from jsonargparse import ArgumentParser

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data.labelled_datasets import COLUMNS
from modelgenerator.long_context.data.labelled_windows import LabelledWindows, NucleotideWindows
from modelgenerator.long_context.data.regions import overlay

HALF = 40_000


class Halves(LabelledWindows):
    """The first half of a genome against the second; on the other strand they change places."""

    class_names = ["first", "second"]
    strand_labels = np.array([[0, 1], [1, 0]])

    def _regions(self, argument, genome):
        half = len(genome) // 2
        return [np.array([[0, half]]), np.array([[half, len(genome)]])]


class EveryThird(NucleotideWindows):
    """Bases 1, 4, 7 ... on the forward strand are class 1; on the other, class 2."""

    class_names = ["other", "forward", "reverse"]
    strand_labels = np.array([[0, 1], [0, 2]])

    def _regions(self, argument, genome):
        at = np.arange(1, len(genome), 3)
        return [np.stack([at, at + 1], axis=1)]

    def _track(self, regions):
        return overlay(regions)


@pytest.fixture
def fasta(write_fasta, random_dna):
    sequence = random_dna(2 * HALF, 1)
    return str(write_fasta({"chr1": sequence[:5_000] + "N" * 300 + sequence[5_300:]}))


@pytest.fixture
def make(fasta):
    def make(cls, stage=None, **arguments):
        defaults = dict(fasta=fasta, window=200, block=2_000, train_windows=40, pin_memory=False)
        data = cls(**{**defaults, **arguments})
        if stage:
            data.prepare_data()
            data.setup(stage)
        return data

    return make


def interval(name):
    start, stop = name.removesuffix("(-)").split(":")[1].split("-")
    return int(start), int(stop)


def test_a_batch(make):
    data = make(Halves, "fit", batch_size=4)
    batch = next(iter(data.train_dataloader()))
    assert set(batch) == set(data.provided_columns) == set(COLUMNS)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (4, 202)
    assert (batch["labels"].dtype, batch["labels"].shape) == (torch.int64, (4,))
    assert [len(sequence) for sequence in batch["sequences"]] == [200] * 4


def test_labels_are_those_of_position_and_strand(make):
    data = make(Halves, "fit")
    strands = set()
    for index in range(60):
        example = data.train_dataset[index]
        start, stop = interval(example["ids"])
        reverse = example["ids"].endswith("(-)")
        strands.add(reverse)
        in_second = (start + stop) / 2 > HALF
        assert int(example["labels"]) == (not in_second if reverse else in_second)
    assert strands == {True, False}


def test_classes_are_drawn_alike_and_items_depend_on_seed_and_number_alone(make):
    data = make(Halves, "fit", min_share=1.0)
    data.train_dataset.eligible[1] = data.train_dataset.eligible[1][:1]  # far fewer starts
    labels = [data.train_dataset[i]["ids"] for i in range(400)]
    second = sum(interval(name)[0] >= HALF for name in labels)
    assert 150 < second < 250
    again = make(Halves, "fit")
    assert again.train_dataset[7]["ids"] == make(Halves, "fit").train_dataset[7]["ids"]
    assert (
        again.train_dataset[7]["ids"] != make(Halves, "fit", random_seed=1).train_dataset[7]["ids"]
    )


def test_a_test_window_has_one_centre_strand_and_label_at_every_length(make):
    data = make(Halves, "test", lengths=[50, 1_000, 200])
    assert data.test_sets == [("windows", 50), ("windows", 1_000), ("windows", 200)]
    sets = [[dataset[i] for i in range(len(dataset))] for dataset in data.test_datasets]
    for examples in zip(*sets, strict=True):
        assert len({sum(interval(e["ids"])) // 2 for e in examples}) == 1
        assert len({e["ids"].endswith("(-)") for e in examples}) == 1
        assert len({int(e["labels"]) for e in examples}) == 1
        assert [len(e["sequences"]) for e in examples] == [50, 1_000, 200]
        assert examples[0]["sequences"] in examples[2]["sequences"]
        assert examples[2]["sequences"] in examples[1]["sequences"]


def test_batches_hold_as_many_bases_and_one_length_is_one_loader(make):
    loaders = make(Halves, "test", lengths=[100, 400], batch_size=2).test_dataloader()
    assert [loader.batch_size for loader in loaders] == [4, 1]
    assert make(Halves, "test", lengths=[100]).test_dataloader().batch_size == 16
    assert make(Halves, "predict", lengths=[100, 400]).predict_dataloader().dataset.length == 400


def test_splits_lie_a_window_apart(make):
    data = make(Halves, None, lengths=[500], batch_size=64)
    data.setup()
    train = [interval(data.train_dataset[i]["ids"]) for i in range(500)]
    valid = [
        interval(e["ids"]) for e in (data.val_dataset[i] for i in range(len(data.val_dataset)))
    ]
    tests = [interval(data.test_datasets[0][i]["ids"]) for i in range(len(data.test_datasets[0]))]
    for one in (train, valid):
        for other in (valid, tests):
            if one is not other:
                gaps = [max(a[0] - b[1], b[0] - a[1]) for a in one for b in other]
                assert min(gaps) >= 500


def test_bases_have_labels_on_both_strands(make):
    data = make(EveryThird, "fit")
    seen = set()
    for i in range(20):
        example = data.train_dataset[i]
        start, _ = interval(example["ids"])
        reverse = example["ids"].endswith("(-)")
        at = np.arange(200)
        position = start + (199 - at if reverse else at)
        expected = np.where(position % 3 == 1, 2 if reverse else 1, 0)
        expected[[letter == "N" for letter in example["sequences"]]] = -100
        assert example["labels"].tolist() == expected.tolist()
        seen.add(reverse)
    assert seen == {True, False}


def test_every_length_scores_the_same_bases(make):
    data = make(EveryThird, "test", lengths=[51, 200, 1_001], min_share=0.6)
    for index in range(len(data.test_datasets[0])):
        scored = set()
        for dataset in data.test_datasets:
            example = dataset[index]
            labels, letters = example["labels"].numpy(), example["sequences"]
            asked = np.flatnonzero(labels != -100)
            assert len(labels) == len(letters) == dataset.length
            scored.add(("".join(letters[i] for i in asked), tuple(labels[asked])))
        assert len(scored) == 1
        assert len(next(iter(scored))[0]) == 51 or "N" in letters


def test_kept_and_dropped_are_counted_and_logged(make, caplog):
    with caplog.at_level("INFO"):
        data = make(Halves, "test", eval_windows=3, stride=100, max_shared=1.0)
    counts = data.counts["test"]
    assert counts["kept"] == sum(counts["classes"].values()) == 3
    assert counts["found"] == 3 + sum(counts["dropped"].values())
    assert counts["dropped"]["beyond eval_windows"] > 0
    assert f"Halves test: 3 of {counts['found']} windows kept" in caplog.text
    assert data.describe()["counts"] == data.counts


def test_test_windows_that_also_train_are_left_out(make, write_fasta, random_dna):
    shared = random_dna(4_000, 1)[:4_000]  # begins as the training genome does
    other = str(write_fasta({"x": shared + random_dna(4_000, 5)}, "other.fa"))
    options = dict(test_fasta=other, lengths=[1_000], valid_share=0.0)
    data = make(Halves, "test", **options)
    assert data.counts["test"]["dropped"]["shared with training"] == 4
    assert [interval(data.test_datasets[0][i]["ids"])[0] for i in range(4)] == [
        4_000, 5_000, 6_000, 7_000,
    ]  # fmt: skip
    assert make(Halves, "test", **options, max_shared=1.0).counts["test"]["kept"] == 8


def test_the_same_genome_cannot_train_and_test(make, fasta):
    with pytest.raises(ValueError, match="test_fasta: the sequence of chr1 is also in fasta"):
        make(Halves, "fit", test_fasta=fasta)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(window=0), "window: 0; give at least 1."),
        (dict(lengths=[]), "lengths: none is given."),
        (dict(lengths=[5, 5]), "lengths: 5 is given twice."),
        (dict(lengths=[0]), "lengths: 0; give at least 1."),
        (dict(block=100), "block: 100; give at least 200"),
        (dict(stride=0), "stride: 0; give at least 1."),
        (dict(min_share=0.5), "min_share: 0.5; give a share above 0.5"),
        (dict(max_shared=1.5), "max_shared: 1.5; give a share from 0 to 1."),
        (dict(test_share=0.99), "the sum must stay below 1"),
        (dict(random_seed=-1), "random_seed: -1; give at least 0."),
    ],
)
def test_arguments_are_refused_before_data_is_read(make, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make(Halves, fasta="no such file", **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(window=50_000, block=50_000, test_share=0.0, valid_share=0.0), "of first, with at l"),
        (dict(lengths=[90_000], block=90_000), "no sequence is as long as the longest window"),
        (dict(fasta="none.fa"), "fasta: none.fa fits no file"),
        (dict(fasta="human_chr20"), "Fetch it first: mgen-lc genomes fetch human_chr20"),
    ],
)
def test_data_that_will_not_do(make, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(Halves, "fit", **arguments)


def test_an_empty_test_split_says_why(make):
    with pytest.raises(ValueError, match="The test split is empty: of 0 windows of 4,000 bases"):
        make(Halves, "test", lengths=[4_000], block=4_000, test_share=0.0)


def test_a_pickled_module_is_small_and_gives_the_same_batches(make):
    data = make(Halves, "fit")
    pickled = pickle.dumps(data)
    assert len(pickled) < 20_000
    assert pickle.loads(pickled).train_dataset[3]["ids"] == data.train_dataset[3]["ids"]


def test_the_command_line_knows_the_arguments_of_tasks_and_of_all():
    parser = ArgumentParser()
    parser.add_subclass_arguments(DataInterface, "data")
    tasks = "modelgenerator.long_context.data.labelled"
    config = parser.parse_args(
        [
            f"--data={tasks}.Species", "--data.fasta={a: [x.fa, y.fa], b: z.fa}",
            "--data.window=512", "--data.stride=128",
        ]
    )  # fmt: skip
    assert config.data.init_args.fasta == {"a": ["x.fa", "y.fa"], "b": "z.fa"}
    assert config.data.init_args.min_share == 1.0
    assert "path" not in config.data.init_args


MEASURE = """
import json, re, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_labelled_windows import Halves

def held():
    "MiB that are this process's own, without the file's pages, which the system may take back."
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\\s+(\\d+)", status)[1]) / 1024

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

data = Halves(fasta=sys.argv[2], window=64_000, max_shared=float(sys.argv[3]), pin_memory=False)
data.prepare_data()
before = held(), peak()
data.setup()
for index in range(50):
    data.train_dataset[index]
    data.test_datasets[0][index % len(data.test_datasets[0])]
print(json.dumps([held() - before[0], peak() - before[1]]))
"""


def grown(path, max_shared):
    """MiB held in the end and at most, beyond what importing and indexing took."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(Path(__file__).parent), str(path), str(max_shared)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what is held")
def test_memory_stays_flat_at_60_megabases(tmp_path):
    """Windows of 64k of chromosomes of 6 and of 60 Mb, each in a process of its own."""
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    held = {}
    for megabases in (6, 60):
        path = tmp_path / f"{megabases}.fa"
        with open(path, "wb") as out:
            out.write(b">chr1\n")
            for seed in range(megabases):
                out.write(np.random.default_rng(seed).choice(letters, 1_000_000).tobytes() + b"\n")
        held[megabases], _ = grown(path, max_shared=1)
    _, peak = grown(path, max_shared=0.5)
    print(f"held: {held} MiB; at most, with 100-mers compared: {peak:.0f} MiB")
    assert held[60] < held[6] + 16
    assert peak < 250  # 60 MiB of it are the file's own pages
