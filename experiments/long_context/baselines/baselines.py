# SPDX-License-Identifier: Apache-2.0
"""Trivial baselines of the tasks in configs/tasks, on the very windows that a model is tested on.

    python experiments/long_context/baselines/baselines.py              # all
    python experiments/long_context/baselines/baselines.py gene_strand  # some

Writes results/NAME.json. Genomes are those of the configuration: mgen-lc genomes fetch large
"""

import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import yaml

from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.evaluation.baselines import (
    base_features,
    gc_skew,
    lookup,
    share_error,
    window_features,
)
from modelgenerator.long_context.evaluation.probes import probe
from modelgenerator.long_context.evaluation.results import provenance, write_json

HERE = Path(__file__).parent
CONFIGS = HERE.parents[2] / "configs" / "tasks"
TRAIN_WINDOWS = 1_500
LENGTHS = [1_000, 4_000, 16_000, 64_000]
# Of each task: k of the k-mers, and what its lengths are here where not LENGTHS.
WINDOWS = {
    "replication_strand": (4, LENGTHS),
    "gene_strand": (4, LENGTHS),
    "species_bacteria": (4, LENGTHS),
    "species_drosophila": (6, [1_000, 4_000, 16_000, 32_000]),
    "species_arabidopsis": (6, [1_000, 4_000, 16_000, 32_000]),
}
BASES = ["gene_structure", "coding_strand", "prophages", "mobile_elements", "repeats"]
FLANK, BASE_K, PER_WINDOW, BASE_WINDOWS = 500, 4, 50, 80
# Each genome alone, whole, windows side by side.
SKEW = ["e_coli_k12", "m_tuberculosis", "k_pneumoniae_hs11286", "s_aureus_n315"]


def load(name: str, **changes):
    """The data module of a configuration, with some arguments changed."""
    data = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())["data"]
    module, _, cls = data["class_path"].rpartition(".")
    arguments = {**data["init_args"], **changes, "num_workers": 0}
    return getattr(import_module(module), cls)(**arguments)


def ready(data, *stages: str):
    data.prepare_data()
    for stage in stages:
        data.setup(stage)
    return data


def score(length: int, metric: str, value: float, count: int) -> dict:
    error = share_error(value, count)
    return {"length": length, "metric": metric, "value": value, "error": error, "windows": count}


def windows(name: str) -> dict:
    """Majority and k-mer logistic regression, trained at each length and tested on one set."""
    k, lengths = WINDOWS[name]
    test = ready(load(name, window=max(lengths), lengths=lengths, valid_share=0.0), "test")
    rows = []
    for length, dataset in zip(lengths, test.test_datasets, strict=True):
        train = load(
            name, window=length, lengths=lengths, train_windows=TRAIN_WINDOWS, valid_share=0.0
        )
        ready(train, "fit")
        given, asked = window_features(train.train_dataset, k), window_features(dataset, k)
        found = probe(given, asked)
        count = len(asked[1])
        rows += [score(length, m, found[m], count) for m in ("majority", "accuracy")]
        if found["auroc"] is not None:
            rows.append({**score(length, "auroc", found["auroc"], count), "error": None})
        if name == "replication_strand":
            rows.append(score(length, "gc_skew", skew_accuracy(dataset), count))
        print(name, rows[-3:], flush=True)
    return {"task": name, "k": k, "data": test.describe(), "results": rows}


def skew_accuracy(dataset) -> float:
    hits = [
        (gc_skew(example["input_ids"].numpy()) > 0) == bool(example["labels"])
        for example in (dataset[i] for i in range(len(dataset)))
    ]
    return float(np.mean(hits))


def skew_by_genome() -> dict:
    """The sign of GC skew, on whole chromosomes cut side by side at each length."""
    rows = []
    for genome in SKEW:
        for length in (1_024, 4_096, 16_384, 65_536):
            data = load(
                "replication_strand", fasta=genome, test_fasta=None, window=length, stride=None,
                lengths=[length], eval_windows=None, valid_share=0.0, test_share=0.999,
                max_shared=1.0, block=10**8,
            )  # fmt: skip
            dataset = ready(data, "test").test_datasets[0]
            row = score(length, "gc_skew", skew_accuracy(dataset), len(dataset))
            rows.append({"genome": genome, **row})
            print(rows[-1], flush=True)
    return {"task": "skew_by_genome", "results": rows}


def bases(name: str) -> dict:
    """K-mers within 500 bases of a base, which no length changes."""
    data = load(
        name, window=4_000, lengths=[4_000], eval_windows=BASE_WINDOWS, stride=None, valid_share=0.0
    )
    ready(data, "fit", "test")
    options = {"k": BASE_K, "flank": FLANK, "per_window": PER_WINDOW}
    given = base_features(data.train_dataset, items=10 * BASE_WINDOWS, **options)
    test = data.test_datasets[0]
    asked = base_features(test, items=len(test), **options)
    known = np.isin(asked[1], given[1])
    found = probe(given, (asked[0][known], asked[1][known]))
    # Bases of a window are alike: its standard error counts windows.
    rows = [score(4_000, m, found[m], len(test)) for m in ("majority", "accuracy")]
    if found["auroc"] is not None:
        rows.append({**score(4_000, "auroc", found["auroc"], len(test)), "error": None})
    shares = np.bincount(asked[1], minlength=data.n_classes) / len(asked[1])
    print(name, rows, flush=True)
    return {"task": name, **options, "data": data.describe(), "test_shares": shares.tolist(),
            "results": rows}  # fmt: skip


def copies() -> dict:
    """Copying from where the neighbours of a masked base occur elsewhere in the window."""
    data = ready(load("natural_copies", eval_windows=100), "test")
    rows = []
    for (kind, length), dataset in zip(data.test_sets, data.test_datasets, strict=True):
        hits = []
        for i in range(len(dataset)):
            example = dataset[i]
            ids, labels = example["input_ids"].numpy()[1:-1], example["labels"].numpy()[1:-1]
            at = np.flatnonzero(labels != IGNORED)[:10]
            hits.append(float((lookup(ids, at) == labels[at]).mean()) if len(at) else np.nan)
        hits = np.array(hits)[~np.isnan(hits)]
        error = float(hits.std(ddof=1) / np.sqrt(len(hits)))
        metric = "source kept" if kind == "copies" else "source scrambled"
        row = {"length": length, "metric": metric, "value": float(hits.mean()), "error": error}
        rows.append({**row, "windows": len(hits)})
        print(rows[-1], flush=True)
    return {"task": "natural_copies", "data": data.describe(), "results": rows}


def main(names: list[str]) -> None:
    jobs = {name: (windows, name) for name in WINDOWS}
    jobs |= {name: (bases, name) for name in BASES}
    jobs |= {"skew_by_genome": (skew_by_genome,), "natural_copies": (copies,)}
    for name in names or jobs:
        started = time.perf_counter()
        function, *arguments = jobs[name]
        result = function(*arguments)
        result["seconds"] = round(time.perf_counter() - started, 1)
        write_json(HERE / "results" / f"{name}.json", {**result, **provenance()})


if __name__ == "__main__":
    main(sys.argv[1:])
