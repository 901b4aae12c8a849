# SPDX-License-Identifier: Apache-2.0
"""Upstream's own command line, run in this process."""

import os
import sys
from pathlib import Path


def run_mgen(*arguments: object) -> None:
    """Run `mgen` with these arguments; argv and environment are then as they were before.

    Args:
        arguments: Subcommand and options, each as it would stand on the command line.
    """
    import torch.distributed as dist

    from modelgenerator.main import cli_main

    # With several devices Lightning starts the other ranks as this very command.
    command = str(Path(sys.executable).with_name("mgen"))
    argv, environment = sys.argv, dict(os.environ)
    sys.argv = [command, *map(str, arguments)]
    try:
        cli_main()
    finally:
        # The next command starts ranks of its own: nothing may say that this one's are still there.
        if dist.is_initialized():
            dist.destroy_process_group()
        sys.argv = argv
        os.environ.clear()
        os.environ.update(environment)
