# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate`: spread of attention logits, for a calibrated temperature."""

import sys
from typing import List

from jsonargparse import ArgumentParser, Namespace

HELP = "Measure the spread of an encoder's attention logits at its original context, for `helix`."

CALLBACK = "modelgenerator.long_context.callbacks.LogitCalibration"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--config",
        type=List[str],
        required=True,
        help="YAML files of a task with backbone and data, e.g. '[configs/helix_16x.yaml]'; its "
        "model.pe is not used",
    )
    parser.add_argument("--output", required=True, help="JSON file to write")
    parser.add_argument(
        "--window", type=int, required=True, help="original context in nucleotides, e.g. 4000"
    )
    parser.add_argument("--windows", type=int, default=100, help="validation windows to measure")
    parser.add_argument("--fasta", type=List[str], default=[], help="genomes instead of the YAML's")


def run(options: Namespace) -> None:
    """Run `mgen validate` with plain RoPE and write what it measures.

    Raises:
        ValueError: If the file cannot be written, or windows are too few or not of the original
            context.
    """
    from modelgenerator.main import cli_main

    configs = [x for config in options.config for x in ("--config", config)]
    fasta = ["--data.fasta", f"[{', '.join(options.fasta)}]"] if options.fasta else []
    arguments = [
        "validate",
        *configs,
        *fasta,
        *("--model.pe", "rope", "--trainer.logger", "false"),
        *("--data.window", options.window, "--data.lengths", f"[{options.window}]"),
        *("--data.eval_windows", options.windows),
        *("--data.copies_per_window", 0, "--data.copy_share", 0.0),
        *("--trainer.limit_val_batches", "null", "--trainer.devices", 1),
        *("--trainer.callbacks", CALLBACK, "--trainer.callbacks.path", options.output),
        *("--trainer.callbacks.windows", options.windows),
    ]
    before, sys.argv = sys.argv, ["mgen", *map(str, arguments)]
    try:
        cli_main()
    finally:
        sys.argv = before
    print(f"Calibration: {options.output}")
