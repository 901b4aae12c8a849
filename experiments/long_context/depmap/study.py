# SPDX-License-Identifier: Apache-2.0
"""Do maps get worse with context? AUROC of known pairs by length of the region and method.

Stems of tRNA genes (one side of every stem mutated), planted copies and planted hairpins (every
fourth base of one side), each in the middle of regions of growing length. Finished maps are kept,
and not computed again; results/known_pairs.json is written anew.

python experiments/long_context/depmap/study.py [--lengths 256 512] [--genes 4] [--records 3]
"""

import argparse
import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from lightning.pytorch import Trainer
from make_sequences import (
    COPIED,
    COPY,
    LENGTH,
    LOOP,
    PAIRED,
    STEM,
    TRNAS,
    trna_pairs,
    write_sequences,
)

from modelgenerator.backbones.positional import rope, yarn
from modelgenerator.long_context.backbones import aido_dna_tiny
from modelgenerator.long_context.data import Mutants
from modelgenerator.long_context.data.sources import GENOMES
from modelgenerator.long_context.depmap.known_pairs import placements_of, read_pairs
from modelgenerator.long_context.depmap.store import MapFolder
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.tasks import DependencyMap

RESULTS = Path(__file__).parent / "results" / "known_pairs.json"
METHODS = {"rope": rope, "yarn": partial(yarn, factor=16.0)}
TUBERCULOSIS = GENOMES / "mycobacterium_tuberculosis_NC_000962.3.fa.gz"
STEP = 4  # one of so many bases of a copy or hairpin is mutated


class Sequence(NamedTuple):
    """A sequence with known pairs.

    Attributes:
        name: Of its maps.
        fasta: File it is in.
        record: Its record.
        middle: Middle of the regions that are mapped, whatever their length.
        rows: Positions mutated.
        columns: Positions read.
        pairs: Known pairs by their kind.
    """

    name: str
    fasta: Path
    record: str
    middle: int
    rows: str
    columns: str
    pairs: dict[str, list[tuple[int, int]]]


def sequences(out: Path, genes: int, records: int) -> Iterator[Sequence]:
    """The planted sequences, then the tRNA genes."""
    for n in range(records):
        yield Sequence(
            f"planted_{n}",
            out / "planted.fa",
            f"planted_{n}",
            LENGTH // 2,
            # From the second side of the hairpin to the end of the copy. What is mutated of one is
            # what the other is compared with, at its distance.
            f"{STEM + PAIRED + LOOP}-{COPY + COPIED}:{STEP}",
            "all",
            {
                "copies": read_pairs(str(out / f"copies_{n}.tsv")),
                "hairpins": read_pairs(str(out / f"hairpin_{n}.tsv")),
            },
        )
    for _, gene in TRNAS.head(genes).iterrows():
        pairs = trna_pairs(gene)
        yield Sequence(
            gene["name"],
            TUBERCULOSIS,
            "NC_000962.3",
            (gene["start"] + gene["stop"]) // 2,
            ",".join(f"{i}-{i + 1}" for i, _ in pairs),
            f"{gene['start']}-{gene['stop']}",
            {"tRNA stems": pairs},
        )


def mapped(out: Path, sequence: Sequence, method: str, length: int) -> MapFolder:
    """The map of a sequence, which is made if it is not there."""
    folder = out / "maps" / f"{sequence.name}_{method}_{length}"
    start = sequence.middle - length // 2
    data = Mutants(
        str(sequence.fasta),
        region=f"{sequence.record}:{start}-{start + length}",
        rows=sequence.rows,
        columns=sequence.columns,
    )
    task = DependencyMap(aido_dna_tiny, str(folder), pe=METHODS[method])
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    trainer.predict(task, datamodule=data, return_predictions=False)
    return MapFolder(folder)


def rows_of(out: Path, method: str, length: int, genes: int, records: int) -> list[dict]:
    """AUROC of each kind of pairs: a mean over sequences, for pairs of one are not independent."""
    found: dict[str, dict[str, list[float]]] = {}
    for sequence in sequences(out, genes, records):
        folder = mapped(out, sequence, method, length)
        for kind, pairs in sequence.pairs.items():
            found.setdefault(kind, {})[sequence.name] = placements_of(folder.load(), pairs)
    about = folder.about()
    rows = []
    for kind, placements in found.items():
        means = np.array([np.mean(one) for one in placements.values()])
        error = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else None
        rows.append(
            {
                "pairs": kind,
                "method": about["method"],
                "options": about["options"],
                "factor": about["factor"],
                "original_max_position_embeddings": about["original_max_position_embeddings"],
                "backbone": about["backbone"],
                "weights_digest": about["weights_digest"],
                "length": length,
                "auroc": float(means.mean()),
                "standard_error": None if error is None else float(error),
                "ranked": sum(map(len, placements.values())),
                "sequences": dict(zip(placements, means.round(4).tolist(), strict=True)),
            }
        )
    return rows


def main() -> None:
    """Make the maps that are missing, and write results/known_pairs.json after every length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=[256, 512, 1024, 2048])
    parser.add_argument("--genes", type=int, default=4)
    parser.add_argument("--records", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("runs/depmap-study"))
    args = parser.parse_args()
    RESULTS.unlink(missing_ok=True)
    write_sequences(args.output)
    rows = []
    for length in args.lengths:
        for method in METHODS:
            rows += rows_of(args.output, method, length, args.genes, args.records)
            print(json.dumps(rows[-1]), flush=True)
            result = {
                "schema": "known_pairs/2",
                "results": rows,
                "cpu_seconds": round(time.process_time()),  # less if maps were there
                **provenance(),
            }
            write_json(RESULTS, result)


if __name__ == "__main__":
    main()
