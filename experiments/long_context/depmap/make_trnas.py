# SPDX-License-Identifier: Apache-2.0
"""A table of tRNA genes whose stems are borne out by the sequence itself.

Only coordinates, strand and anticodon are taken from the annotation. Which bases pair follows from
the cloverleaf: seven pairs of the acceptor stem, four of the D stem, five each of the anticodon
and T stem. A gene is kept if at least 19 of the 21 are Watson-Crick or G-U pairs.

python experiments/long_context/depmap/make_trnas.py NC_000962.3.gb
"""

import argparse
import re
from pathlib import Path

import pandas as pd
from Bio import SeqIO

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.sources import GENOMES
from modelgenerator.long_context.data.vocabulary import decode, reverse_complement

FASTA = GENOMES / "mycobacterium_tuberculosis_NC_000962.3.fa.gz"
PAIRING = {"AT", "TA", "CG", "GC", "GT", "TG"}
LEAST = 19


def cloverleaf(length: int, anticodon: int) -> list[tuple[int, int]]:
    """The 21 pairs of a tRNA gene without CCA, as offsets from its 5' end.

    Args:
        length: Bases of the gene, from position 1 to the discriminator, 73.
        anticodon: Offset of the anticodon's first base, 34.
    """
    acceptor = [(i, length - 2 - i) for i in range(7)]
    d_stem = [(9 + i, anticodon - 9 - i) for i in range(4)]
    anticodon_stem = [(anticodon - 7 + i, anticodon + 9 - i) for i in range(5)]
    t_stem = [(length - 25 + i, length - 9 - i) for i in range(5)]
    return acceptor + d_stem + anticodon_stem + t_stem


def main() -> None:
    """Write trnas.tsv."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("genbank", help="annotation of NC_000962.3")
    args = parser.parse_args()
    genome = Genome([FASTA])
    rows, seen = [], 0
    for feature in next(SeqIO.parse(args.genbank, "genbank")).features:
        if feature.type != "tRNA":
            continue
        seen += 1
        low, high = int(feature.location.start), int(feature.location.end)
        strand = feature.location.strand
        ids = genome.read(low, high - low)
        gene = decode(ids if strand > 0 else reverse_complement(ids))
        note = feature.qualifiers.get("anticodon", [""])[0].replace(" ", "")
        where = re.search(r"pos:(?:complement\()?(\d+)\.\.(\d+)", note)
        letters = re.search(r"seq:([acgt]{3})", note)
        if where is None or letters is None:
            continue
        first, last = int(where[1]) - 1, int(where[2]) - 1
        anticodon = first - low if strand > 0 else high - 1 - last
        if gene[anticodon : anticodon + 3] != letters[1].upper():
            continue
        length = len(gene) - 3 if gene.endswith("CCA") and len(gene) > 75 else len(gene)
        pairs = cloverleaf(length, anticodon)
        paired = sum(gene[i] + gene[j] in PAIRING for i, j in pairs)
        if paired >= LEAST:
            rows.append(
                {
                    "name": feature.qualifiers["gene"][0],
                    "start": low,
                    "stop": high,
                    "strand": "+" if strand > 0 else "-",
                    "length": length,
                    "anticodon": letters[1].upper(),
                    "anticodon_offset": anticodon,
                    "pairs": paired,
                }
            )
    path = Path(__file__).with_name("trnas.tsv")
    pd.DataFrame(rows).to_csv(path, sep="\t", index=False)
    print(f"{len(rows)} of {seen} tRNA genes in {path}")


if __name__ == "__main__":
    main()
