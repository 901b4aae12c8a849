# SPDX-License-Identifier: Apache-2.0
"""The tables of README.md, from results/."""

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
# Measured before this code was written, by another program on windows of its own, of the same
# genomes: what the code has to agree with. By length, 1k, 4k, 16k, and 64k or 32k.
EARLIER = {
    ("e_coli_k12", "gc_skew"): (0.685, 0.790, 0.922, 1.00),
    ("m_tuberculosis", "gc_skew"): (0.695, 0.786, 0.896, 0.955),
    ("k_pneumoniae_hs11286", "gc_skew"): (0.770, 0.907, 0.988, 1.00),
    ("s_aureus_n315", "gc_skew"): (0.867, 0.945, 0.977, 1.00),
    ("gene_strand", "accuracy"): (0.751, 0.848, 0.937, 0.968),
    ("species_drosophila", "accuracy"): (0.238, 0.226, 0.320, 0.345),
    ("species_arabidopsis", "accuracy"): (0.374, 0.413, 0.466, 0.568),
}
NAMES = {
    "gc_skew": "sign of GC skew",
    "accuracy": "k-mer logistic regression",
    "majority": "most frequent class",
    "source kept": "lookup, source kept",
    "source scrambled": "lookup, source scrambled",
}


def tables() -> str:
    """Baselines of windows by length, of single bases, of splice sites, and of other splits."""
    results = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}
    lines = ["| task or genome | baseline | by length: value ± standard error (measured before) |"]
    lines += ["|---|---|---|"]
    bases = ["| task, every base | most frequent class | k-mers within 500 nt | AUROC | windows |"]
    bases += ["|---|---|---|---|---|"]
    sites, splits = results.pop("splice_sites", None), results.pop("gene_strand_splits", None)
    for name, result in results.items():
        if "flank" in result:
            found = {row["metric"]: row for row in result["results"]}
            cells = [_cell(found[metric]) for metric in ("majority", "accuracy")]
            auroc = f"{found['auroc']['value']:.3f}" if "auroc" in found else "–"
            count = found["accuracy"]["windows"]
            bases.append(f"| `{name}` | {' | '.join(cells)} | {auroc} | {count} |")
            continue
        for genome in dict.fromkeys(row.get("genome") for row in result["results"]):
            for metric in NAMES:
                rows = [
                    row
                    for row in result["results"]
                    if row["metric"] == metric and row.get("genome") == genome
                ]
                if rows:
                    lines.append(_line(genome or name, metric, rows))
    if sites:
        bases += ["", *_sites(sites)]
    if splits:
        bases += ["", *_splits(splits)]
    return "\n".join([*lines, "", *bases])


def _sites(result: dict) -> list[str]:
    """A row for each kind of site."""
    lines = ["| `splice_sites`, every base | sites among bases | AUPRC | AUROC | trained on |"]
    lines += ["|---|---|---|---|---|"]
    for row in result["results"]:
        share = row["sites"] / row["bases"]
        lines.append(
            f"| position weight matrix, {row['site']} | {row['sites']} of {row['bases']:,} "
            f"({share:.5f}) | {row['auprc']:.3f} ± {row['auprc_error']:.3f} | {row['auroc']:.4f} ± "
            f"{row['auroc_error']:.4f} | {row['sites_trained_on']:,} sites |"
        )
    return lines


def _splits(result: dict) -> list[str]:
    """A row for each way of training, a cell for each length: mean and range over splits."""
    found: dict = {}
    for row in result["results"]:
        fit = row["fit"]
        name = f"{fit['windows']:,} windows, {('one strand', 'both strands')[fit['both_strands']]}"
        name += f", penalty {fit['strength']:.0f}"
        values = row["accuracies"]
        cell = f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})"
        found.setdefault(name, {})[row["length"]] = cell
    lengths = sorted({row["length"] for row in result["results"]})
    splits = len(result["results"][0]["accuracies"])
    lines = [f"| `gene_strand`, {splits} splits | " + " | ".join(f"{n:,}" for n in lengths) + " |"]
    lines.append("|---" * (len(lengths) + 1) + "|")
    for name, cells in found.items():
        lines.append(f"| {name} | " + " | ".join(cells[n] for n in lengths) + " |")
    before = EARLIER["gene_strand", "accuracy"]
    lines.append("| measured before | " + " | ".join(f"{value:.3f}" for value in before) + " |")
    return lines


def _line(name: str, metric: str, rows: list[dict]) -> str:
    earlier = EARLIER.get((name, metric), (None,) * len(rows))
    if len(earlier) != len(rows):
        earlier = (None,) * len(rows)
    cells = [
        f"{row['length']:,}: {_cell(row)}" + (f" ({before:.3f})" if before else "")
        for row, before in zip(rows, earlier, strict=True)
    ]
    return f"| `{name}` | {NAMES[metric]} | {'; '.join(cells)}; {rows[-1]['windows']} windows |"


def _cell(row: dict) -> str:
    return f"{row['value']:.3f} ± {row['error']:.3f}"


if __name__ == "__main__":
    print(tables())
