# SPDX-License-Identifier: Apache-2.0
"""Do maps get worse with context? AUROC of known pairs by length of the region and method.

tRNA genes (one side of every stem mutated) and planted copies (a copy and as many bases after it),
each in the middle of regions of growing length. Maps are kept, and not computed again.

python experiments/long_context/depmap/study.py [--lengths 256 512 1024] [--genes 8] [--records 4]
"""

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from lightning.pytorch import Trainer
from make_sequences import COPIED, COPY, LENGTH, TRNAS, trna_pairs

from modelgenerator.backbones.positional import rope, yarn
from modelgenerator.long_context.backbones import aido_dna_tiny
from modelgenerator.long_context.data import Mutants
from modelgenerator.long_context.data.sources import GENOMES
from modelgenerator.long_context.depmap.known_pairs import placements_of
from modelgenerator.long_context.depmap.store import MapFolder
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.tasks import DependencyMap

HERE = Path(__file__).parent
METHODS = {"rope": rope, "yarn": partial(yarn, factor=16.0)}
TUBERCULOSIS = GENOMES / "mycobacterium_tuberculosis_NC_000962.3.fa.gz"


def placements(
    folder: Path,
    method: str,
    fasta: Path,
    region: tuple[str, int, int],
    rows: str,
    columns: str,
    pairs: list,
) -> list[float]:
    """Ranks of the known pairs in a map, which is made if it is not there."""
    record, start, stop = region
    data = Mutants(str(fasta), region=f"{record}:{start}-{stop}", rows=rows, columns=columns)
    task = DependencyMap(aido_dna_tiny, str(folder), pe=METHODS[method])
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    trainer.predict(task, datamodule=data, return_predictions=False)
    return placements_of(MapFolder(folder).load(), pairs)


def trna(out: Path, method: str, length: int, genes: int) -> list[list[float]]:
    """Ranks of the stem pairs of each gene."""
    found = []
    for _, gene in TRNAS.head(genes).iterrows():
        start = (gene["start"] + gene["stop"]) // 2 - length // 2
        pairs = trna_pairs(gene)
        found.append(
            placements(
                out / f"{gene['name']}_{method}_{length}",
                method,
                TUBERCULOSIS,
                ("NC_000962.3", start, start + length),
                ",".join(f"{i}-{i + 1}" for i, _ in pairs),
                f"{gene['start']}-{gene['stop']}",
                pairs,
            )
        )
    return found


def copies(out: Path, method: str, length: int, records: int) -> list[list[float]]:
    """Ranks of the copied pairs of each record."""
    low = LENGTH // 2 - length // 2
    found = []
    for n in range(records):
        pairs = pd.read_csv(out / f"copies_{n}.tsv", sep="\t").to_numpy().tolist()
        found.append(
            placements(
                out / f"planted_{n}_{method}_{length}",
                method,
                out / "planted.fa",
                (f"planted_{n}", low, low + length),
                # every fourth base of the copy and, to compare with, of what comes before it
                f"{COPY - COPIED}-{COPY + COPIED}:4",
                "all",
                pairs,
            )
        )
    return found


def main() -> None:
    """Make the maps that are missing, and write results/known_pairs.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--genes", type=int, default=8)
    parser.add_argument("--records", type=int, default=4)
    parser.add_argument("--output", type=Path, default=Path("runs/depmap-demo"))
    args = parser.parse_args()
    rows = []
    for length in args.lengths:
        for method in METHODS:
            for kind, make, count in (("copies", copies, args.records), ("trna", trna, args.genes)):
                groups = make(args.output, method, length, count)
                # Pairs of one gene or copy are not independent: the error is that over genes.
                means = np.array([np.mean(group) for group in groups])
                rows.append(
                    {
                        "pairs": kind,
                        "method": method,
                        "length": length,
                        "auroc": float(means.mean()),
                        "standard_error": float(means.std(ddof=1) / np.sqrt(len(means))),
                        "groups": len(means),
                        "by_group": means.round(4).tolist(),
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
                result = {"schema": "known_pairs/1", "results": rows, **provenance()}
                write_json(HERE / "results" / "known_pairs.json", result)


if __name__ == "__main__":
    main()
