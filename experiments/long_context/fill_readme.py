# SPDX-License-Identifier: Apache-2.0
"""Write the numbers of README.md from committed result files.

python experiments/long_context/fill_readme.py [--check]
"""

import argparse
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Callable

from modelgenerator.long_context.report import load_results, markdown_table, plot_by_length

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
RUNS = ("rope", "yarn", "yarn_tuned")
DEMO = [ROOT / f"experiments/long_context/demo/results/{name}.json" for name in RUNS]
BENCHMARK = ROOT / "benchmarks/results/encoder.json"


def demo() -> str:
    """The table of the demo, and what it was made with."""
    first = json.loads(DEMO[0].read_text())
    return f"{markdown_table(load_results(DEMO))}\n\n{made_with(first)}"


def benchmark() -> str:
    """The table of the encoder's benchmark, and what it was made with."""
    spec = importlib.util.spec_from_file_location("encoder", ROOT / "benchmarks/encoder.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = json.loads(BENCHMARK.read_text())
    return f"{module.table(result['rows'])}\n\n{made_with(result)}"


def made_with(result: dict) -> str:
    """Hardware, versions and commit of a result, in a line."""
    versions = result["versions"]
    made = f"{result['hardware']}, torch {versions['torch']}"
    return f"Measured on {made}, at commit {result['commit']}."


BLOCKS: dict[str, Callable[[], str]] = {"demo": demo, "benchmark": benchmark}


def filled(text: str) -> str:
    """The text with every block written anew."""
    for name, make in BLOCKS.items():
        block = re.compile(rf"(<!-- begin: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        text, count = block.subn(lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text)
        if count != 1:
            sys.exit(f"{README}: {count} blocks named {name!r}, there must be one.")
    return text


def main() -> None:
    """Fill README.md and draw its picture, or say that they are out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, fail if it would")
    args = parser.parse_args()
    text = README.read_text()
    new = filled(text)
    if args.check:
        sys.exit("README.md is out of date: run make readme" if new != text else 0)
    README.write_text(new)
    plot_by_length(load_results(DEMO), ROOT / "docs/img/by_length.png")


if __name__ == "__main__":
    main()
