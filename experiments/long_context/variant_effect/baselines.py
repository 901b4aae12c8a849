# SPDX-License-Identifier: Apache-2.0
"""Trivial baselines of the variant sets: AUROC of what needs no encoder.

    trinucleotide   share of harmful ones among all variants of this trinucleotide and substitution;
                    0.5 says that the pairs are matched
    five bases      the same of the five bases around, from all other pairs: uses the labels
    k-mers          llr of a two-sided k-mer model, counted on both strands of the genome without
                    the variants' own positions

python experiments/long_context/variant_effect/baselines.py
"""

from pathlib import Path

import numpy as np
import pandas as pd

from modelgenerator.long_context.data import Variants
from modelgenerator.long_context.data.mutants import LETTER_IDS
from modelgenerator.long_context.data.sources import GENOMES
from modelgenerator.long_context.data.vocabulary import decode, encode, reverse_complement
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.evaluation.kmer import LETTERS, TwoSidedKmer
from modelgenerator.long_context.evaluation.ranking import auroc

HERE = Path(__file__).parent
FASTA = {
    "missense": "mycobacterium_tuberculosis_NC_000962.3.fa.gz",
    "nonsense": "mycobacterium_tuberculosis_NC_000962.3.fa.gz",
    "splice": "drosophila_melanogaster_chr4_NC_004353.4.fa.gz",
}
K = 4  # bases on either side
NO_BASE = np.array([LETTERS])
PRIOR = 1.0  # variants of either label that a share starts from


def kmer_llr(data: Variants) -> np.ndarray:
    """Log p(alt) - log p(ref) of every variant by the k-mer model."""
    ids = data.genome.read(0, len(data.genome))
    code = np.full(256, LETTERS)
    code[list(LETTER_IDS)] = range(LETTERS)
    at = data.table["start"].to_numpy()
    bases = code[ids]
    bases[at] = LETTERS
    # A, C, G, T become T, G, C, A.
    other = np.where(bases < LETTERS, LETTERS - 1 - bases, LETTERS)[::-1]
    model = TwoSidedKmer(K).fit(np.concatenate([bases, NO_BASE, other]))
    log_p = np.log(model.probabilities(bases, at))
    ref, alt = (code[encode("".join(data.table[name]).encode())] for name in ("ref", "alt"))
    rows = np.arange(len(at))
    return log_p[rows, alt] - log_p[rows, ref]


def contexts(data: Variants, annotated: pd.DataFrame, flank: int) -> pd.Series:
    """The bases around each variant and what it becomes, on the coding strand."""
    found = []
    for start, alt, substitution in zip(
        data.table["start"], data.table["alt"], annotated["substitution"], strict=True
    ):
        ids = data.genome.read(start - flank, 2 * flank + 1)
        forward = substitution[2] == alt
        found.append(f"{decode(ids if forward else reverse_complement(ids))}>{substitution[2]}")
    return pd.Series(found)


def share_of_harmful(keys: pd.Series, labels: pd.Series, without: pd.Series) -> np.ndarray:
    """Share of harmful ones among the variants of the same key in other groups."""
    total = labels.groupby(keys).agg(["sum", "count"])
    own = labels.groupby([keys, without]).agg(["sum", "count"])
    here = pd.MultiIndex.from_arrays([keys, without])
    others = total.loc[keys].to_numpy() - own.loc[here].to_numpy()
    return (others[:, 0] + PRIOR) / (others[:, 1] + 2 * PRIOR)


def main() -> None:
    """Write a result file for each set."""
    for name, fasta in FASTA.items():
        path = HERE / f"{name}.tsv"
        data = Variants(str(path), str(GENOMES / fasta), max_mismatch=0.0)
        data.prepare_data()
        data.setup()
        annotated = pd.read_csv(path, sep="\t")
        assert len(annotated) == len(data.table)  # every row, in the order of the file
        labels = annotated["label"]
        three = contexts(data, annotated, 1)
        assert (three.str[:3] == annotated["trinucleotide"]).all()
        shares = labels.groupby(three).transform("mean").to_numpy()
        five = share_of_harmful(contexts(data, annotated, 2), labels, annotated["pair"])
        rows = []
        for baseline, score in (
            ("trinucleotide", shares),
            ("five bases, from labels", five),
            (f"{K}+{K}-mers, llr", -kmer_llr(data)),
        ):
            area = auroc(labels.to_numpy(), score)
            rows.append(
                {
                    "baseline": baseline,
                    "variants": len(labels),
                    "positives": int(labels.sum()),
                    "metric": "auroc",
                    "value": area.value,
                    "standard_error": area.error,
                }
            )
            print(f"{name}: {baseline}: {area.value:.3f} +- {area.error:.3f} (s.e.)")
        result = {"schema": "variant_baselines/1", "data": data.describe(), "results": rows}
        write_json(HERE / "results" / f"{name}_baselines.json", {**result, **provenance()})


if __name__ == "__main__":
    main()
