# SPDX-License-Identifier: Apache-2.0
"""The shipped encoder against two-sided k-mer models, on the same masked bases.

The k-mer models are counted on both strands of the same training blocks. Writes baseline.json.

python baseline.py OUTPUT [--test-fasta FASTA]
"""

import argparse
import math
from pathlib import Path

import numpy as np
import yaml

from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.data.vocabulary import reverse_complement
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.evaluation.kmer import TwoSidedKmer

HERE = Path(__file__).parent
TOKENS = "AGCT"  # ids 5 to 8
FIRST = 5


def digits(ids: np.ndarray) -> np.ndarray:
    """Token ids to 0..3 for the four bases, 9 for all else."""
    return np.where((ids >= FIRST) & (ids < FIRST + 4), ids.astype(np.int64) - FIRST, 9)


def main() -> None:
    """Fit, score, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--eval-windows", type=int, default=None)
    parser.add_argument("--test-fasta")
    args = parser.parse_args()
    common = yaml.safe_load((HERE / "common.yaml").read_text())["data"]["init_args"]
    data = GenomeWindows(
        **common, window=args.window, eval_windows=args.eval_windows, test_fasta=args.test_fasta
    )
    data.setup()
    training = [
        strand
        for start, stop in data.parts.train
        for strand in both_strands(data.genome.read(int(start), int(stop - start)))
    ]
    scores = {}
    for k in range(0, 7):
        for prior in (1.0, 4.0, 16.0, 64.0):
            model = TwoSidedKmer(k, prior).fit(training)
            scores[k, prior] = score(model, data.val_dataset)
    k, prior = min(scores, key=scores.get)
    print(f"best on validation: k={k}, prior={prior:g}")


def both_strands(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A sequence and its reverse complement, as digits."""
    return digits(ids), digits(reverse_complement(ids))


def score(model: TwoSidedKmer, windows) -> float:
    """Perplexity on the masked bases of some windows."""
    nll, bases = 0.0, 0
    for window in windows:
        labels = np.asarray(window["labels"])
        at = np.flatnonzero(labels != -100)
        p = model.probabilities(digits(np.asarray(window["input_ids"])), at)
        nll -= np.log(p[np.arange(len(at)), digits(labels[at])]).sum()
        bases += len(at)
    return math.exp(nll / bases)


if __name__ == "__main__":
    main()
