# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate-heads`: an exponent of sharpness for each head of each layer."""

from typing import List

from jsonargparse import ArgumentParser, Namespace

from modelgenerator.long_context.commands.calibrate import task_arguments
from modelgenerator.long_context.in_process import run_mgen

HELP = "Find how much each attention head should sharpen with the length, for `helix`."

CALLBACKS = "modelgenerator.long_context.callbacks"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--config",
        type=List[str],
        required=True,
        help="YAML files of a task with helix, backbone and data, e.g. '[configs/helix_16x.yaml]'",
    )
    parser.add_argument("--output", required=True, help="JSON file to write, for kappa_start")
    parser.add_argument(
        "--window", type=int, required=True, help="extended context in nucleotides, e.g. 64000"
    )
    parser.add_argument(
        "--spacing", type=int, default=340, help="nucleotides for each copy that is planted"
    )
    parser.add_argument("--steps", type=int, default=16, help="steps, of 4 windows each")
    parser.add_argument("--lr", type=float, default=0.1, help="largest learning rate")
    parser.add_argument("--fasta", type=List[str], default=[], help="genomes instead of the YAML's")


def run(options: Namespace) -> None:
    """Run `mgen fit` with nothing but kappa to train, and write what it finds.

    Raises:
        ValueError: If the file cannot be written, if no copy would be planted, if the window is not
            beyond the original context, or if the configs are not of helix.
    """
    if not 1 <= options.spacing <= options.window:
        raise ValueError(
            f"--spacing {options.spacing} is not allowed: give 1 to {options.window}, the window."
        )
    schedule = "modelgenerator.lr_schedulers.CosineWithWarmup"
    run_mgen(
        "fit",
        *task_arguments(options),
        *("--model.pe.kappa", "per_layer", "--model.pe.temperature", "none"),
        *("--model.pe.random_scale", "false"),
        *("--model.optimizer.init_args.lr", options.lr),
        *("--model.lr_scheduler", schedule, "--model.lr_scheduler.num_warmup_steps", 2),
        *("--data.batch_size", 1, "--data.copy_share", 1.0),
        *("--data.copies_per_window", options.window // options.spacing),
        *("--trainer.max_steps", options.steps, "--trainer.accumulate_grad_batches", 4),
        *("--trainer.limit_val_batches", 0, "--trainer.val_check_interval", "null"),
        *("--trainer.enable_checkpointing", "false"),  # the file is all that is wanted
        # The gradient of kappa goes through every layer, at the whole extended context.
        *("--trainer.callbacks", f"{CALLBACKS}.GradientCheckpointing"),
        *("--trainer.callbacks+", f"{CALLBACKS}.HeadCalibration"),
        *("--trainer.callbacks.path", options.output),
    )
    print(f"Calibration: {options.output}")
