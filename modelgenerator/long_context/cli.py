# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc`: what is not a Lightning run. Training, testing and prediction are `mgen`'s."""

import sys
from typing import List, Optional


def list_methods(plot: Optional[str] = None) -> None:
    """Show the positional methods that `model.pe` takes, with their options and defaults.

    Args:
        plot: Picture to draw of every method's frequencies and attention factor, for AIDO.DNA-300M.
    """
    import inspect
    from pathlib import Path

    from modelgenerator.backbones.positional import POSITIONAL

    if plot is not None:
        from modelgenerator.long_context.evaluation import check_writable
        from modelgenerator.long_context.report.methods import plot_methods

        check_writable(plot, "plot")
        plot_methods(Path(plot))

    for name, cls in sorted(POSITIONAL.items()):
        print(f"{name}: {cls.__doc__.strip().splitlines()[0]}")
        _, *options = inspect.signature(cls).parameters.values()
        for option in options:
            default = "" if option.default is inspect.Parameter.empty else f" = {option.default}"
            print(f"    {option.name}{default}")
    print("\nWhat an option means: mgen fit --model MLM --model.pe.help NAME")
    if plot is not None:
        print(f"Picture: {plot}")


def report(results: List[str], output: str = "report") -> None:
    """Turn result files of test runs into a table and a picture.

    Args:
        results: JSON files written by `mgen test --model.results FILE`.
        output: Folder for table.md and by_length.png.
    """
    from pathlib import Path

    from modelgenerator.long_context.evaluation import check_writable
    from modelgenerator.long_context.report import load_results, markdown_table, plot_by_length

    folder = Path(output)
    check_writable(folder / "table.md", "output")
    frame = load_results(results)
    table = markdown_table(frame)
    (folder / "table.md").write_text(table + "\n")
    plot_by_length(frame, folder / "by_length.png")
    print(table)
    print(f"\nTable:   {folder / 'table.md'}\nPicture: {folder / 'by_length.png'}")


def main() -> None:
    """Entry point of the console script."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(prog="mgen-lc", description=__doc__)
    commands = parser.add_subcommands(dest="command")

    listing = ArgumentParser(description=list_methods.__doc__.splitlines()[0])
    listing.add_argument(
        "--plot",
        type=Optional[str],
        help="picture to draw of frequencies and attention factors, for AIDO.DNA-300M at 16x",
    )
    commands.add_subcommand("list", listing, help=listing.description)

    reporting = ArgumentParser(description=report.__doc__.splitlines()[0])
    reporting.add_argument("results", nargs="+", help="files from mgen test --model.results FILE")
    reporting.add_argument(
        "--output", default="report", help="folder for table.md and by_length.png"
    )
    commands.add_subcommand("report", reporting, help=reporting.description)

    given = parser.parse_args()
    try:
        if given.command == "list":
            list_methods(given.list.plot)
        else:
            report(given.report.results, given.report.output)
    except ValueError as error:
        sys.exit(f"mgen-lc: {error}")
