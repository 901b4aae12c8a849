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
from typing import NamedTuple

import numpy as np
import yaml
from sklearn.metrics import average_precision_score, roc_auc_score

from modelgenerator.long_context.data.labelled.splice_sites import ACCEPTOR, DONOR
from modelgenerator.long_context.data.masking import IGNORED
from modelgenerator.long_context.evaluation.baselines import (
    base_features,
    contexts,
    gc_skew,
    kmer_counts,
    lookup,
    matrix_scores,
    reverse_complement_kmers,
    share_error,
    weight_matrix,
    window_features,
)
from modelgenerator.long_context.evaluation.probes import probe
from modelgenerator.long_context.evaluation.results import provenance, write_json

HERE = Path(__file__).parent
CONFIGS = HERE.parents[2] / "configs" / "tasks"
LENGTHS = [1_000, 4_000, 16_000, 64_000]


class Fit(NamedTuple):
    """How a logistic regression is trained.

    Attributes:
        windows: Training windows.
        both_strands: Whether each also trains as its reverse complement, with the other label.
        strength: L2 penalty on standardised features.
    """

    windows: int = 1_500
    both_strands: bool = False
    strength: float = 1.0


# What differs from that, and why: README.md.
FITS = {"gene_strand": Fit(6_000, both_strands=True, strength=100.0)}
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
# Bases in front of a site's base and behind it: as in the 9-mers and 23-mers of MaxEntScan.
SITES = {"acceptor": (ACCEPTOR, 20, 2), "donor": (DONOR, 2, 6)}
SITE_LENGTH, RESAMPLES = 16_000, 100
# Other divisions of the human genes in blocks than the config's, which is the first.
SEEDS = range(42, 50)
SPLIT_FITS = [Fit(), Fit(6_000), FITS["gene_strand"]]
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
    fit = FITS.get(name, Fit())
    test = ready(load(name, window=max(lengths), lengths=lengths, valid_share=0.0), "test")
    rows = []
    for length, dataset in zip(lengths, test.test_datasets, strict=True):
        train = load(
            name, window=length, lengths=lengths, train_windows=fit.windows, valid_share=0.0
        )
        ready(train, "fit")
        given, asked = window_features(train.train_dataset, k), window_features(dataset, k)
        found = fitted(given, asked, k, fit)
        count = len(asked[1])
        rows += [score(length, m, found[m], count) for m in ("majority", "accuracy")]
        if found["auroc"] is not None:
            rows.append({**score(length, "auroc", found["auroc"], count), "error": None})
        if name == "replication_strand":
            rows.append(score(length, "gc_skew", skew_accuracy(dataset), count))
        print(name, rows[-3:], flush=True)
    return {"task": name, "k": k, "fit": fit._asdict(), "data": test.describe(), "results": rows}


def fitted(given: tuple, asked: tuple, k: int, fit: Fit) -> dict:
    """Logistic regression on the first training windows, scored on the test windows."""
    features, labels = (values[: fit.windows] for values in given)
    if fit.both_strands:
        features = np.concatenate([features, features[:, reverse_complement_kmers(k)]])
        labels = np.concatenate([labels, 1 - labels])
    return probe((features, labels), asked, fit.strength)


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


def splice_sites() -> dict:
    """Position weight matrices of the training split's sites, at every labelled base of the test.

    Windows for training are the config's longest; at test all lengths ask for the same bases.
    """
    data = ready(load("splice_sites", train_windows=Fit().windows, valid_share=0.0), "fit", "test")
    found = {name: [] for name in SITES}
    counts = np.zeros(4)
    for i in range(len(data.train_dataset)):
        ids, labels = _bases_of(data.train_dataset[i])
        counts += kmer_counts(ids, 1)
        for name, (label, before, after) in SITES.items():
            found[name].append(contexts(ids, np.flatnonzero(labels == label), before, after))
    background = counts / counts.sum()
    matrices = {
        name: weight_matrix(np.concatenate(rows), background) for name, rows in found.items()
    }
    test = data.test_datasets[data.lengths.index(SITE_LENGTH)]
    scores, is_site = ({name: [] for name in SITES} for _ in range(2))
    for i in range(len(test)):
        ids, labels = _bases_of(test[i])
        asked = labels != IGNORED
        for name, (label, before, _) in SITES.items():
            scores[name].append(matrix_scores(ids, matrices[name], before)[asked])
            is_site[name].append(labels[asked] == label)
    rows = []
    for name in SITES:
        row = {"site": name, **ranking(is_site[name], scores[name])}
        row["sites_trained_on"] = sum(map(len, found[name]))
        rows.append(row)
        print(rows[-1], flush=True)
    matrices = {name: np.round(matrix, 3).tolist() for name, matrix in matrices.items()}
    return {"task": "splice_sites", "data": data.describe(), "background": background.tolist(),
            "log_odds": matrices, "results": rows}  # fmt: skip


def _bases_of(example: dict) -> tuple[np.ndarray, np.ndarray]:
    return example["input_ids"].numpy()[1:-1], example["labels"].numpy()


def ranking(truth: list[np.ndarray], scores: list[np.ndarray]) -> dict:
    """AUPRC and AUROC over all bases; errors from windows drawn with replacement."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(len(truth), size=len(truth)) for _ in range(RESAMPLES)]
    drawn = [windows for windows in drawn if any(truth[i].any() for i in windows)]

    def of(metric, windows) -> float:
        pick = (np.concatenate([rows[i] for i in windows]) for rows in (truth, scores))
        return float(metric(*pick))

    found = {"bases": sum(map(len, truth)), "sites": int(sum(map(np.sum, truth))),
             "windows": len(truth)}  # fmt: skip
    for name, metric in (("auprc", average_precision_score), ("auroc", roc_auc_score)):
        resampled = [of(metric, windows) for windows in drawn]
        found[name] = of(metric, range(len(truth)))
        found[f"{name}_error"] = float(np.std(resampled, ddof=1))
    return found


def gene_strand_splits() -> dict:
    """The strand of a gene on other blocks, trained in other ways, on windows of each length.

    Test windows lie side by side at each length, as they did where this was measured first; those
    of the config have one set of centres for all lengths. No 100-mers are compared, to save time:
    that left out no window of the config's.
    """
    k, _ = WINDOWS["gene_strand"]
    rows = []
    for length in LENGTHS:
        shares = {fit: [] for fit in SPLIT_FITS}
        counts = []
        for seed in SEEDS:
            data = load(
                "gene_strand", window=length, lengths=[length], stride=length, random_seed=seed,
                train_windows=max(fit.windows for fit in SPLIT_FITS),
                eval_windows=1_500, valid_share=0.0, max_shared=1.0,
            )  # fmt: skip
            ready(data, "fit", "test")
            given = window_features(data.train_dataset, k)
            asked = window_features(data.test_datasets[0], k)
            counts.append(len(asked[1]))
            for fit in SPLIT_FITS:
                shares[fit].append(fitted(given, asked, k, fit)["accuracy"])
        for fit, values in shares.items():
            row = {"length": length, "fit": fit._asdict(), "accuracies": values}
            rows.append({**row, "test_windows": counts})
            print(rows[-1], flush=True)
    return {"task": "gene_strand_splits", "results": rows}


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
    jobs |= {"splice_sites": (splice_sites,), "gene_strand_splits": (gene_strand_splits,)}
    for name in names or jobs:
        started = time.perf_counter()
        function, *arguments = jobs[name]
        result = function(*arguments)
        result["seconds"] = round(time.perf_counter() - started, 1)
        write_json(HERE / "results" / f"{name}.json", {**result, **provenance()})


if __name__ == "__main__":
    main(sys.argv[1:])
