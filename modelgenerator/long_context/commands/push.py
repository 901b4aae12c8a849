# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc push`: send runs to a live page on another machine."""

import os
import time
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

HELP = "Send the runs of a folder to a live page on another machine, as they grow."
EVERY_SECONDS = 2.0
LONGEST_PAUSE = 60.0


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("address", help="of the page, such as https://runs.example.org")
    parser.add_argument("--runs", default="runs", help="folder of runs")


def run(options: Namespace) -> None:
    """Send until stopped; a page that cannot be reached is tried again, more and more seldom.

    Raises:
        ValueError: If there is no token, the page refuses it or takes no runs, or the address is
            none or would have the token sent unencrypted.
    """
    import requests

    from modelgenerator.long_context.monitor.send import Sender
    from modelgenerator.long_context.monitor.server import TOKEN

    token = os.environ.get(TOKEN)
    if not token:
        raise ValueError(f"Set {TOKEN} to the token that the page was given.")
    sender = Sender(Path(options.runs), options.address, token)
    pause, told = EVERY_SECONDS, {}
    while True:
        try:
            sender.send()
            pause = EVERY_SECONDS
        except requests.RequestException as error:
            pause = min(LONGEST_PAUSE, 2 * pause)
            print(f"{error}; trying again in {pause:g} s", flush=True)
        for name, reason in sender.refused.items():
            if told.get(name) != reason:
                print(f"{name} was not taken: {reason}", flush=True)
        told = dict(sender.refused)
        time.sleep(pause)
