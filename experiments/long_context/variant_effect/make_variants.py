# SPDX-License-Identifier: Apache-2.0
"""Single-nucleotide variants of known consequence, matched in pairs.

A pair is a harmful variant and a harmless one of the same place, with the same substitution between
the same two neighbours, all read on the coding strand:

    missense, nonsense    and a synonymous variant of the same gene, both at codon position 3
    splice                a variant of an intron's GT or AG, and one 7 to 30 bases inside of it

Codon position, substitution and trinucleotide then cannot tell them apart.

python experiments/long_context/variant_effect/make_variants.py NC_000962.3.gb DmelanDM6_4.gff.gz
"""

import argparse
import gzip
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from Bio import SeqIO
from Bio.Data.CodonTable import unambiguous_dna_by_id

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.sources import GENOMES
from modelgenerator.long_context.data.vocabulary import decode, reverse_complement

TUBERCULOSIS = GENOMES / "mycobacterium_tuberculosis_NC_000962.3.fa.gz"
FRUIT_FLY = GENOMES / "drosophila_melanogaster_chr4_NC_004353.4.fa.gz"
TABLE = unambiguous_dna_by_id[11]
AMINO_ACIDS = {**TABLE.forward_table, **{codon: "*" for codon in TABLE.stop_codons}}
COMPLEMENT = str.maketrans("ACGT", "TGCA")
START = 30  # codons left out at either end, where start and stop signals are
INSIDE = range(6, 30)  # offsets from either end of an intron: its 7th to 30th base


def variant(chrom: str, place: str, at: int, strand: str, three: str, alt: str, kind: str) -> dict:
    """A row of a table.

    Args:
        chrom: Record.
        place: Gene or intron.
        at: Position on the + strand, 0-based.
        strand: Strand that is coding.
        three: The base between its neighbours, on that strand.
        alt: What it becomes, on that strand.
        kind: Consequence.
    """
    ref, new = three[1], alt
    if strand == "-":
        ref, new = ref.translate(COMPLEMENT), new.translate(COMPLEMENT)
    return {
        "chrom": chrom,
        "pos": at + 1,
        "ref": ref,
        "alt": new,
        "consequence": kind,
        "trinucleotide": three,
        "substitution": f"{three[1]}>{alt}",
        "place": place,
    }


def on_strand(genome: Genome, low: int, high: int, strand: str) -> str:
    """Letters of a stretch, as the strand reads."""
    ids = genome.read(low, high - low)
    return decode(ids if strand == "+" else reverse_complement(ids))


def genes(genbank: str, genome: Genome) -> Iterator[tuple[str, int, int, str, str]]:
    """Name, ends, strand and letters of genes whose reading frame is open in the genome itself."""
    for feature in next(SeqIO.parse(genbank, "genbank")).features:
        if feature.type != "CDS" or len(feature.location.parts) > 1 or len(feature) % 3:
            continue
        low, high = int(feature.location.start), int(feature.location.end)
        strand = "+" if feature.location.strand > 0 else "-"
        letters = on_strand(genome, low, high, strand)
        protein = "".join(AMINO_ACIDS[letters[i : i + 3]] for i in range(0, len(letters), 3))
        if "*" not in protein[:-1] and protein[-1] == "*":
            yield feature.qualifiers.get("locus_tag", ["?"])[0], low, high, strand, letters


def coding_variants(genbank: str) -> list[dict]:
    """All variants at the third codon positions of the genes of *M. tuberculosis*."""
    found = []
    for name, low, high, strand, letters in genes(genbank, Genome([TUBERCULOSIS])):
        for offset in range(3 * START + 2, len(letters) - 3 * START, 3):
            before = letters[offset - 2 : offset + 1]
            at = low + offset if strand == "+" else high - 1 - offset
            for alt in "ACGT".replace(before[2], ""):
                old, new = AMINO_ACIDS[before], AMINO_ACIDS[before[:2] + alt]
                kind = "synonymous" if old == new else "nonsense" if new == "*" else "missense"
                three = letters[offset - 1 : offset + 2]
                found.append(variant("NC_000962.3", name, at, strand, three, alt, kind))
    return found


def introns(gff: str, record: str) -> set[tuple[int, int, str]]:
    """Ends, 0-based and half-open, and strand of the introns of a record."""
    exons = defaultdict(list)
    with gzip.open(gff, "rt") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 9 and fields[0] == record and fields[2] == "exon":
                parent = re.search(r"Parent=([^;]+)", fields[8])[1]
                exons[parent, fields[6]].append((int(fields[3]) - 1, int(fields[4])))
    return {
        (left[1], right[0], strand)
        for (_, strand), parts in exons.items()
        for left, right in zip(sorted(parts), sorted(parts)[1:], strict=False)
    }


def splice_variants(gff: str) -> list[dict]:
    """Variants of GT and AG, and inside, of introns that no other transcript has an end in."""
    record, genome = "NC_004353.4", Genome([FRUIT_FLY])
    every = introns(gff, record)
    ends = {at for low, high, _ in every for at in (low, high)}
    found = []
    for low, high, strand in sorted(every):
        letters = on_strand(genome, low - 1, high + 1, strand)  # with one base of either exon
        size = high - low
        plain = letters[1:3] == "GT" and letters[-3:-1] == "AG"
        alone = not any(low < at < high for at in ends)
        if not plain or not alone or size < 2 * INSIDE.stop:
            continue
        inner = [*INSIDE, *(size - 1 - i for i in INSIDE)]
        for offset in (0, 1, size - 2, size - 1, *inner):
            kind = "intronic" if offset in inner else "splice"
            three = letters[offset : offset + 3]
            at = low + offset if strand == "+" else high - 1 - offset
            name = f"intron {low}-{high}"
            for alt in "ACGT".replace(three[1], ""):
                found.append(variant(record, name, at, strand, three, alt, kind))
    return found


def matched(variants: list[dict], kind: str, harmless: str, pairs: int, seed: int) -> list[dict]:
    """So many pairs of a variant of a kind and a harmless one, no variant twice.

    At most one pair of each place, which spreads them over the genome.
    """
    draw = random.Random(seed)
    pools = defaultdict(lambda: defaultdict(list))
    for one in variants:
        key = one["place"], one["trinucleotide"], one["substitution"]
        pools[key][one["consequence"]].append(one)
    possible = [key for key, pool in pools.items() if pool[kind] and pool[harmless]]
    draw.shuffle(possible)
    chosen, used = [], set()
    for key in possible:
        if key[0] in used or len(chosen) == 2 * pairs:
            continue
        used.add(key[0])
        for label, name in ((1, kind), (0, harmless)):
            one = draw.choice(pools[key][name])
            chosen.append({**one, "label": label, "pair": len(used) - 1})
    return chosen


def main() -> None:
    """Write a table for each harmful consequence."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("genbank", help="annotation of M. tuberculosis NC_000962.3")
    parser.add_argument("gff", help="annotation of D. melanogaster chromosome 4, NC_004353.4")
    parser.add_argument("--pairs", type=int, default=200)
    args = parser.parse_args()
    coding, spliced = coding_variants(args.genbank), splice_variants(args.gff)
    for kind, harmless, variants in (
        ("missense", "synonymous", coding),
        ("nonsense", "synonymous", coding),
        ("splice", "intronic", spliced),
    ):
        frame = pd.DataFrame(matched(variants, kind, harmless, args.pairs, seed=0))
        path = Path(__file__).with_name(f"{kind}.tsv")
        frame.to_csv(path, sep="\t", index=False)
        print(f"{len(frame)} variants in {path}")


if __name__ == "__main__":
    main()
