# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate-heads`: an exponent of sharpness for each head of each layer."""

import sys
from typing import List

from jsonargparse import ArgumentParser, Namespace

HELP = "Find how much each attention head should sharpen with the length, for `helix`."

CALLBACK = "modelgenerator.long_context.callbacks.HeadCalibration"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--config",
        type=List[str],
        required=True,
        help="YAML files of a task with helix, backbone and data, e.g. '[configs/helix_16x.yaml]'; "
        "training windows get the copies that test windows have",
    )
    parser.add_argument("--output", required=True, help="JSON file to write, for kappa_start")
    parser.add_argument(
        "--window", type=int, required=True, help="extended context in nucleotides, e.g. 64000"
    )
    parser.add_argument("--steps", type=int, default=16, help="steps, of 4 windows each")
    parser.add_argument("--lr", type=float, default=0.05, help="largest learning rate")
    parser.add_argument("--fasta", type=List[str], default=[], help="genomes instead of the YAML's")


def run(options: Namespace) -> None:
    """Run `mgen fit` with nothing but kappa to train, and write what it finds.

    Raises:
        ValueError: If the file cannot be written, or the configs are not of helix.
    """
    from modelgenerator.main import cli_main

    configs = [x for config in options.config for x in ("--config", config)]
    fasta = ["--data.fasta", f"[{', '.join(options.fasta)}]"] if options.fasta else []
    schedule = "modelgenerator.lr_schedulers.CosineWithWarmup"
    arguments = [
        "fit",
        *configs,
        *fasta,
        *("--model.pe.kappa", "per_layer", "--model.pe.temperature", "none"),
        *("--model.pe.random_scale", "false"),
        *("--model.optimizer.init_args.lr", options.lr),
        *("--model.lr_scheduler", schedule, "--model.lr_scheduler.num_warmup_steps", 2),
        *("--data.window", options.window, "--data.lengths", f"[{options.window}]"),
        *("--data.batch_size", 1, "--data.copy_share", 1.0),
        *("--trainer.max_steps", options.steps, "--trainer.accumulate_grad_batches", 4),
        *("--trainer.limit_val_batches", 0, "--trainer.val_check_interval", "null"),
        *("--trainer.devices", 1, "--trainer.logger", "false"),
        *("--trainer.callbacks", CALLBACK, "--trainer.callbacks.path", options.output),
    ]
    before, sys.argv = sys.argv, ["mgen", *map(str, arguments)]
    try:
        cli_main()
    finally:
        sys.argv = before
    print(f"Calibration: {options.output}")
