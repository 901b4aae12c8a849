# SPDX-License-Identifier: Apache-2.0
"""Upstream's own unit tests, with the plugin active and switched off.

python benchmarks/upstream_tests.py

They are in upstream's source archive, which pip fetches; the package under test is the installed
one.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Optional

HERE = Path(__file__).parent


def fetch(folder: Path) -> Optional[Path]:
    """The folder of upstream's tests, of the version that is installed; None without a network."""
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--dest", folder,
            f"modelgenerator=={version('modelgenerator')}",
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    archives = list(folder.glob("*.tar.gz"))
    if not archives:
        print(done.stderr, file=sys.stderr)
        return None
    with tarfile.open(archives[0]) as archive:
        for member in archive:
            inside = member.name.partition("/")[2]
            if inside.startswith("tests/") and ".." not in inside and member.isfile():
                path = folder / "source" / inside
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
    return folder / "source"


def outcomes(folder: Path, disable: str) -> dict[str, str]:
    """Outcome of every test: passed, failed, error or skipped."""
    report = folder / f"report-{disable}.xml"
    subprocess.run(
        [
            sys.executable, "-m", "pytest", "tests", "-q", "--import-mode=importlib",
            "-p", "no:cacheprovider", f"--junitxml={report}",
        ],
        cwd=folder, env={**os.environ, "MGEN_LC_DISABLE": disable, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
    )  # fmt: skip
    return read_report(report)


def read_report(path: Path) -> dict[str, str]:
    """Outcome of every test of a JUnit report."""
    found = {}
    for case in ElementTree.parse(path).iter("testcase"):
        kinds = [x.tag for x in case if x.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}::{case.get('name')}"] = kinds[0] if kinds else "passed"
    return found


def compared(active: dict[str, str], off: dict[str, str]) -> dict:
    """Counts of both, and which tests differ or did not pass."""
    return {
        "schema": "upstream_tests/1",
        "active": Counter(active.values()),
        "off": Counter(off.values()),
        "differ": sorted(name for name in {**active, **off} if active.get(name) != off.get(name)),
        "not_passed": sorted(name for name, outcome in active.items() if outcome != "passed"),
    }


def main() -> None:
    """Run both, compare, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=HERE / "results" / "upstream_tests.json")
    args = parser.parse_args()

    from modelgenerator.long_context.evaluation import provenance, write_json

    with tempfile.TemporaryDirectory() as folder:
        tests = fetch(Path(folder))
        if tests is None:
            sys.exit("Upstream's source archive cannot be fetched.")
        active, off = outcomes(tests, "0"), outcomes(tests, "1")
    result = {**compared(active, off), **provenance()}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.output, result)
    print(f"active: {dict(result['active'])}\noff:    {dict(result['off'])}")
    print(f"differ: {result['differ'] or 'none'}\nWritten: {args.output}")


if __name__ == "__main__":
    main()
