# SPDX-License-Identifier: Apache-2.0
"""Made-up result files, of the form that test runs and a study write. Nothing was measured."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

LENGTHS = (512, 1024, 2048, 4096, 8192)
ORIGINAL = 512
SEGMENTS = 32
BASES = 70  # scored in each segment
DATA = {"fasta_digest": "abc", "lengths": list(LENGTHS), "random_seed": 42, "train_windows": 5}
METHODS = {  # label -> method, and how much it loses with each doubling
    "rope": ("rope", 0.04),
    "pi": ("pi", 0.03),
    "ntk": ("ntk", 0.02),
    "ntk_dynamic": ("ntk", 0.015),
    "yarn": ("yarn", 0.005),
    "gene": ("gene", 0.02),
    "clex": ("clex", 0.01),
}
REGIMES = {"zero_shot": (0, 1.0), "pose_1x": (100, 0.5), "tuned_16x": (100, 0.3)}


def result(label, method, regime, seed, test_set, loss, steps):
    """A result whose natural loss at 2^k x is 1.3 + k * loss, and recall 0.9 - 8 * k * loss."""
    rng = np.random.default_rng([seed, len(label), steps, len(test_set)])
    hard = np.random.default_rng(1).normal(0, 0.15, SEGMENTS)  # the same for every method
    out = {
        "schema": "masked_lm/2",
        "method": method,
        "options": {},
        "factor": 1.0 if method == "rope" else 16.0,
        "learned_parameters": 4096 if method == "clex" else 0,
        "original_max_position_embeddings": ORIGINAL,
        "backbone": "made_up",
        "steps": steps,
        "seed": seed,
        "data": {**DATA, "test_fasta": [f"{test_set}.fa"], "test_fasta_digest": test_set},
        "cell": {
            "scale": "tiny",
            "method": method,
            "label": label,
            "regime": regime,
            "seed": seed,
            "test_set": test_set,
        },
        "results": [],
        "loss_by_position": [],
        "recall_by_distance": [],
        "segments": [],
        "attention": [],
        "reverse_complement": [],
        "probes": [],
        "seconds": 20.0 + len(label),
        "peak_memory_mib": 900.0 + 10 * len(label),
        "versions": {"torch": "2.13.0"},
        "commit": "0123456789",
        "hardware": "2 CPU threads, x86_64",
    }
    if steps:
        out["training"] = {"steps": steps, "tokens": steps * 8192, "seconds": 99.0, "lr": 2e-4}
    for k, length in enumerate(LENGTHS):
        nll = (1.3 + k * loss + hard + rng.normal(0, 0.01, SEGMENTS)) * BASES
        found = np.clip(0.9 - 8 * k * loss + hard / 3 + rng.normal(0, 0.02, SEGMENTS), 0, 1)
        hits = np.round(found * BASES).astype(int)
        perplexity = math.exp(nll.sum() / BASES / SEGMENTS)
        recall = hits.sum() / BASES / SEGMENTS
        values = {
            "perplexity": perplexity,
            "accuracy": 1 / perplexity,
            "copy_perplexity": 4 ** (1.2 - recall),
            "recall": recall,
            "recall_direct": recall,
            "recall_reverse_complement": recall / 2,
        }
        out["results"] += [
            {"length": length, "metric": m, "value": v, "masked_bases": {}}
            for m, v in values.items()
        ]
        place = np.linspace(-1, 1, 16) ** 2
        for kind in ("natural", "copies"):
            position = {"loss": [*(1.3 + k * loss * (0.5 + place)).tolist()]}
            out["loss_by_position"].append({"length": length, "kind": kind, **position})
        for kind, sums in (("natural", nll), ("copies", nll)):
            out["segments"].append(
                {
                    "length": length,
                    "kind": kind,
                    "nll": sums.tolist(),
                    "hits": hits.tolist(),
                    "bases": [BASES] * SEGMENTS,
                }
            )
        for low in (32, 128, 512, 2048):
            if low < length:
                for kind, times in (("copy", 1.0), ("reverse_complement_copy", 0.5)):
                    bases = 12 if low == 2048 else 80
                    hit = round(bases * max(0.1, times * (recall - 0.02 * math.log2(low / 32))))
                    out["recall_by_distance"].append(
                        {"length": length, "kind": kind, "low": low, "high": 2 * low,
                         "hits": hit, "bases": bases}
                    )  # fmt: skip
        for layer in range(4):
            lows = [0, *(2**i for i in range(int(math.log2(length))))]
            share = np.exp(-np.arange(len(lows)) * (0.4 - loss * 5))
            share = 0.95 * share / share.sum()
            out["attention"].append(
                {
                    "length": length,
                    "layer": layer,
                    "entropy": math.log(length) * (0.55 + 3 * loss) - 0.2 * layer,
                    "log_n": math.log(length + 2),
                    "mass": [
                        {"low": low, "high": max(1, 2 * low), "share": s}
                        for low, s in zip(lows, share.tolist(), strict=True)
                    ],
                }
            )
        out["reverse_complement"].append(
            {"length": length, "agreement": 0.8 - loss * k, "divergence": 0.02 + loss * k / 4}
        )
        for task in ("strand", "species"):
            out["probes"].append(
                {"task": task, "length": length, "metric": "accuracy", "seed": seed,
                 "value": 0.6 + 0.05 * k - 2 * k * loss, "baseline": 0.55, "n_test": 200}
            )  # fmt: skip
    return out


def failure(label, regime, seed, reason, error, **cell):
    return {
        "schema": "failed/1",
        "cell": {"scale": "tiny", "label": label, "regime": regime, "seed": seed, **cell},
        "reason": reason,
        "error": error,
        "seconds": 3.0,
    }


def write(folder, **contents):
    """Write contents as JSON files of those names; their paths as strings."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return [str(folder / f"{name}.json") for name in contents]


def write_study(folder, methods=tuple(METHODS), regimes=tuple(REGIMES), seeds=3, blocks=True):
    """A study as it stands part way: some cells failed, and one is not there yet."""
    for regime in regimes:
        steps, share = REGIMES[regime]
        for label in methods:
            method, loss = METHODS[label]
            for seed in range(seeds):
                cell = (label, method, regime, seed)
                if (label, regime) == ("gene", "tuned_16x"):
                    error = "Traceback\ntorch.OutOfMemoryError: tried to allocate 17 GiB"
                    failed = failure(label, regime, seed, "out of memory", error, method=method)
                    write(folder / regime, **{f"{label}-{seed}": failed})
                    continue
                if (label, regime, seed) == ("clex", "tuned_16x", 2):
                    continue
                for test_set in ("held_out", "blocks") if blocks else ("held_out",):
                    content = result(*cell, test_set, loss * share, steps)
                    end = "" if test_set == "held_out" else "-blocks"
                    write(folder / regime, **{f"{label}-{seed}{end}": content})
    return folder


@pytest.fixture(scope="session")
def make():
    """`result`, `failure`, `write` and `write_study` for tests to make files with."""
    return SimpleNamespace(result=result, failure=failure, write=write, write_study=write_study)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """A folder with a study part way: all methods and regimes, three seeds, two test sets."""
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def simple():
    """A function to make a result of no study, with one perplexity and one recall at 1x and 2x."""

    def simple(method="yarn", steps=0, perplexity=3.5, factor=16.0):
        return {
            "schema": "masked_lm/1",
            "method": method,
            "factor": factor,
            "steps": steps,
            "original_max_position_embeddings": 512,
            "backbone": "made_up",
            "data": {**DATA, "lengths": [512, 1024]},
            "results": [
                {"length": length, "metric": metric, "value": value}
                for length in (512, 1024)
                for metric, value in (("perplexity", perplexity), ("recall_direct", 0.875))
            ],
        }

    return simple
