# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc`: what is not a Lightning run. Training, testing and prediction are `mgen`'s."""

import errno
import sys
from importlib import import_module

from modelgenerator.long_context.commands import COMMANDS

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


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
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        where = f": {error.filename}" if error.filename else ""
        sys.exit(
            f"mgen-lc: writing failed ({error.strerror}{where}). Make room, or give another folder."
        )
    except KeyboardInterrupt:
        sys.exit("mgen-lc: interrupted.")
