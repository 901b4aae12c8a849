# SPDX-License-Identifier: Apache-2.0
"""How long a newcomer waits: clone, `make setup`, `make demo`, each timed, in a fresh folder.

python3 benchmarks/first_result.py

Needs what the README says and nothing of the project: run it with the system's Python.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROVENANCE = (
    "import json; from modelgenerator.long_context.evaluation import provenance as p; "
    "print(json.dumps(p()))"
)


def timed(*command: str, folder: Path) -> float:
    """Seconds a command takes."""
    start = time.monotonic()
    subprocess.run(command, cwd=folder, check=True)
    return time.monotonic() - start


def main() -> None:
    """Time the three steps, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    output = ROOT / "benchmarks/results/first_result.json"
    parser.add_argument("--output", type=Path, default=output)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        seconds = {
            "clone": timed("git", "clone", "--quiet", str(ROOT), str(clone), folder=Path(folder)),
            "setup": timed("make", "setup", folder=clone),
            "demo": timed("make", "demo", folder=clone),
        }
        made = subprocess.run(
            [clone / ".venv/bin/python", "-c", PROVENANCE],
            cwd=clone, check=True, capture_output=True, text=True,
        )  # fmt: skip
        installed = sum(f.lstat().st_size for f in (clone / ".venv").rglob("*")) / 2**30
    result = {
        "seconds": seconds,
        "installed_gib": installed,
        "compiler": any(map(shutil.which, ("cc", "gcc", "clang"))),
        **json.loads(made.stdout.splitlines()[-1]),
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
