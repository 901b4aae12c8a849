# SPDX-License-Identifier: Apache-2.0
"""HELIX against the best of the five, by the rule that README.md set down before the runs.

python experiments/long_context/helix/judge.py [--label helix]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple, Optional

import pandas as pd

from modelgenerator.long_context.report import load_results
from modelgenerator.long_context.report.load import REGIMES, Results, title

HERE = Path(__file__).parent
STUDY = HERE.parent / "sweep/results/tiny"
ABLATIONS = HERE / "results/ablations"
FIVE = ("pi", "ntk", "yarn", "gene", "clex")
METRICS = {
    "recall": "copies, recall",
    "copy_perplexity": "copied bases, perplexity",
    "perplexity": "natural bases, perplexity",
}
TOLERANCE = 0.005  # of a perplexity
# Learning rates of folders that have another one than the main study, 3e-4.
RATES = {"gentle": "at 3e-5", "four_windows_gentle": "at 3e-5"}


class Verdict(NamedTuple):
    """One metric of one regime at one length.

    Attributes:
        ours: Mean over seeds.
        best: Name and mean of the best of the five.
        word: "better", "as good" or "worse".
    """

    ours: float
    best: tuple[str, float]
    word: str


def judge(metric: str, ours: list[float], theirs: list[float], bases: Optional[int]) -> str:
    """Apply the rule to values of all seeds, one where nothing is trained.

    Args:
        metric: `recall`, where more is better, or a perplexity, where less is.
        ours: Of HELIX.
        theirs: Of the best of the five.
        bases: Masked bases in copies, where the rule counts the error of the test set; else None.
    """
    if metric != "recall":
        ratio = mean(ours) / mean(theirs) - 1
        return "worse" if ratio > TOLERANCE else "better" if ratio < -TOLERANCE else "as good"
    ahead = mean(ours) - mean(theirs)
    spread = max(max(values) - min(values) for values in (ours, theirs))
    error = 0.0
    if bases is not None:
        error = 2 * sum(p * (1 - p) / bases for p in (mean(ours), mean(theirs))) ** 0.5
    if ahead < -max(spread, error):
        return "worse"
    return "better" if ahead > error and min(ours) > max(theirs) else "as good"


def verdicts(
    label: str = "helix",
    five: Sequence[Path] = (STUDY,),
    ours: Path = ABLATIONS,
    counted: Sequence[str] = ("zero_shot",),
) -> dict[tuple[str, str, float], Verdict]:
    """Every metric, regime and extension of the main test set.

    Args:
        label: Whom to judge.
        five: Folders with results of the five, or of those of them that were run; the learning
            rate of any but the first is said behind its name.
        ours: Folder with the results of the one that is judged.
        counted: Regimes where recall is judged with the error of the test set.
    """
    tables = {folder: _values(load_results([str(folder)])) for folder in five}
    found = {}
    for (regime, metric, extension, name), rows in _values(load_results([str(ours)])).items():
        if name != label or metric not in METRICS:
            continue
        rivals = {
            n if folder == five[0] else f"{n} {RATES[folder.name]}": table[key]["value"].tolist()
            for folder, table in tables.items()
            for n in FIVE
            if (key := (regime, metric, extension, n)) in table
        }
        pick = max if metric == "recall" else min
        best = pick(rivals, key=lambda n: mean(rivals[n]))
        counts = rows["masked_bases"].iloc[0]
        bases = sum(n for kind, n in counts.items() if kind != "natural")
        values = rows["value"].tolist()
        word = judge(metric, values, rivals[best], bases if regime in counted else None)
        found[regime, metric, extension] = Verdict(mean(values), (best, mean(rivals[best])), word)
    return found


def _values(results: Results) -> dict[tuple, pd.DataFrame]:
    frame = results.of("held_out").frame()
    return dict(tuple(frame.groupby(["regime", "metric", "extension", "label"])))


def table(found: dict[tuple[str, str, float], Verdict]) -> str:
    """A row a metric and regime, a column a length: ours, the best of the five, the word."""
    lengths = sorted({extension for _, _, extension in found})
    lines = [
        "| | | " + " | ".join(f"{n:g}x" for n in lengths) + " |",
        "|---" * (2 + len(lengths)) + "|",
    ]
    for metric, words in METRICS.items():
        for regime in (r for r in REGIMES if any(key[0] == r for key in found)):
            cells = []
            for length in lengths:
                verdict = found[regime, metric, length]
                form = "{:.1%}" if metric == "recall" else "{:.3f}"
                ours, theirs = (form.format(v) for v in (verdict.ours, verdict.best[1]))
                bold = "**" if verdict.word != "as good" else ""
                cells.append(f"{ours}, {verdict.best[0]} {theirs}: {bold}{verdict.word}{bold}")
            lines.append(f"| {words} | {title(REGIMES, regime)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def losses(found: dict[tuple[str, str, float], Verdict]) -> list[str]:
    """Cells from 2x to 16x that are worse than the best of the five."""
    return [
        f"{METRICS[metric]}, {title(REGIMES, regime)}, {extension:g}x"
        for (regime, metric, extension), verdict in found.items()
        if verdict.word == "worse" and 2 <= extension <= 16
    ]


def goal(found: dict[tuple[str, str, float], Verdict]) -> str:
    """Whether the goal is met, and the cells that say it is not."""
    worse = losses(found)
    trained = any(regime != "zero_shot" for regime, _, _ in found)
    what = "The goal" if trained else "The zero-shot half of the goal"
    ahead = [
        title(REGIMES, regime)
        for regime in dict.fromkeys(key[0] for key in found)
        if all(found[regime, "recall", n].word == "better" for n in (16, 32))
    ]
    lines = [
        "Better in recall at 16x and at 32x: " + (", ".join(ahead) or "in no regime") + ".",
        f"Worse than the best of the five from 2x to 16x, in {len(worse)} of "
        f"{sum(2 <= key[2] <= 16 for key in found)} cells"
        + (": " + "; ".join(worse) if worse else "")
        + ".",
        f"**{what} is " + ("met" if ahead and not worse else "not met") + ".**",
    ]
    return "\n".join(f"- {line}" for line in lines)


def main() -> None:
    """Print the table and the judgement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--label", default="helix", help="a row of ablations.yaml")
    found = verdicts(parser.parse_args().label)
    print(f"{table(found)}\n\n{goal(found)}")


if __name__ == "__main__":
    main()
