# SPDX-License-Identifier: Apache-2.0
"""The shipped encoder against two-sided k-mer models, on the same masked bases.

The k-mer models are counted on both strands of the same training blocks. Writes baseline.json.

python baseline.py RESULTS OUTPUT
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from tqdm import tqdm

from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.data.vocabulary import A, C, G, T, reverse_complement
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.evaluation.kmer import TwoSidedKmer

HERE = Path(__file__).parent
LARGEST_K = 6
PRIORS = (4.0, 16.0, 64.0, 256.0)
SEPARATOR = 9
DIGITS = np.full(256, SEPARATOR)
DIGITS[[A, C, G, T]] = range(4)


def digits(ids: np.ndarray) -> np.ndarray:
    """Token ids to 0..3 for the four bases, 9 for all else."""
    return DIGITS[ids]


def main() -> None:
    """Fit on the training blocks, choose k and prior on validation, score the test windows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="result file of the encoder on the same windows")
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    encoder = json.loads(args.results.read_text())
    common = yaml.safe_load((HERE / "common.yaml").read_text())["data"]["init_args"]
    scored = {key: encoder["data"][key] for key in ("window", "lengths", "eval_windows")}
    held_out = encoder["data"]["test_fasta"]
    data = GenomeWindows(**common, **scored, test_fasta="demo_held_out" if held_out else None)
    data.setup()
    blocks = [data.genome.read(int(a), int(b - a)) for a, b in data.parts.train]
    between = np.array([SEPARATOR])
    strands = [x for block in blocks for x in (digits(block), between, *_other(block), between)]
    counted = TwoSidedKmer(LARGEST_K).fit(np.concatenate(strands))
    valid = {
        (k, prior): perplexity(counted.limited(k, prior), data.val_dataset)
        for k in tqdm(range(LARGEST_K + 1), desc="k")
        for prior in PRIORS
    }
    k, prior = min(valid, key=valid.get)
    rows = []
    for (kind, length), windows in zip(data.test_sets, data.test_datasets, strict=True):
        if kind == "natural":
            value = perplexity(counted.limited(k, prior), windows)
            rows.append({"length": length, "metric": "perplexity", "value": value})
            print(f"{length:>6} nt: two-sided {k}-mers {value:.4f}")
    write_json(
        args.output,
        {
            "schema": "kmer/1",
            "k": k,
            "prior": prior,
            "validation": {
                f"k={k}": min(valid[k, p] for p in PRIORS) for k in range(LARGEST_K + 1)
            },
            "data": data.describe(),
            "results": rows,
            **provenance(),
        },
    )


def _other(ids: np.ndarray) -> tuple[np.ndarray]:
    return (digits(reverse_complement(ids)),)


def perplexity(model: TwoSidedKmer, windows: Sequence[dict]) -> float:
    """Perplexity on the masked bases of some windows."""
    nll, bases = 0.0, 0
    for window in map(windows.__getitem__, range(len(windows))):
        labels = np.asarray(window["labels"])
        at = np.flatnonzero(labels != -100)
        p = model.probabilities(digits(np.asarray(window["input_ids"])), at)
        nll -= np.log(p[np.arange(len(at)), digits(labels[at])]).sum()
        bases += len(at)
    return math.exp(nll / bases)


if __name__ == "__main__":
    main()
