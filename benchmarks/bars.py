# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks were to reach, and what they reached, from their committed results.

python benchmarks/bars.py
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
LONG = (4096, 8192, 16384)


def bars(encoder: dict, training: dict) -> list[tuple[str, str, float]]:
    """What is measured, the bar in words (empty where there is none), and the figure."""
    rows = {(r["encoder"], r["shape"], r["mode"], r["length"]): r for r in encoder["rows"]}

    def ratio(above: str, below: str, value: str, shape: str, mode: str, length: int) -> float:
        return rows[above, shape, mode, length][value] / rows[below, shape, mode, length][value]

    floor = max(
        ratio("ours", "floor", "seconds", *key[1:])
        for key in rows
        if key[0] == "floor" and key[1] != "7b_layer" and key[3] in LONG
    )
    found = [("slowest of ours / floor, 4,096 to 16,384 tokens", "at most 1.15", floor)]
    for length, time, memory in ((4096, 6, 6), (8192, 10, 12)):
        key = ("tiny", "forward+backward", length)
        where = f"forward and backward, {length:,} tokens"
        found += [
            (
                f"upstream / ours, time, {where}",
                f"at least {time}",
                ratio("upstream", "ours", "seconds", *key),
            ),
            (
                f"upstream / floor, time, {where}: the most there is to win",
                "",
                ratio("upstream", "floor", "seconds", *key),
            ),
            (
                f"upstream / ours, memory, {where}",
                f"at least {memory}",
                ratio("upstream", "ours", "peak_mib", *key),
            ),
        ]
    found += [
        (
            "growth of memory, 8,192 to 65,536 tokens, exponent",
            "at most 1.05",
            encoder["growth"]["peak_mib"],
        ),
        (
            "read, tokenise and mask a window of 64,000 nt, ms",
            "at most 3",
            next(r["milliseconds"] for r in training["data"] if r["length"] == 64000),
        ),
        (
            "most of a step of `mgen fit` outside the model, 4,096 and 8,192 nt, %",
            "at most 5",
            100 * max(r["outside_the_model"] for r in training["fit"]),
        ),
        (
            "HELIX / YaRN, a training step, slower of 1,024 and 4,096 tokens",
            "at most 1.03",
            max(r["ratio_to_yarn"] for r in training["steps"] if "helix" in r["method"]),
        ),
    ]
    return found


def met(bar: str, figure: float) -> str:
    """Whether a figure reaches its bar, in a word."""
    if not bar:
        return ""
    side, value = bar.rsplit(" ", 1)
    return "yes" if (figure <= float(value)) == (side == "at most") else "**no**"


def table(encoder: dict, training: dict) -> str:
    """Bars and figures as a Markdown table."""
    lines = ["| | bar | measured | met |", "|---|---|---|---|"]
    for what, bar, figure in bars(encoder, training):
        lines.append(f"| {what} | {bar} | {figure:.3g} | {met(bar, figure)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    names = ("encoder", "training")
    print(table(*(json.loads((HERE / f"results/{name}.json").read_text()) for name in names)))


if __name__ == "__main__":
    main()
