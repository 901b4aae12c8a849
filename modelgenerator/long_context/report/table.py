# SPDX-License-Identifier: Apache-2.0
"""Results as tables of words: methods x lengths, differences, costs, failures."""

import math
from typing import NamedTuple, Optional

from modelgenerator.long_context.report.load import REGIMES, Results, title
from modelgenerator.long_context.report.summary import (
    COMPARED,
    GROUP,
    best_label,
    difference,
    over_seeds,
)

METRICS = {
    "perplexity": ("natural bases, perplexity", "{:.3f}"),
    "copy_perplexity": ("copied bases, perplexity", "{:.3f}"),
    "recall_direct": ("direct copies, recall", "{:.1%}"),
    "recall_reverse_complement": ("reverse-complement copies, recall", "{:.1%}"),
}
BLOWN_UP = 100.0
PARTIAL = "(k): over k seeds only, the others have failed or not finished."
UNTRAINED = "zero_shot"  # nothing in it depends on a seed
DIFFERENCES = {
    "perplexity": ("natural bases, perplexity", 1.0, "{:+.3f}"),
    "recall": ("copied bases, recall in points", 100.0, "{:+.1f}"),
}


class Table(NamedTuple):
    """Words in rows, with a line below on how to read them."""

    head: list[str]
    rows: list[list[str]]
    note: str = ""

    def markdown(self) -> str:
        """The table in Markdown."""
        cells = [[cell.replace("|", "\\|") for cell in row] for row in (self.head, *self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.head))]
        lines = [
            "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
            for row in cells
        ]
        lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
        return "\n".join(lines + (["", self.note] if self.note else []))


def by_length(results: Results, regime: str) -> Table:
    """Perplexity of masked bases and recall of planted copies: a row a method, a column a length.

    Mean over seeds, with the standard deviation where there are several.

    Args:
        results: Of one test set.
        regime: Which regime of it.
    """
    frame = results.frame()
    frame = frame[frame["regime"] == regime]
    extensions = sorted(results.frame()["extension"].unique())
    means = over_seeds(frame, ["value"], ["metric", *GROUP]).set_index(
        ["metric", "label", "extension"]
    )
    most = int(means["seeds"].max()) if len(means) else 0
    failures = _failures_by_label(results, regime)
    labels = list(dict.fromkeys([*frame["label"], *failures]))
    present = set(frame["metric"]) or set(METRICS)
    rows, partial = [], False
    for metric, (words, form) in METRICS.items():
        if metric not in present:
            continue
        for label in labels:
            cells = []
            for extension in extensions:
                key = (metric, label, extension)
                if key not in means.index:
                    cells.append(", ".join(failures.get(label, ())))
                    continue
                found = means.loc[key]
                fewer = found["seeds"] < most
                partial |= bool(fewer)
                cells.append(_mean(found, form) + (f" ({found['seeds']})" if fewer else ""))
            if any(cells):
                rows.append([words, label, *cells])
    head = ["", "", *(f"{x:g}x" for x in extensions)]
    return Table(head, rows, _seeds_note(most, partial))


def across_regimes(results: Results, metric: str, extensions: list[float]) -> Table:
    """One measure at a few lengths, side by side for every regime: a row a method.

    Args:
        results: Of one test set.
        metric: A key of `METRICS`.
        extensions: Lengths, in multiples of the original context.
    """
    form = METRICS[metric][1]
    frame = results.frame()
    frame = frame[frame["metric"] == metric]
    means = over_seeds(frame, ["value"], GROUP).set_index(["regime", "label", "extension"])
    most = int(means["seeds"].max())
    rows, partial = [], False
    for label in dict.fromkeys(frame["label"]):
        cells = []
        for regime in results.regimes:
            for x in extensions:
                key = (regime, label, x)
                if key not in means.index:
                    cells.append("")
                    continue
                found = means.loc[key]
                fewer = found["seeds"] < most and regime != UNTRAINED
                partial |= bool(fewer)
                cells.append(_mean(found, form) + (f" ({int(found['seeds'])})" if fewer else ""))
        rows.append([label, *cells])
    head = [f"{title(REGIMES, regime)}: {x:g}x" for regime in results.regimes for x in extensions]
    return Table(["", *head], rows, _seeds_note(most, partial))


def markdown_table(results: Results) -> str:
    """Perplexity of masked bases and recall of planted copies, by method and length.

    Args:
        results: From `load_results`, of one test set and regime.
    """
    return by_length(results, results.regimes[0]).markdown()


def in_short(results: Results, baseline: Optional[str]) -> Table:
    """The best method of each regime at the length it was set up for, beside the baseline.

    Args:
        results: Of one test set.
        baseline: Label of the baseline, None if there is none.
    """
    frame = results.frame()
    extensions = set(frame["extension"])
    within = {x for x in extensions if x <= results.factor} if results.factor > 1 else set()
    extension = max(within or extensions)
    frame = frame[frame["extension"] == extension]
    rows, partial = [], False
    for regime in results.regimes:
        for metric, (words, scale, form) in DIFFERENCES.items():
            part = frame[(frame["regime"] == regime) & (frame["metric"] == metric)]
            if part.empty:
                continue
            means = over_seeds(part, ["value"], GROUP)
            most = int(means["seeds"].max())
            best = best_label(means, metric)
            shown = "{:.3f}" if metric == "perplexity" else "{:.1%}"
            by_label = means.set_index("label")
            cells = []
            for label in (best, baseline):
                if label not in by_label.index:
                    cells.append("")
                    continue
                fewer = by_label["seeds"][label] < most
                partial |= bool(fewer)
                seeds = f" ({by_label['seeds'][label]})" if fewer else ""
                cells.append(_mean(by_label.loc[label], shown) + seeds)
            length = int(part["length"].iloc[0])
            gain = (
                ""
                if best == baseline
                else _difference(results, regime, metric, length, best, baseline, scale, form)
            )
            rows.append(
                [
                    title(REGIMES, regime),
                    words.removesuffix(" in points"),
                    best,
                    cells[0],
                    *([cells[1], gain] if baseline else []),
                ]
            )
    head = ["", f"at {extension:g}x", "best", "its value"]
    notes = ["The best one was picked on these very windows, which flatters it a little."]
    if baseline:
        head += [baseline, "difference"]
        notes.append("Differences of recall are in points.")
        notes += _difference_notes(rows, results, [extension])
    notes += [PARTIAL] if partial else []
    return Table(head, rows, " ".join(notes))


def differences(results: Results, regime: str, baseline: Optional[str]) -> Optional[Table]:
    """Each method minus the baseline, and minus the best method, at every length.

    Args:
        results: Of one test set.
        regime: Which regime of it.
        baseline: Label of the baseline, None if there is none.

    Returns:
        None where there is nothing to compare, or results are without segments.
    """
    frame = results.frame()
    frame = frame[(frame["regime"] == regime) & frame["metric"].isin(list(COMPARED))]
    lengths = sorted(frame["length"].unique())
    labels = list(dict.fromkeys(frame["label"]))
    rows = []
    for metric, (words, scale, form) in DIFFERENCES.items():
        part = frame[frame["metric"] == metric]
        means = over_seeds(part, ["value"], GROUP)
        best = {n: best_label(means[means["length"] == n], metric) for n in part["length"].unique()}
        for against in (baseline, "best"):
            for label in labels:
                cells = []
                for length in lengths:
                    other = best.get(length) if against == "best" else against
                    if other is None or (other == label and against != "best"):
                        cells.append("")
                    elif other == label:
                        cells.append("best")
                    else:
                        cells.append(
                            _difference(
                                results, regime, metric, int(length), label, other, scale, form
                            )
                        )
                if any(cell not in ("", "best") for cell in cells):
                    rows.append([words, f"{label} minus {against}", *cells])
    if not rows:
        return None
    original = results.original
    return Table(
        ["", "", *(f"{n / original:g}x" for n in lengths)],
        rows,
        " ".join(_difference_notes(rows, results, [n / original for n in lengths])),
    )


def cost(results: Results) -> Table:
    """What every run took.

    Args:
        results: Of one test set.
    """
    rows = []
    for result in results.finished:
        cell, training = result["cell"], result.get("training", {})
        rows.append(
            [
                title(REGIMES, cell["regime"]),
                cell["label"],
                str(cell["seed"]) if cell["regime"] else "",
                f"{result.get('learned_parameters', 0):,}",
                f"{result['steps']:,}",
                f"{training['tokens'] / 1e6:.1f}" if "tokens" in training else "",
                f"{training['seconds']:.0f}" if "seconds" in training else "",
                f"{training['peak_memory_mib']:,.0f}" if "peak_memory_mib" in training else "",
                f"{result['seconds']:.0f}" if "seconds" in result else "",
                f"{result['peak_memory_mib']:,.0f}" if "peak_memory_mib" in result else "",
                str(result.get("hardware", "")),
            ]
        )
    head = [
        "", "", "seed", "learned parameters", "steps", "million tokens", "training, s",
        "training, MiB", "test, s", "test, MiB", "hardware",
    ]  # fmt: skip
    return Table(head, rows, "Times depend on what else the machine did.")


def failures(results: Results) -> Optional[Table]:
    """What was tried and failed; None if nothing did."""
    rows = []
    for failure in results.failed:
        cell = failure["cell"]
        last = str(failure.get("error", "")).strip().splitlines()
        rows.append(
            [
                title(REGIMES, cell["regime"]),
                cell["label"],
                str(cell["seed"]),
                str(failure.get("reason", "failed")),
                last[-1] if last else "",
            ]
        )
    return Table(["", "", "seed", "what happened", "last line"], rows) if rows else None


def _seeds_note(most: int, partial: bool) -> str:
    notes = [f"Mean ± standard deviation over {most} seeds."] if most > 1 else []
    if partial:
        notes.append(PARTIAL)
    return " ".join(notes)


def _difference_notes(
    rows: list[list[str]], results: Results, extensions: list[float]
) -> list[str]:
    """What brackets and ≈ in rows mean, as far as they occur."""
    notes = []
    if any("[" in cell for row in rows for cell in row):
        notes.append(
            f"Brackets: 95% interval of a paired bootstrap over {_segments(results, extensions)}. "
            "Segments of one window share their context, so it is rather too narrow."
        )
    if any("≈" in cell for row in rows for cell in row):
        notes.append(
            "≈: within seed spread, no larger than the standard deviation over seeds of one of "
            "the two."
        )
    return notes


def _segments(results: Results, extensions: list[float]) -> str:
    """What a bootstrap draws from: "32 segments of 512 nt (32 windows at 1x, 2 at 16x)"."""
    frame = results.frame("segments")
    size = int(frame["length"].min())
    frame = frame[frame["extension"].isin(extensions)].sort_values("length")
    counts = sorted({len(bases) for bases in frame["bases"]})
    ends = [frame.iloc[0], frame.iloc[-1]][: 1 if frame["length"].nunique() == 1 else 2]
    windows = [len(end["bases"]) // (end["length"] // size) for end in ends]
    first, *last = (f"at {end['extension']:g}x" for end in ends)
    plural = "window" if windows[0] == 1 else "windows"
    more = f", {windows[1]} {last[0]}" if last else ""
    numbers = " to ".join(f"{n:,}" for n in dict.fromkeys((counts[0], counts[-1])))
    return f"{numbers} segments of {size:,} nt ({windows[0]:,} {plural} {first}{more})"


def _failures_by_label(results: Results, regime: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for failure in results.failed:
        if failure["cell"]["regime"] == regime:
            reasons = found.setdefault(failure["cell"]["label"], [])
            if failure.get("reason", "failed") not in reasons:
                reasons.append(failure.get("reason", "failed"))
    return found


def _mean(found, form: str) -> str:
    if found["value"] > BLOWN_UP:
        return f">{BLOWN_UP:.0f}"
    mean = form.format(found["value"])
    if math.isnan(found["value_spread"]):
        return mean
    return f"{mean} ± {form.format(found['value_spread'])}"


def _difference(
    results: Results,
    regime: str,
    metric: str,
    length: int,
    one: str,
    other: Optional[str],
    scale: float,
    form: str,
) -> str:
    found = None if other is None else difference(results, regime, metric, length, one, other)
    if found is None:
        return ""
    value, low, high = (x * scale for x in found.interval)
    if abs(value) > BLOWN_UP:
        return f"{'+' if value > 0 else '-'}>{BLOWN_UP:.0f}"
    ends = "" if math.isnan(low) else f" [{form.format(low)}, {form.format(high)}]"
    return form.format(value) + ends + (" ≈" if found.within_spread else "")
