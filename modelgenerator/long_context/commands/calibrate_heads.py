# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate-heads`: an exponent of sharpness for each head of each layer."""

from typing import List

from jsonargparse import ArgumentParser, Namespace

from modelgenerator.long_context.commands.calibrate import task_arguments
from modelgenerator.long_context.in_process import run_mgen

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
    schedule = "modelgenerator.lr_schedulers.CosineWithWarmup"
    run_mgen(
        "fit",
        *task_arguments(options),
        *("--model.pe.kappa", "per_layer", "--model.pe.temperature", "none"),
        *("--model.pe.random_scale", "false"),
        *("--model.optimizer.init_args.lr", options.lr),
        *("--model.lr_scheduler", schedule, "--model.lr_scheduler.num_warmup_steps", 2),
        *("--data.batch_size", 1, "--data.copy_share", 1.0),
        *("--trainer.max_steps", options.steps, "--trainer.accumulate_grad_batches", 4),
        *("--trainer.limit_val_batches", 0, "--trainer.val_check_interval", "null"),
        *("--trainer.enable_checkpointing", "false"),  # the file is all that is wanted
        *("--trainer.callbacks", CALLBACK, "--trainer.callbacks.path", options.output),
    )
    print(f"Calibration: {options.output}")
