# SPDX-License-Identifier: Apache-2.0
"""Time and memory of the encoder, upstream's and ours side by side in one run.

Each cell runs in a process of its own, so that its peak memory is its own. A cell that needs more
than the limit stays in the table as such.

python benchmarks/encoder.py [--lengths 1024 2048 4096] [--memory-limit GIB]
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

LAYERS, WIDTH, HEADS = 4, 256, 8
HERE = Path(__file__).parent


def cell(encoder: str, mode: str, length: int, repeats: int) -> dict:
    """Best time of some repeats in seconds, and peak memory above that of the idle model in MiB."""
    import torch

    from modelgenerator.backbones.positional import yarn
    from modelgenerator.long_context.backbones import aido_dna_tiny
    from modelgenerator.tasks import Embed

    shape = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    backbone = partial(aido_dna_tiny, from_scratch=True, config_overwrites=shape)
    pe = partial(yarn, factor=16.0, original_max_position_embeddings=512)
    task = Embed(backbone, pe=pe if encoder == "ours" else None)
    task.configure_model()
    ids = torch.randint(5, 9, (1, length))
    mask = torch.ones_like(ids)

    def step() -> None:
        with torch.set_grad_enabled(mode == "forward+backward"):
            loss = task.backbone(input_ids=ids, attention_mask=mask).last_hidden_state.sum()
        if mode == "forward+backward":
            loss.backward()
            task.zero_grad()

    idle = peak_mib()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return {"seconds": min(times), "peak_mib": peak_mib() - idle}


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_cell(encoder: str, mode: str, length: int, repeats: int, limit_gib: float) -> dict:
    """Run `cell` in a process that may use at most so much memory."""
    limit = int(limit_gib * 2**30)
    command = [sys.executable, __file__, "--cell", encoder, mode, str(length), str(repeats)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    row = {"encoder": encoder, "mode": mode, "length": length}
    if done.returncode:
        memory = "alloc" in done.stderr or done.returncode == -9
        return {**row, "failed": "out of memory" if memory else done.stderr.strip()[-300:]}
    return {**row, **json.loads(done.stdout.splitlines()[-1])}


def table(rows: list[dict]) -> str:
    """One line for each mode and length, with the ratios."""
    lines = [
        "| mode | length | upstream | ours | faster | upstream MiB | ours MiB | smaller |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for mode, length in dict.fromkeys((row["mode"], row["length"]) for row in rows):
        pair = {r["encoder"]: r for r in rows if (r["mode"], r["length"]) == (mode, length)}
        cells = []
        for key, form in (("seconds", "{:.2f} s"), ("peak_mib", "{:.0f}")):
            values = [pair.get(e, {}).get(key) for e in ("upstream", "ours")]
            cells += [
                form.format(v) if v else pair.get(e, {}).get("failed", "")
                for v, e in zip(values, ("upstream", "ours"), strict=True)
            ]
            cells.append(f"{values[0] / values[1]:.1f}" if all(values) else "")
        lines.append(f"| {mode} | {length:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048, 4096, 8192])
    parser.add_argument("--long", type=int, nargs="*", default=[16384, 65536], help="ours only")
    parser.add_argument("--memory-limit", type=float, default=20.0, help="GiB a cell may use")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "encoder.json")
    parser.add_argument("--cell", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cell:
        encoder, mode, length, repeats = args.cell
        print(json.dumps(cell(encoder, mode, int(length), int(repeats))))
        return
    cells = [
        (encoder, mode, length)
        for mode in ("forward", "forward+backward")
        for length in args.lengths
        for encoder in ("upstream", "ours")
    ] + [("ours", "forward", length) for length in args.long]
    rows = []
    for number, (encoder, mode, length) in enumerate(cells, 1):
        print(f"\r{number}/{len(cells)} {encoder} {mode} {length:,}   ", end="", file=sys.stderr)
        repeats = 3 if length <= 4096 else 1
        rows.append(run_cell(encoder, mode, length, repeats, args.memory_limit))
    print(file=sys.stderr)

    from modelgenerator.long_context.evaluation import provenance, write_json

    shape = {"layers": LAYERS, "width": WIDTH, "heads": HEADS, "batch": 1, "dtype": "float32"}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.output, {"shape": shape, "rows": rows, **provenance()})
    print(f"{LAYERS} layers x {WIDTH}, {HEADS} heads, one sequence, float32\n\n{table(rows)}")
    print(f"\nWritten: {args.output}")


if __name__ == "__main__":
    main()
