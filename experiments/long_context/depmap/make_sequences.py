# SPDX-License-Identifier: Apache-2.0
"""Sequences whose dependencies are known, and files that say where they are.

python experiments/long_context/depmap/make_sequences.py FOLDER

    planted.fa          yeast chromosome I, 2,048 nt, four records, each with a direct copy of 40 nt
                        168 nt further on and a hairpin of 40 nt between
    copies_N.tsv        pairs of record N that copy each other
    hairpin_N.tsv       pairs of its hairpin
    planted.bed         where they are
    repeats.tsv         pairs of the same base of two repeats of the CRISPR locus, from repeats.bed
    trna_NAME.tsv       pairs of the stems of a tRNA gene, from trnas.tsv
    trna_NAME.bed       the gene and its stems
"""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from make_trnas import cloverleaf

from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.sources import resolve_fasta
from modelgenerator.long_context.data.vocabulary import decode, reverse_complement

TRNAS = pd.read_csv(Path(__file__).with_name("trnas.tsv"), sep="\t")
RECORDS, LENGTH, SPACING = 4, 2048, 40_000
SOURCE, COPY, COPIED = 928, 1096, 40  # direct copy: distance 168, around the middle at 1,024
STEM, LOOP, PAIRED = 976, 24, 40  # hairpin between them
STEMS = ("acceptor",) * 7 + ("D",) * 4 + ("anticodon",) * 5 + ("T",) * 5


def plant(ids: np.ndarray) -> tuple[np.ndarray, list, list]:
    """The sequence with a copy and a hairpin, and the pairs of either."""
    ids = ids.copy()
    ids[COPY : COPY + COPIED] = ids[SOURCE : SOURCE + COPIED]
    second = STEM + PAIRED + LOOP
    ids[second : second + PAIRED] = reverse_complement(ids[STEM : STEM + PAIRED])
    copies = [(SOURCE + k, COPY + k) for k in range(COPIED)]
    hairpin = [(STEM + k, second + PAIRED - 1 - k) for k in range(PAIRED)]
    return ids, copies, hairpin


def trna_pairs(gene: pd.Series) -> list[tuple[int, int]]:
    """Positions of the gene's 21 stem pairs, 0-based, on the + strand of the record."""
    pairs = cloverleaf(gene["length"], gene["anticodon_offset"])
    if gene["strand"] == "+":
        return [(gene["start"] + i, gene["start"] + j) for i, j in pairs]
    return [(gene["stop"] - 1 - i, gene["stop"] - 1 - j) for i, j in pairs]


def write_pairs(path: Path, pairs: list[tuple[int, int]]) -> None:
    """A table of pairs as `mgen-lc depmap --pairs` reads it."""
    pd.DataFrame(pairs, columns=["i", "j"]).to_csv(path, sep="\t", index=False)


def write_sequences(folder: Path) -> None:
    """Write the files listed above."""
    folder.mkdir(parents=True, exist_ok=True)
    yeast = Genome(resolve_fasta("fasta", "demo_held_out"))
    records = []
    for n in range(RECORDS):
        ids, copies, hairpin = plant(yeast.read(20_000 + n * SPACING, LENGTH))
        records.append(f">planted_{n}\n{decode(ids)}\n")
        write_pairs(folder / f"copies_{n}.tsv", copies)
        write_pairs(folder / f"hairpin_{n}.tsv", hairpin)
    (folder / "planted.fa").write_text("".join(records))
    marks = {"copied": SOURCE, "copy": COPY}
    lines = [f"planted_0\t{at}\t{at + COPIED}\t{name}\n" for name, at in marks.items()]
    lines += [f"planted_0\t{at}\t{at + PAIRED}\tstem\n" for at in (STEM, STEM + PAIRED + LOOP)]
    (folder / "planted.bed").write_text("".join(lines))
    repeats = pd.read_csv(Path(__file__).with_name("repeats.bed"), sep="\t", header=None)
    size = repeats[2] - repeats[1]
    starts = repeats[1][size == size.max()]  # the last one is cut by the region's end
    copies = [(a + k, b + k) for a, b in combinations(starts, 2) for k in range(size.max())]
    write_pairs(folder / "repeats.tsv", copies)
    for _, gene in TRNAS.iterrows():
        pairs = trna_pairs(gene)
        write_pairs(folder / f"trna_{gene['name']}.tsv", pairs)
        stems = pd.DataFrame(
            {"stem": STEMS, "i": [i for i, _ in pairs], "j": [j for _, j in pairs]}
        )
        lines = []
        for stem, part in stems.groupby("stem", sort=False):
            for side in ("i", "j"):
                lines.append(f"NC_000962.3\t{part[side].min()}\t{part[side].max() + 1}\t{stem}\n")
        (folder / f"trna_{gene['name']}.bed").write_text("".join(lines))


if __name__ == "__main__":
    write_sequences(Path(sys.argv[1]))
