# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc study`: every method, regime and seed of a plan, resumable."""

from pathlib import Path
from typing import List, Optional

from jsonargparse import ArgumentParser, Namespace

HELP = "Run a study: methods x regimes x seeds on the same bases and budget; finished cells stay."


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "plan", help="the study's YAML, e.g. experiments/long_context/sweep/tiny.yaml"
    )
    parser.add_argument(
        "--output",
        type=Optional[str],
        help="folder of result files; by default results/SCALE beside the plan",
    )
    parser.add_argument("--work", default="runs/study", help="folder of logs and checkpoints")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument(
        "--only",
        type=Optional[List[str]],
        help="cells whose name holds one of these words, e.g. '[zero_shot/, tuned_16x/yarn]'",
    )
    parser.add_argument(
        "--index", type=Optional[int], help="one cell by its number from 0, for job arrays"
    )
    parser.add_argument(
        "--monitor",
        type=Optional[str],
        help="folder of runs for mgen-lc monitor, where the cells' training is to appear",
    )
    parser.add_argument("--retry_failed", type=bool, default=False, help="run failed cells again")
    parser.add_argument("--list", type=bool, default=False, help="show the cells, run nothing")


def run(options: Namespace) -> None:
    """Run the cells that are not finished.

    Raises:
        ValueError: If the plan is wrong, no cell is chosen, a folder cannot be written, or cells
            failed.
    """
    from modelgenerator.long_context.evaluation.results import check_writable
    from modelgenerator.long_context.study import read_plan, run_study
    from modelgenerator.long_context.study.runner import is_finished

    plan = read_plan(options.plan)
    default = Path(options.plan).parent / "results" / plan.scale
    results = default if options.output is None else Path(options.output)
    cells = list(plan.cells)
    if options.index is not None:
        if not 0 <= options.index < len(cells):
            raise ValueError(f"index: {options.index}; the plan has cells 0 to {len(cells) - 1}.")
        cells = [cells[options.index]]
    if options.only is not None:
        cells = [cell for cell in cells if any(word in cell.name for word in options.only)]
        if not cells:
            raise ValueError(f"only: {options.only} names no cell. See them with --list true.")
    if options.jobs < 1:
        raise ValueError(f"jobs: {options.jobs}; give at least 1.")
    if options.list:
        for number, cell in enumerate(plan.cells):
            if cell in cells:
                done = "finished" if is_finished(cell, results) else "open"
                print(f"{number:4d}  {cell.name:40s} {done}")
        return
    work = Path(options.work) / plan.scale
    check_writable(results / "cell.json", "output")
    check_writable(work / "cell.log", "work")
    monitor = None if options.monitor is None else Path(options.monitor)
    failed = run_study(plan, results, work, options.jobs, cells, options.retry_failed, monitor)
    print(f"Results: {results}\nReport:  mgen-lc report {results}")
    if failed:
        raise ValueError(
            f"{len(failed)} cells failed: {', '.join(cell.name for cell in failed)}. Their logs "
            f"are in {work}; run them again with --retry_failed true."
        )
