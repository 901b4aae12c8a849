# SPDX-License-Identifier: Apache-2.0
"""A long training run beside which memory is watched: does it grow?

python benchmarks/soak.py [--minutes 30]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

HERE = Path(__file__).parent
ROOT = HERE.parent
WINDOW = 512  # short: leaks are counted in steps


def command(folder: Path, minutes: float) -> list[str]:
    """`mgen fit` of the shipped small encoder with the live page's callback, for some minutes."""
    return [
        "fit", "--config", "configs/yarn_16x.yaml", "--config", "configs/tiny.yaml",
        "--trainer.callbacks.dirpath", f"{folder}/weights",
        "--trainer.callbacks.every_n_train_steps", "50",
        "--config", "configs/monitor.yaml",
        "--trainer.callbacks.folder", f"{folder}/runs", "--trainer.callbacks.name", "soak",
        "--data.window", str(WINDOW), "--data.lengths", f"[{WINDOW}]",
        "--data.copies_per_window", "1",
        "--trainer.max_steps", "1000000", "--trainer.max_time", time_limit(minutes),
        "--trainer.logger.save_dir", str(folder),
        "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false",
    ]  # fmt: skip


def time_limit(minutes: float) -> str:
    """DD:HH:MM:SS, as Lightning reads it."""
    left, seconds = divmod(round(60 * minutes), 60)
    return f"{left // 1440:02d}:{left // 60 % 24:02d}:{left % 60:02d}:{seconds:02d}"


def watch(process: subprocess.Popen, every: float) -> list[dict]:
    """Memory of a process (resident set, with its children's) until it ends, and its CPU time."""
    samples, started = [], time.monotonic()
    while process.poll() is None:
        try:
            top = psutil.Process(process.pid)
            family = [top, *top.children(recursive=True)]
            rss = sum(member.memory_info().rss for member in family)
            cpu = sum(top.cpu_times()[:2])
        except psutil.NoSuchProcess:
            break
        seconds = round(time.monotonic() - started, 1)
        sample = {"seconds": seconds, "rss_mib": round(rss / 2**20, 2), "cpu_seconds": cpu}
        if rss:  # none is left of a process that has just ended
            samples.append(sample)
        try:
            process.wait(every)
        except subprocess.TimeoutExpired:
            continue
    return samples


def growth(samples: list[dict], first: float) -> dict:
    """Line of least squares through memory over time, and medians of the first and last quarter.

    Args:
        samples: From `watch`.
        first: Seconds from which on samples count; here the second half of the training. Before it
            the run imports, reads and warms up.
    """
    seconds, rss = np.array(
        [(s["seconds"], s["rss_mib"]) for s in samples if s["seconds"] >= first]
    ).T
    slope, start = np.polyfit(seconds, rss, 1)
    quarter = max(1, len(rss) // 4)
    return {
        "from_seconds": first,
        "samples": len(rss),
        "mib_per_hour": round(3600 * slope, 3),
        "residual_mib": round(float(np.std(rss - start - slope * seconds)), 3),
        "first_quarter_mib": round(float(np.median(rss[:quarter])), 2),
        "last_quarter_mib": round(float(np.median(rss[-quarter:])), 2),
        "highest_mib": round(float(rss.max()), 2),
    }


def last_step(metrics: Path) -> dict:
    """The last line of a run that holds a step's loss."""
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    return next(line for line in reversed(lines) if "train_loss" in line)


def main() -> None:
    """Train, watch, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between samples")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "soak.json")
    args = parser.parse_args()

    from modelgenerator.long_context.evaluation import provenance, write_json

    args.output = args.output.absolute()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        arguments = command(folder, args.minutes)
        log = folder / "log"
        with log.open("w") as out:
            process = subprocess.Popen(
                [Path(sys.executable).with_name("mgen"), *arguments],
                cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "HF_HUB_OFFLINE": "1"},
            )  # fmt: skip
            started = time.monotonic()
            samples = watch(process, args.every)
            seconds = time.monotonic() - started
        if process.returncode:
            sys.exit(f"mgen ended with {process.returncode}:\n{log.read_text()[-3000:]}")
        last = last_step(folder / "runs/soak/metrics.jsonl")
        result = {
            "schema": "soak/1",
            "command": ["mgen", *(text.replace(str(folder), "FOLDER") for text in arguments)],
            "seconds": round(seconds, 1),
            "steps": last["step"],
            "tokens": last["tokens"],
            "nonfinite_losses": last["nonfinite_losses"],
            "growth": growth(samples, seconds - 30 * args.minutes),
            "samples": samples,
            **provenance(),
        }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.output, result)
    print(json.dumps({k: v for k, v in result.items() if k != "samples"}, indent=1))
    print(f"Written: {args.output}")


if __name__ == "__main__":
    main()
