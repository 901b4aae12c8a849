# SPDX-License-Identifier: Apache-2.0
"""Write the numbers of README files from the committed result files beside them.

python experiments/long_context/fill_readme.py [--check]
"""

import argparse
import importlib.util
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from modelgenerator.long_context.report import Results, load_results, pictures
from modelgenerator.long_context.report.load import REGIMES, title
from modelgenerator.long_context.report.pictures import save
from modelgenerator.long_context.report.sections import sections
from modelgenerator.long_context.report.summary import difference
from modelgenerator.long_context.report.table import METRICS, across_regimes, by_length

ROOT = Path(__file__).parents[2]
HERE = ROOT / "experiments/long_context"
DEMO = HERE / "demo/results"
STUDY = HERE / "sweep/results/tiny"
PRETRAINING = HERE / "pretrain_tiny/results"
KNOWN_PAIRS = HERE / "depmap/results/known_pairs.json"
VARIANT_EFFECT = HERE / "variant_effect/results"
PICTURE = ROOT / "docs/img/by_length.png"
PICTURES = {
    "docs/img/depmap/known_pairs.png": KNOWN_PAIRS,
    "experiments/long_context/variant_effect/auroc.png": VARIANT_EFFECT,
}
ABLATIONS = HERE / "helix/results/ablations"
CONFIRM = HERE / "helix/results/confirm"
THALE_CRESS = HERE / "helix/results/confirm_thale_cress"
HUMAN = HERE / "helix/results/confirm_human"
E_COLI = HERE / "helix/results/confirm_e_coli"
E_COLI_TRAINED = HERE / "helix/results/confirm_e_coli_trained"
GENTLE = HERE / "helix/results/gentle"
FOUR_WINDOWS = HERE / "helix/results/four_windows"
FOUR_WINDOWS_TRAINED = HERE / "helix/results/four_windows_trained"
FOUR_WINDOWS_GENTLE = HERE / "helix/results/four_windows_gentle"
HEADS = HERE / "helix/heads.json"
REVERSE_COMPLEMENT = HERE / "helix/reverse_complement.json"
KAPPA = HERE / "helix/heads_tiny.json"
CERTAINTY = HERE / "helix/certainty.json"
LEARNED = HERE / "helix/learned.json"
PROBES = HERE / "probes/results/probes"
ENCODER = ROOT / "benchmarks/results/encoder.json"
TRAINING = ROOT / "benchmarks/results/training.json"
FUZZ = ROOT / "benchmarks/results/fuzz.json"
FIRST_RESULT = ROOT / "benchmarks/results/first_result.json"
SOAK = ROOT / "benchmarks/results/soak.json"
UPSTREAM_TESTS = ROOT / "benchmarks/results/upstream_tests.json"


def demo() -> str:
    """The tables of the demo: every method zero-shot, and what was fine-tuned."""
    results = load_results([DEMO])
    first = results.finished[0]
    counts = {row["metric"]: row["masked_bases"] for row in first["results"]}
    natural, copied = counts["perplexity"]["natural"], counts["recall"]
    return "\n\n".join(
        [
            *by_regime(results),
            f"{made_with(first)} At 16x these are {natural:,} natural masked bases, "
            f"{copied['copy']:,} in direct copies and {copied['reverse_complement_copy']:,} in "
            "reverse-complemented ones: a recall of one half of direct copies is known to "
            f"{50 / copied['copy'] ** 0.5:.0f} points (standard error).",
        ]
    )


def study() -> str:
    """The tables of the study at the tiny scale, on its main test set."""
    results = load_results([STUDY]).of("held_out")
    return "\n\n".join([*by_regime(results), made_with(*results.finished)])


def study_and_helix() -> Results:
    """The study with our own method beside it, on its main test set."""
    helix = (str(path) for path in ABLATIONS.glob("*/helix*.json"))
    return load_results([str(STUDY), *sorted(helix)]).of("held_out")


def study_short() -> str:
    """The study and HELIX at a few lengths, all regimes side by side."""
    results = study_and_helix()
    parts = [
        f"**{METRICS[metric][0].capitalize()}**\n\n"
        f"{across_regimes(results, metric, extensions).markdown()}"
        for metric, extensions in (("recall_direct", [4, 16]), ("perplexity", [1, 16]))
    ]
    return "\n\n".join([*parts, made_with(*results.finished)])


def by_regime(results: Results) -> list[str]:
    """A heading and a table of every regime."""
    return [
        f"**{title(REGIMES, regime).capitalize()}**\n\n{by_length(results, regime).markdown()}"
        for regime in results.regimes
    ]


def benchmark() -> str:
    """Time and memory of the whole small encoder beside upstream's, and what it was made with."""
    result = json.loads(ENCODER.read_text())
    rows = [row for row in result["rows"] if row["shape"] == "tiny"]
    return f"{script(ROOT / 'benchmarks/encoder.py').table(rows)}\n\n{made_with(result)}"


def benchmark_all() -> str:
    """All rows of the encoder's benchmark."""
    result = json.loads(ENCODER.read_text())
    growth = result["growth"]
    return (
        f"{script(ROOT / 'benchmarks/encoder.py').table(result['rows'])}\n\n"
        f"Growth of a layer's forward with length, 8,192 to 65,536 tokens, as an exponent: time "
        f"{growth['seconds']:.2f}, memory {growth['peak_mib']:.2f}. {made_with(result)}"
    )


def first_result() -> str:
    """How long a newcomer waits for the demo's page, as a table of one line."""
    result = json.loads(FIRST_RESULT.read_text())
    setup, demo = (duration(result["seconds"][step]) for step in ("setup", "demo"))
    compiler = "with" if result["compiler"] else "without"
    return (
        "| `make setup` | `make demo` | `.venv` |\n|---|---|---|\n"
        f"| {setup} | {demo} | {result['installed_gib']:.1f} GiB |\n\n"
        f"A fresh clone, {compiler} a compiler on the machine. {made_with(result)}"
    )


def bars() -> str:
    """What the benchmarks were to reach, and what they reached."""
    encoder, training = (json.loads(path.read_text()) for path in (ENCODER, TRAINING))
    return script(ROOT / "benchmarks/bars.py").table(encoder, training)


def around_the_model() -> str:
    """Data, `mgen fit` and each method's own cost."""
    result = json.loads(TRAINING.read_text())
    table = script(ROOT / "benchmarks/training.py").table
    tables = (table(result[part]) for part in ("data", "fit", "methods", "steps"))
    return "\n\n".join([*tables, made_with(result)])


def map_costs() -> str:
    """What dependency maps of some lengths cost, from passes and the encoder's benchmark."""
    rows = json.loads(ENCODER.read_text())["rows"]
    cost = {(r["shape"], r["mode"], r["length"]): r for r in rows if r["encoder"] == "ours"}
    layer = cost["tiny_layer", "forward", 65536]
    cost["tiny", "forward", 65536] = {**layer, "seconds": 4 * layer["seconds"]}
    lines = ["| length | map | passes | time | MiB |", "|---|---|---|---|---|"]
    for length in (1024, 8192, 65536):
        maps = {"all x all": 3 * length + 1}
        if length < 65536:
            maps |= {"74 rows x all": 223, "all x 74 columns, gradient": 74}
        maps |= {f"blocks of {n:,} x all": length // n + 1 for n in (1024, 16384) if n < length}
        for name, passes in maps.items():
            backward = name.endswith("gradient")
            step = cost["tiny", "forward+backward" if backward else "forward", length]
            lines.append(
                f"| {length:,} | {name} | {passes:,}{' backward' * backward} "
                f"| {duration(passes * step['seconds'])} | {step['peak_mib']:.0f} |"
            )
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """Seconds in the largest unit that leaves at least two of it."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def baselines() -> str:
    """Trivial baselines of the labelled tasks."""
    return script(HERE / "baselines/table.py").tables()


def helix() -> str:
    """The first candidate against the best of the five, cell by cell, and what follows."""
    judge = script(HERE / "helix/judge.py")
    found = judge.verdicts("temperature_yarn")
    made = made_with(*load_results([ABLATIONS]).of("held_out").finished)
    return f"{judge.table(found)}\n\n{judge.goal(found)}\n\n{made}"


def helix_second() -> str:
    """The second candidate by the same rule, then both on the genome that nothing had looked at."""
    judge = script(HERE / "helix/judge.py")
    found = judge.verdicts()
    parts = [f"{judge.table(found)}\n\n{judge.goal(found)}"]
    for label in ("helix", "temperature_yarn"):
        found = judge.verdicts(label, (CONFIRM,), CONFIRM)
        parts.append(
            f"On *Ustilago maydis*, `{label}`:\n\n{judge.table(found)}\n\n{judge.goal(found)}"
        )
    return "\n\n".join([*parts, made_with(*load_results([str(CONFIRM)]).finished)])


def helix_third() -> str:
    """The third candidates by the same rule, and the chosen one on a genome not looked at."""
    judge = script(HERE / "helix/judge.py")
    parts = []
    for label in ("temperature_sqrt_log_n", "temperature_none"):
        found = judge.verdicts(label)
        parts.append(f"`{label}`:\n\n{judge.table(found)}\n\n{judge.goal(found)}")
    for label in ("helix", "temperature_sqrt_log_n"):
        found = judge.verdicts(label, (THALE_CRESS,), THALE_CRESS)
        parts.append(
            f"On *Arabidopsis thaliana*, `{label}`:\n\n{judge.table(found)}\n\n{judge.goal(found)}"
        )
    return "\n\n".join([*parts, made_with(*load_results([str(THALE_CRESS)]).finished)])


def helix_learned() -> str:
    """Where the learned exponents went, over seeds."""
    result = json.loads(LEARNED.read_text())
    values = defaultdict(list)
    for cell in result["cells"]:
        numbers = np.ravel(cell["values"])
        label = cell["cell"].rpartition("-")[0]
        # Channels without slowing have no use for theirs, and keep zero.
        values[label, cell["regime"]].append(numbers[numbers != 0])
    lines = ["| learned | | seeds | mean of each seed | smallest | largest |"]
    lines += ["|---|---|---|---|---|---|"]
    for (label, regime), seeds in sorted(values.items()):
        means = ", ".join(f"{numbers.mean():+.3f}" for numbers in seeds)
        every = np.concatenate(seeds)
        lines.append(
            f"| `{label}` | {title(REGIMES, regime)} | {len(seeds)} | {means} "
            f"| {every.min():+.3f} | {every.max():+.3f} |"
        )
    return "\n".join(lines)


def helix_fourth() -> str:
    """The verdicts of the fourth candidate, on yeast and on human chromosome 20."""
    judge = script(HERE / "helix/judge.py")
    found = judge.verdicts("heads")
    parts = [f"{judge.table(found)}\n\n{judge.goal(found)}"]
    for label in ("helix", "heads"):
        found = judge.verdicts(label, (HUMAN,), HUMAN)
        parts.append(
            f"On human chromosome 20, `{label}`:\n\n{judge.table(found)}\n\n{judge.goal(found)}"
        )
    return "\n\n".join([*parts, made_with(*load_results([str(HUMAN)]).finished)])


def helix_fifth() -> str:
    """The verdicts of the fifth candidate; on yeast, against the five at either learning rate."""
    judge = script(HERE / "helix/judge.py")
    parts = []
    for place, label, five, ours in (
        ("On yeast", "heads_340", (STUDY, GENTLE), GENTLE),
        ("On human chromosome 20", "heads_340", (HUMAN,), HUMAN),
        ("On *Escherichia coli*", "heads_340", (E_COLI,), E_COLI),
        ("On *Escherichia coli*", "helix", (E_COLI,), E_COLI),
        ("On four windows of yeast", "heads_340", (FOUR_WINDOWS,), FOUR_WINDOWS),
        ("On four windows of yeast", "helix", (FOUR_WINDOWS,), FOUR_WINDOWS),
    ):
        found = judge.verdicts(label, five, ours)
        parts.append(f"{place}, `{label}`:\n\n{judge.table(found)}\n\n{judge.goal(found)}")
    four = load_results([str(FOUR_WINDOWS)])
    frame = four.of("held_out").frame()
    kinds = frame[frame.metric.isin(("recall_direct", "recall_reverse_complement"))]
    parts.append(f"By kind of copy:\n\n{by_kind(kinds)}")
    runs = [x for f in (GENTLE, HUMAN, E_COLI) for x in load_results([str(f)]).finished]
    return "\n\n".join([*parts, made_with(*runs, *four.finished)])


def helix_four_windows() -> str:
    """Verdicts on four windows of yeast, against the five at either learning rate."""
    judge = script(HERE / "helix/judge.py")
    five = (FOUR_WINDOWS_TRAINED, FOUR_WINDOWS_GENTLE)
    trained = ("pose_1x", "tuned_4x", "tuned_16x")
    found = judge.verdicts("heads_340", (FOUR_WINDOWS,), FOUR_WINDOWS)
    found |= judge.verdicts("heads_340", five, FOUR_WINDOWS_GENTLE, trained)
    parts = [f"`heads_340`:\n\n{judge.table(found)}\n\n{judge.goal(found)}"]
    seeds_alone = judge.losses(judge.verdicts("heads_340", five, FOUR_WINDOWS_GENTLE, ()))
    lines = [
        f"`heads_340` by the spread of seeds alone: worse in {len(seeds_alone)} of the trained "
        "cells. By the rule, worse than the best in trained cells:",
        "",
        "| | at 3e-4 | at 3e-5 |",
        "|---|---|---|",
    ]
    for label in ("yarn", "ntk", "clex", "helix", "heads_340"):
        found = [judge.verdicts(label, five, folder, trained) for folder in five]
        counts = (f"{len(judge.losses(cells))}" if cells else "" for cells in found)
        lines.append(f"| `{label}` | {' | '.join(counts)} |")
    parts.append("\n".join(lines))
    lines = [
        "Recall of `heads_340` less that of `yarn` trained at 3e-5, points, 95% interval over "
        "segments of the same windows:",
        "",
        "| | 2x | 4x |",
        "|---|---|---|",
    ]
    for folder in (FOUR_WINDOWS, FOUR_WINDOWS_GENTLE):
        results = load_results([str(folder)]).of("held_out")
        for regime in REGIMES:
            found = [
                difference(results, regime, "recall", length, "heads_340", "yarn")
                for length in (1024, 2048)
            ]
            if all(found):
                cells = (
                    "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * x for x in one.interval))
                    for one in found
                )
                lines.append(f"| {title(REGIMES, regime)} | {' | '.join(cells)} |")
    parts.append("\n".join(lines))
    runs = [x for f in (FOUR_WINDOWS, *five) for x in load_results([str(f)]).finished]
    return "\n\n".join([*parts, made_with(*runs)])


def helix_other_genomes() -> str:
    """Judgement of other genomes by the rule of four windows, and how sure natural bases are."""
    judge = script(HERE / "helix/judge.py")
    trained = judge.verdicts("heads_340", (E_COLI_TRAINED,), E_COLI_TRAINED, tuple(REGIMES))
    parts = [judge.table(trained)]
    runs = []
    for place, folders in (
        ("On *Escherichia coli*", (E_COLI, E_COLI_TRAINED)),
        ("On human chromosome 20", (HUMAN,)),
    ):
        found = {}
        for folder in folders:
            found |= judge.verdicts("heads_340", (folder,), folder, tuple(REGIMES))
        parts.append(f"{place}, `heads_340`:\n\n{judge.goal(found)}")
        results = load_results([str(folder) for folder in folders]).of("held_out")
        runs += results.finished
        behind = defaultdict(list)
        for (regime, metric, extension), verdict in found.items():
            if metric == "perplexity" and verdict.word == "worse" and 2 <= extension <= 16:
                rival = verdict.best[0]
                length = round(extension * runs[0]["original_max_position_embeddings"])
                sure = difference(results, regime, metric, length, "heads_340", rival).interval
                behind[regime, rival].append(
                    f"{extension:g}x +{sure.value:.3f} ({sure.low:.3f} to {sure.high:.3f})"
                )
        lines = [
            f"- {title(REGIMES, regime)}, over `{rival}`: {', '.join(cells)}"
            for (regime, rival), cells in behind.items()
        ]
        if lines:
            told = "Perplexity of natural bases where it is worse, 95% interval over segments:"
            parts.append("\n".join([told, "", *lines]))
    return "\n\n".join([*parts, made_with(*runs)])


def helix_reverse_complement() -> str:
    """Each head made sharper at 2x alone."""
    result = json.loads(REVERSE_COMPLEMENT.read_text())
    none = result["heads"]["none"]
    columns = {
        "nll_natural": "natural bases, nats",
        "nll_direct": "direct copies, nats",
        "nll_reverse_complement": "reverse-complement copies, nats",
        "recall_direct": "direct copies, recall",
        "recall_reverse_complement": "reverse-complement copies, recall",
    }
    lines = [f"| sharpened | {' | '.join(columns.values())} |", "|---" * (1 + len(columns)) + "|"]
    for name, row in result["heads"].items():
        cells = [
            f"{row[key]:.1%}"
            if key.startswith("recall")
            else f"{row[key]:.4f}"
            if name == "none"
            else f"{row[key] - none[key]:+.4f}"
            for key in columns
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Logits of one head, layer.head from 0, times {result['sharper']:g} on top of the "
        f"calibrated exponents, at {result['length']:,} nt, {result['windows']} windows, "
        f"{none['direct']:,} and {none['reverse_complement']} copied bases. {made_with(result)}",
    ]
    return "\n".join(lines)


def helix_each() -> str:
    """In how many cells each method is worse than the best of the five, by the one rule."""
    judge = script(HERE / "helix/judge.py")
    yeast = {name: STUDY for name in judge.FIVE} | {"helix": ABLATIONS, "heads": ABLATIONS}
    yeast |= {"heads_340": GENTLE}
    human = set(load_results([str(HUMAN)]).of("held_out").frame().label)
    lines = ["| | yeast, of 48 cells | human chromosome 20, of 48 |", "|---|---|---|"]
    for name, ours in yeast.items():
        here = len(judge.losses(judge.verdicts(name, (STUDY,), ours)))
        there = ""
        if name in human:
            there = len(judge.losses(judge.verdicts(name, (HUMAN,), HUMAN)))
        lines.append(f"| `{name}` | {here} | {there} |")
    return "\n".join(lines)


def by_kind(frame: pd.DataFrame) -> str:
    """Recall of both kinds of copy, a row a method."""
    lengths = sorted(frame.extension.unique())
    lines = ["| | | " + " | ".join(f"{n:g}x" for n in lengths) + " |"]
    lines += ["|---" * (2 + len(lengths)) + "|"]
    for (metric, label), rows in frame.groupby(["metric", "label"]):
        values = rows.set_index("extension").value
        cells = " | ".join(f"{values[n]:.1%}" for n in lengths)
        lines.append(f"| {METRICS[metric][0]} | `{label}` | {cells} |")
    return "\n".join(lines)


def helix_heads() -> str:
    """Each head sharpened alone, beside the exponent that was calibrated for it."""
    result = json.loads(HEADS.read_text())
    kappa = json.loads(KAPPA.read_text())
    none = result["heads"]["none"]
    lines = ["| sharpened | natural bases, nats | copies, nats | copies, recall | calibrated κ |"]
    lines += ["|---|---|---|---|---|"]
    for name, row in result["heads"].items():
        layer, _, head = name.partition(".")
        exponent = f"{kappa['kappa'][int(layer)][int(head)]:.3f}" if head else ""
        cells = (f"{row[key] - none[key]:+.4f}" for key in ("nll_natural", "nll_direct"))
        if name == "none":
            cells = (f"{row[key]:.4f}" for key in ("nll_natural", "nll_direct"))
        recall = f"{row['recall_direct']:.1%}"
        lines.append(f"| {name} | {' | '.join(cells)} | {recall} | {exponent} |")
    lines += [
        "",
        f"Log-n sharpness in one head, layer.head from 0, and in all: difference from none, at "
        f"{result['length']:,} nt, {result['windows']} windows. {made_with(result)} "
        f"κ: {kappa['steps']} steps, {kappa['windows']} windows. {made_with(kappa)}",
    ]
    return "\n".join(lines)


def helix_certainty() -> str:
    """Natural bases by how certain a method is of them, with what they add to its loss."""
    result = json.loads(CERTAINTY.read_text())
    lines = ["| | mean loss, nats | certain and right | certain and wrong | uncertain |"]
    lines += ["|---|---|---|---|---|"]
    for name, row in result["methods"].items():
        cells = (row[key] for key in ("certain_right", "certain_wrong", "uncertain"))
        shown = " | ".join(f"{c['share']:.2%}, {c['loss']:.4f}" for c in cells)
        lines.append(f"| {name} | {row['nll']:.4f} | {shown} |")
    bases = next(iter(result["methods"].values()))["bases"]
    lines += [
        "",
        f"Share of {bases:,} natural masked bases in {result['windows']} windows, and what they "
        f"add to the mean loss. Certain: of the first guess over {result['certain']:.0%}. "
        f"{made_with(result)}",
    ]
    return "\n".join(lines)


def helix_parts() -> str:
    """HELIX with a part changed, in all regimes it was run in."""
    results = load_results([ABLATIONS]).of("held_out")
    return "\n\n".join(
        f"**{METRICS[metric][0].capitalize()}**\n\n"
        f"{across_regimes(results, metric, extensions).markdown()}"
        for metric, extensions in (("recall_direct", [1, 16, 32]), ("perplexity", [1, 16, 32]))
    )


def pretraining() -> str:
    """Stages of the pretraining, and what its encoder reaches beside k-mer models."""
    curve = json.loads((PRETRAINING / "curve.json").read_text())
    lines = ["| stage | window | steps | million tokens | minutes | recall, last of training |"]
    lines += ["|---|---|---|---|---|---|"]
    before = 0
    for stage in curve["stages"]:
        tokens, before = stage["tokens"][-1] - before, stage["tokens"][-1]
        lines.append(
            f"| {stage['stage']} | {stage['window']} nt | {stage['steps']:,} | {tokens / 1e6:.1f} "
            f"| {stage['seconds'] / 60:.0f} | {stage['recall'][-1]:.2f} |"
        )
    lines += ["", f"{made_with(curve)} The cores were shared with other work.", ""]
    lines += ["| windows of 512 nt | masked bases | encoder, perplexity | two-sided k-mers |"]
    lines[-1] += " recall, direct copies | recall, reverse complement |"
    lines += ["|---|---|---|---|---|---|"]
    for name, words in (("blocks", "test blocks of the training genomes"), ("yeast", "yeast")):
        encoder = json.loads((PRETRAINING / f"encoder_{name}.json").read_text())
        kmers = json.loads((PRETRAINING / f"kmers_{name}.json").read_text())
        rows = {r["metric"]: r for r in encoder["results"] if r["length"] == 512}
        bases = rows["perplexity"]["masked_bases"]["natural"]
        kmer = next(r["value"] for r in kmers["results"] if r["length"] == 512)
        lines.append(
            f"| {words} | {bases:,} | {rows['perplexity']['value']:.3f} "
            f"| {kmer:.3f} (k = {kmers['k']}) | {rows['recall_direct']['value']:.1%} "
            f"| {rows['recall_reverse_complement']['value']:.1%} |"
        )
    return "\n".join(lines)


def known_pairs() -> str:
    """AUROC of known pairs in dependency maps, by length and method."""
    results = load_results([KNOWN_PAIRS])
    (section,) = sections(results, None)
    ((_, table),) = section.parts[0].tables
    return f"{table.markdown()}\n\n{made_with(results.ranked[0])}"


def variant_effect() -> str:
    """AUROC of harmful variants, by window and method, beside trivial baselines."""
    results = load_results([VARIANT_EFFECT])
    (section,) = sections(results, None)
    ((_, table),) = section.parts[0].tables
    return f"{table.markdown()}\n\n{made_with(results.ranked[0])}"


def soak() -> str:
    """Memory of a long training run."""
    result = json.loads(SOAK.read_text())
    growth = result["growth"]
    cpu = result["samples"][-1]["cpu_seconds"]
    minutes, first = result["seconds"] / 60, growth["from_seconds"] / 60
    return "\n".join(
        [
            "| minutes | steps | tokens | first quarter | last quarter | highest | slope |",
            "|---|---|---|---|---|---|---|",
            f"| {minutes:.0f} | {result['steps']:,} | {result['tokens']:,} "
            f"| {growth['first_quarter_mib']:,.0f} | {growth['last_quarter_mib']:,.0f} "
            f"| {growth['highest_mib']:,.0f} | {growth['mib_per_hour']:+.1f} MiB an hour |",
            "",
            f"`mgen fit` of the shipped small encoder with `configs/monitor.yaml`. Resident MiB, "
            f"{growth['samples']} samples from minute {first:.0f} on; least squares, "
            f"{growth['residual_mib']:.1f} MiB around the line; {cpu:.0f} seconds of CPU. "
            f"{made_with(result)}",
        ]
    )


def fuzz() -> str:
    """Outcomes of the random tests with many examples."""
    result = json.loads(FUZZ.read_text())
    lines = ["| random test | examples | outcome | time |", "|---|---|---|---|"]
    for test in result["tests"]:
        outcome = "passed" if test["passed"] else "**failed**"
        lines.append(
            f"| `{test['test']}` | {result['examples']:,} | {outcome} "
            f"| {duration(60 * test['minutes'])} |"
        )
    return "\n".join(lines) + f"\n\n{made_with(result)}"


def upstream_tests() -> str:
    """Outcomes of upstream's own tests with and without the plugin."""
    result = json.loads(UPSTREAM_TESTS.read_text())
    kinds = ("passed", "failure", "error", "skipped")
    lines = ["| plugin | passed | failed | errors | skipped |", "|---|---|---|---|---|"]
    for key, name in (("active", "active"), ("off", "`MGEN_LC_DISABLE=1`")):
        lines.append(f"| {name} | {' | '.join(str(result[key].get(k, 0)) for k in kinds)} |")
    differ = ", ".join(result["differ"]) or "none"
    wrong = ", ".join(f"`{name.split('::')[1]}`" for name in result["not_passed"]) or "none"
    return "\n".join(
        [*lines, "", f"Tests that differ: {differ}. Not passed, with and without: {wrong}. "]
    ) + made_with(result)


def script(path: Path) -> ModuleType:
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def probes() -> str:
    """Accuracy of linear probes, a row a method and regime, beside k-mers on the same windows."""
    results = load_results([str(PROBES)])
    frame = results.frame("probes")
    columns = list(dict.fromkeys(zip(frame["task"], frame["length"], strict=True)))
    heads = [f"`{task}`, {length:,} nt" for task, length in columns]
    lines = ["| | | " + " | ".join(heads) + " |", "|---" * (2 + len(heads)) + "|"]
    rows = {"4-mers, no encoder": ("", frame, "baseline")}
    rows["most frequent class"] = ("", frame, "majority")
    for (regime, label), part in frame.groupby(["regime", "label"], sort=False):
        rows[f"{label} {regime}"] = (title(REGIMES, regime), part, "value")
    for name, (regime, part, column) in rows.items():
        values = part.groupby(["task", "length"])[column].first()
        cells = " | ".join(f"{values[key]:.1%}" for key in columns)
        lines.append(f"| {name.split(' ')[0] if regime else name} | {regime} | {cells} |")
    return "\n".join(lines) + f"\n\n{made_with(*results.finished)}"


def made_with(*results: dict) -> str:
    """Hardware, versions and commits of results, in a line."""
    made = dict.fromkeys(f"{r['hardware']}, torch {r['versions']['torch']}" for r in results)
    commits = list(dict.fromkeys(r["commit"] for r in results))
    where = f"commit{'s' if len(commits) > 1 else ''} {', '.join(commits)}"
    return f"Measured on {'; '.join(made)}, at {where}."


BLOCKS = {
    ROOT / "docs/dependency-maps.md": (map_costs, known_pairs),
    ROOT / "docs/dependency-maps.zh-CN.md": (map_costs, known_pairs),
    ROOT / "docs/memory.md": (bars, benchmark_all, around_the_model),
    ROOT / "docs/memory.zh-CN.md": (bars, benchmark_all, around_the_model),
    HERE / "depmap/README.md": (known_pairs,),
    HERE / "variant_effect/README.md": (variant_effect,),
    ROOT / "README.md": (first_result, study_short, benchmark),
    ROOT / "README.zh-CN.md": (first_result, study_short, benchmark),
    ROOT / "docs/reliability.md": (fuzz, soak, upstream_tests),
    ROOT / "docs/reliability.zh-CN.md": (fuzz, soak, upstream_tests),
    HERE / "README.md": (study_short,),
    HERE / "demo/README.md": (demo,),
    HERE / "sweep/README.md": (study,),
    HERE / "pretrain_tiny/README.md": (pretraining,),
    HERE / "baselines/README.md": (baselines,),
    HERE / "helix/README.md": (
        helix,
        helix_parts,
        helix_learned,
        helix_second,
        helix_third,
        helix_heads,
        helix_fourth,
        helix_fifth,
        helix_four_windows,
        helix_other_genomes,
        helix_reverse_complement,
        helix_each,
        helix_certainty,
    ),
    HERE / "probes/README.md": (probes,),
}


def filled(file: Path) -> str:
    """The file's text with every block written anew."""
    text = file.read_text()
    for make in BLOCKS[file]:
        name = make.__name__
        block = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        text, count = block.subn(lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text)
        if count != 1:
            sys.exit(f"{file}: {count} blocks named {name!r}, there must be one.")
    return text


def main() -> None:
    """Fill the files and draw their pictures, or say that a file is out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, fail if it would")
    args = parser.parse_args()
    for file in BLOCKS:
        text = filled(file)
        if args.check and text != file.read_text():
            sys.exit(f"{file.relative_to(ROOT)} is out of date: run make readme")
        if not args.check:
            file.write_text(text)
    if not args.check:
        shown = ("recall_direct", "perplexity")
        save(pictures.by_length(study_and_helix(), shown), PICTURE)
        for path, source in PICTURES.items():
            (section,) = sections(load_results([source]), None)
            if section.parts[0].picture:  # there is none of baselines alone
                save(section.parts[0].picture, ROOT / path)


if __name__ == "__main__":
    main()
