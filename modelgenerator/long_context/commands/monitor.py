# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc monitor`: the live training page."""

from pathlib import Path
from typing import Optional

from jsonargparse import ArgumentParser, Namespace

HELP = "Serve the live page of the runs in a folder."


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("runs", nargs="?", default="runs", help="folder of runs")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=8501, help="port to listen at")
    parser.add_argument(
        "--password_file",
        type=Optional[str],
        help="file with the hash of the password, from `mgen-lc password`; else the environment "
        "variable MGEN_LC_MONITOR_PASSWORD is looked at",
    )
    parser.add_argument(
        "--server_address",
        type=Optional[str],
        help="public name of the page where a proxy stands before it, e.g. runs.example.org",
    )
    parser.add_argument(
        "--private", type=bool, default=False, help="show nothing to those who did not sign in"
    )


def run(options: Namespace) -> None:
    """Serve until stopped.

    Raises:
        ValueError: If the page cannot be served; see `modelgenerator.long_context.monitor.server`.
    """
    from modelgenerator.long_context.monitor.server import serve

    serve(
        Path(options.runs),
        options.host,
        options.port,
        options.password_file,
        options.server_address,
        options.private,
    )
