# SPDX-License-Identifier: Apache-2.0
"""Single-nucleotide variants of known consequence in a bacterial genome, matched in pairs.

A pair is a missense or nonsense variant and a synonymous one of the same gene, both at the third
position of their codon, with the same substitution on the coding strand. Neither the place in the
codon nor the substitution then tells them apart.

python experiments/long_context/variant_effect/make_variants.py NC_000962.3.gb [--pairs 200]
"""

import argparse
import random
from collections import defaultdict
from pathlib import Path

import pandas as pd
from Bio import SeqIO
from Bio.Data.CodonTable import unambiguous_dna_by_id

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.sources import GENOMES
from modelgenerator.long_context.data.vocabulary import decode, reverse_complement

FASTA = GENOMES / "mycobacterium_tuberculosis_NC_000962.3.fa.gz"
TABLE = unambiguous_dna_by_id[11]
AMINO_ACIDS = {**TABLE.forward_table, **{codon: "*" for codon in TABLE.stop_codons}}
COMPLEMENT = str.maketrans("ACGT", "TGCA")
START = 30  # codons left out at either end, where start and stop signals are


def variants_of(gene: str, low: int, high: int, strand: int, letters: str) -> list[dict]:
    """All variants at third codon positions of a gene, with their consequence.

    Args:
        gene: Name.
        low: First base, 0-based.
        high: Base after the last.
        strand: 1 or -1.
        letters: The gene's sequence on its coding strand.
    """
    found = []
    for codon in range(START, len(letters) // 3 - START):
        triplet = letters[3 * codon : 3 * codon + 3]
        offset = 3 * codon + 2
        for alt in "ACGT".replace(triplet[2], ""):
            before, after = AMINO_ACIDS[triplet], AMINO_ACIDS[triplet[:2] + alt]
            kind = "synonymous" if before == after else "nonsense" if after == "*" else "missense"
            ref_plus, alt_plus = triplet[2], alt
            if strand < 0:
                ref_plus, alt_plus = ref_plus.translate(COMPLEMENT), alt.translate(COMPLEMENT)
            found.append(
                {
                    "pos": 1 + (low + offset if strand > 0 else high - 1 - offset),
                    "ref": ref_plus,
                    "alt": alt_plus,
                    "consequence": kind,
                    "substitution": f"{triplet[2]}>{alt}",
                    "gene": gene,
                }
            )
    return found


def matched(variants: list[dict], kind: str, pairs: int, seed: int) -> list[dict]:
    """So many pairs of a variant of the kind and a synonymous one, no variant twice."""
    draw = random.Random(seed)
    pools = defaultdict(lambda: defaultdict(list))
    for variant in variants:
        pools[variant["gene"], variant["substitution"]][variant["consequence"]].append(variant)
    candidates = []
    for pool in pools.values():
        for one in ("synonymous", kind):
            draw.shuffle(pool[one])
        # One pair a gene and substitution spreads the pairs over the genome.
        candidates += list(zip(pool[kind], pool["synonymous"], strict=False))[:1]
    draw.shuffle(candidates)
    chosen = []
    for number, pair in enumerate(candidates[:pairs]):
        for label, variant in zip((1, 0), pair, strict=True):
            chosen.append({"chrom": "NC_000962.3", **variant, "label": label, "pair": number})
    return chosen


def main() -> None:
    """Write one table for each consequence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("genbank", help="annotation of NC_000962.3")
    parser.add_argument("--pairs", type=int, default=200)
    args = parser.parse_args()
    genome = Genome([FASTA])
    variants = []
    for feature in next(SeqIO.parse(args.genbank, "genbank")).features:
        if feature.type != "CDS" or len(feature.location.parts) > 1 or len(feature) % 3:
            continue
        low, high = int(feature.location.start), int(feature.location.end)
        ids = genome.read(low, high - low)
        letters = decode(ids if feature.location.strand > 0 else reverse_complement(ids))
        protein = "".join(AMINO_ACIDS[letters[i : i + 3]] for i in range(0, len(letters), 3))
        if "*" in protein[:-1] or protein[-1] != "*":
            continue  # a coordinate or a reading frame that the sequence does not bear out
        name = feature.qualifiers.get("locus_tag", ["?"])[0]
        variants += variants_of(name, low, high, feature.location.strand, letters)
    for kind in ("missense", "nonsense"):
        frame = pd.DataFrame(matched(variants, kind, args.pairs, seed=0))
        path = Path(__file__).with_name(f"{kind}.tsv")
        frame.to_csv(path, sep="\t", index=False)
        print(f"{len(frame)} variants in {path}")


if __name__ == "__main__":
    main()
