# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc`: what is not a Lightning run. Training, testing and prediction are `mgen`'s."""

import sys
from importlib import import_module

from modelgenerator.long_context.commands import COMMANDS


def main() -> None:
    """Entry point of the console script."""
    from jsonargparse import ArgumentParser

    commands = {name: import_module(module) for name, module in COMMANDS.items()}
    parser = ArgumentParser(prog="mgen-lc", description=__doc__)
    subcommands = parser.add_subcommands(dest="command")
    for name, command in commands.items():
        subparser = ArgumentParser(description=command.HELP)
        command.add_arguments(subparser)
        subcommands.add_subcommand(name, subparser, help=command.HELP)

    given = parser.parse_args()
    try:
        commands[given.command].run(given[given.command])
    except ValueError as error:
        sys.exit(f"mgen-lc: {error}")
