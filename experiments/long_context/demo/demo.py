# SPDX-License-Identifier: Apache-2.0
"""Before, fine-tune, after: YaRN carries a small DNA encoder from 512 to 8,192 nt.

Four runs of `mgen`, each printed as it would be typed, then `mgen-lc report`. A finished run is
not run again; delete the folder to start over.

python experiments/long_context/demo/demo.py [--output FOLDER] [--steps N]
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[3]
WAIT = "(ModelGenerator takes some seconds to import)"


def run(*command: str) -> None:
    """Run a command where the user sees it; stop the demo if it fails."""
    print("\n$ " + shlex.join(command), flush=True)
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if done.returncode:
        sys.exit(f"The demo stopped: the command above failed with {done.returncode}.")


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("runs/demo"))
    parser.add_argument("--steps", type=int, help="fine-tuning steps, instead of tiny.yaml's")
    args = parser.parse_args()
    started = time.perf_counter()
    out = args.output
    quiet = ["--trainer.enable_model_summary", "false"]

    def test(name: str, method: str, *options: str) -> Path:
        result = out / f"{name}.json"
        if not (ROOT / result).exists():
            config = ["--config", f"configs/{method}_16x.yaml", "--config", "configs/tiny.yaml"]
            run("mgen", "test", *config, "--model.results", str(result), *quiet, *options)
        return result

    print(f"Masked bases and planted copies, windows of 512 to 8,192 nt {WAIT}")
    results = [test("rope", "rope"), test("yarn", "yarn")]
    checkpoint = out / "yarn" / "last.ckpt"
    if not (ROOT / checkpoint).exists():
        config = ["--config", "configs/yarn_16x.yaml", "--config", "configs/tiny.yaml"]
        folder = ["--trainer.callbacks.dirpath", str(checkpoint.parent)]
        steps = [] if args.steps is None else ["--trainer.max_steps", str(args.steps)]
        run("mgen", "fit", *config, *folder, *steps, *quiet)
    results.append(test("yarn_tuned", "yarn", "--ckpt_path", str(checkpoint)))
    print()
    run("mgen-lc", "report", *map(str, results), "--output", str(out))
    print(f"\nDone in {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    main()
