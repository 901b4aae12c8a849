# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc list`: the positional methods and their options."""

import inspect
from pathlib import Path
from typing import Optional

from jsonargparse import ArgumentParser, Namespace

HELP = "Show the positional methods that `model.pe` takes, with their options and defaults."


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--plot",
        type=Optional[str],
        help="picture to draw of frequencies and attention factors, for AIDO.DNA-300M at 16x",
    )


def run(options: Namespace) -> None:
    """Print the methods; draw them if asked to.

    Raises:
        ValueError: If the picture cannot be written.
    """
    from modelgenerator.backbones.positional import POSITIONAL

    if options.plot is not None:
        from modelgenerator.long_context.evaluation import check_writable
        from modelgenerator.long_context.report.methods import plot_methods

        check_writable(options.plot, "plot")
        plot_methods(Path(options.plot))

    for name, cls in sorted(POSITIONAL.items()):
        print(f"{name}: {cls.__doc__.strip().splitlines()[0]}")
        _, *parameters = inspect.signature(cls).parameters.values()
        for parameter in parameters:
            default = parameter.default
            print(f"    {parameter.name}" + ("" if default is parameter.empty else f" = {default}"))
    print("\nWhat an option means: mgen fit --model MLM --model.pe.help NAME")
    if options.plot is not None:
        print(f"Picture: {options.plot}")
