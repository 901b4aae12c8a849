# SPDX-License-Identifier: Apache-2.0
"""Time and memory of the encoder beside upstream's and beside the floor, in one run on the CPU.

Each cell runs in a process of its own, so that its peak memory is its own. A cell that needs more
than the limit stays in the table as such.

python benchmarks/encoder.py [--memory-limit GIB] [--quick]
"""

import argparse
import json
import math
import multiprocessing
import resource
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ENCODERS = ("upstream", "ours", "floor")
OURS = ENCODERS[1:]
MODES = ("forward", "forward+backward")
SECONDS = 4.0  # a cell is repeated until it has taken as long
# (shape, mode, lengths, encoders): ten minutes on two cores. The last shape and mode
# are those whose growth is told.
PLAN = [
    ("tiny", "forward", (1024, 2048, 4096, 8192), ENCODERS),
    ("tiny", "forward+backward", (1024, 2048, 4096, 8192), ENCODERS),
    ("tiny_layer", "forward+backward", (8192,), ENCODERS),
    ("tiny_layer", "forward+backward", (16384,), OURS),
    ("300m_layer", "forward", (4096, 8192, 16384), OURS),
    ("300m_layer", "forward+backward", (4096, 8192, 16384), OURS),
    ("7b_layer", "forward+backward", (512,), OURS),
    ("tiny_layer", "forward", (8192, 16384), OURS),
    ("tiny_layer", "forward", (65536,), ("ours",)),
]
QUICK = [
    ("tiny_layer", mode, (128, 256), encoders)
    for mode, encoders in (("forward", ENCODERS), ("forward+backward", ENCODERS))
]


def cell(encoder: str, shape: str, mode: str, length: int, limit_gib: float) -> dict:
    """Best time of at most five in seconds, and peak memory above that of the idle model in MiB."""
    import torch
    from steps import SHAPES, step_of

    limit = int(limit_gib * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    step = step_of(encoder, SHAPES[shape], length, mode, "cpu", torch.float32)
    idle, times = peak_mib(), []
    while len(times) < 5 and sum(times) < SECONDS:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return {"seconds": min(times), "peak_mib": peak_mib() - idle}


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _send_cell(pipe, *arguments) -> None:
    try:
        pipe.send(cell(*arguments))
    except (RuntimeError, MemoryError) as error:
        memory = isinstance(error, MemoryError) or "alloc" in str(error)
        pipe.send({"failed": "out of memory" if memory else str(error)[-300:]})


def run_cell(encoder: str, shape: str, mode: str, length: int, limit_gib: float) -> dict:
    """Run `cell` in a process forked from this one, which has imported all that it needs."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    arguments = (sender, encoder, shape, mode, length, limit_gib)
    process = fork.Process(target=_send_cell, args=arguments)
    process.start()
    sender.close()
    try:
        found = receiver.recv()
    except EOFError:  # killed
        found = {"failed": "out of memory"}
    process.join()
    return {"encoder": encoder, "shape": shape, "mode": mode, "length": length, **found}


def table(rows: list[dict]) -> str:
    """One line for each shape, mode and length, with the ratios."""
    lines = [
        "| encoder | mode | length | upstream | ours | floor | upstream / ours | ours / floor "
        "| upstream MiB | ours MiB | smaller |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for key in dict.fromkeys((row["shape"], row["mode"], row["length"]) for row in rows):
        found = {r["encoder"]: r for r in rows if (r["shape"], r["mode"], r["length"]) == key}

        def shown(encoder: str, value: str, form: str, found: dict = found) -> str:
            row = found.get(encoder, {})
            return form.format(row[value]) if value in row else row.get("failed", "")

        cells = [key[0], key[1], f"{key[2]:,}"]
        cells += [shown(encoder, "seconds", "{:.2f} s") for encoder in ENCODERS]
        cells += [ratio(found, "seconds", "upstream", "ours", ".1f")]
        cells += [ratio(found, "seconds", "ours", "floor", ".2f")]
        cells += [shown(encoder, "peak_mib", "{:.0f}") for encoder in ("upstream", "ours")]
        cells += [ratio(found, "peak_mib", "upstream", "ours", ".1f")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratio(found: dict, value: str, above: str, below: str, form: str) -> str:
    """A ratio of two encoders' values, empty where one is missing."""
    pair = [found.get(encoder, {}).get(value) for encoder in (above, below)]
    return format(pair[0] / pair[1], form) if all(pair) else ""


def growth(rows: list[dict], value: str) -> float:
    """Exponent of our growth with length, over the rows of the last shape and mode."""
    kind = ("ours", rows[-1]["shape"], rows[-1]["mode"])
    last = [r for r in rows if (r["encoder"], r["shape"], r["mode"]) == kind]
    first, last = last[0], last[-1]
    return math.log(last[value] / first[value]) / math.log(last["length"] / first["length"])


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memory-limit", type=float, default=20.0, help="GiB a cell may use")
    parser.add_argument("--quick", action="store_true", help="very short, to see that it runs")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "encoder.json")
    args = parser.parse_args()

    import modelgenerator.tasks  # noqa: F401  (once, for all forked cells)
    from modelgenerator.long_context.evaluation import provenance, write_json

    cells = [
        (encoder, shape, mode, length)
        for shape, mode, lengths, encoders in (QUICK if args.quick else PLAN)
        for length in lengths
        for encoder in encoders
    ]
    started, rows = time.perf_counter(), []
    args.output.parent.mkdir(parents=True, exist_ok=True)
    for number, (encoder, shape, mode, length) in enumerate(cells, 1):
        print(f"{number}/{len(cells)} {encoder} {shape} {mode} {length:,}", file=sys.stderr)
        rows.append(run_cell(encoder, shape, mode, length, args.memory_limit))
        result = {"dtype": "float32", "batch": 1, "rows": rows}
        write_json(args.output, {**result, **provenance()})
    result["growth"] = {value: growth(rows, value) for value in ("seconds", "peak_mib")}
    result["minutes"] = (time.perf_counter() - started) / 60
    write_json(args.output, {**result, **provenance()})
    print(f"One sequence, float32\n\n{table(rows)}\n")
    print("Growth with length, exponents:", json.dumps(result["growth"]))
    print(f"{result['minutes']:.1f} minutes. Written: {args.output}")


if __name__ == "__main__":
    main()
