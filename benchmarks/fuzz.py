# SPDX-License-Identifier: Apache-2.0
"""The random tests of tests/reliability with thousands of examples each.

python benchmarks/fuzz.py [--examples 10000]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).parent
TESTS = ("test_random_settings.py", "test_damaged_files.py")


def main() -> None:
    """Run them, write outcome and minutes of each test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000, help="of each test")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "fuzz.json")
    args = parser.parse_args()

    from modelgenerator.long_context.evaluation import provenance, write_json

    root = HERE.parent
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"]
        done = subprocess.run(
            [*command, *(f"tests/reliability/{name}" for name in TESTS)],
            cwd=root,
            env={**os.environ, "MGEN_LC_FUZZ": str(args.examples)},
        )
        cases = list(ElementTree.parse(report).iter("testcase"))
    tests = [
        {
            "test": f"{case.get('classname').rsplit('.', 1)[-1]}::{case.get('name')}",
            "passed": not any(x.tag in ("failure", "error", "skipped") for x in case),
            "minutes": float(case.get("time")) / 60,
        }
        for case in cases
    ]
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.output, {"examples": args.examples, "tests": tests, **provenance()})
    print(f"Written: {args.output}")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
