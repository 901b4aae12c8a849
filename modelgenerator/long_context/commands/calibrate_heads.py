# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate-heads`: exponents of sharpness for each head of each layer."""

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import List

from jsonargparse import ArgumentParser, Namespace

from modelgenerator.long_context.commands.calibrate import task_arguments
from modelgenerator.long_context.evaluation.results import check_writable, write_json
from modelgenerator.long_context.in_process import run_mgen

HELP = "Find how much each attention head should sharpen with the length, for `helix`."

CALLBACK = "modelgenerator.long_context.callbacks.HeadCalibration"


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
        "--window",
        type=List[int],
        required=True,
        help="extended context in nucleotides, '[64000]', or a shorter one as well, between which "
        "the exponents bend: '[8000, 64000]'",
    )
    parser.add_argument(
        "--spacing", type=int, default=512, help="nucleotides for each copy that is planted"
    )
    parser.add_argument("--steps", type=int, default=16, help="steps, of 4 of the longest windows")
    parser.add_argument("--lr", type=float, default=0.05, help="largest learning rate")
    parser.add_argument("--fasta", type=List[str], default=[], help="genomes instead of the YAML's")


def run(options: Namespace) -> None:
    """Run `mgen fit` at each window with nothing but kappa to train, and write what it finds.

    Raises:
        ValueError: If the file cannot be written, if the windows are not one or two that differ,
            or not beyond the original context, if no copy would be planted, or if the configs are
            not of helix.
    """
    check_writable(options.output, "--output")
    windows = sorted(options.window)
    if len(windows) not in (1, 2) or len(set(windows)) < len(windows):
        raise ValueError(
            f"--window {options.window} is not allowed: give one window, or two that differ."
        )
    if not 1 <= options.spacing <= windows[0]:
        raise ValueError(
            f"--spacing {options.spacing} is not allowed: give 1 to {windows[0]}, the shortest "
            "window."
        )
    with TemporaryDirectory() as folder:
        found = [_calibrate(options, window, Path(folder) / f"{window}.json") for window in windows]
    write_json(options.output, found[0] if len(found) == 1 else bent(*found))
    print(f"Calibration: {options.output}")


def _calibrate(options: Namespace, window: int, path: Path) -> dict:
    """Exponents at one window, what `HeadCalibration` writes of them."""
    schedule = "modelgenerator.lr_schedulers.CosineWithWarmup"
    run_mgen(
        "fit",
        *task_arguments(options, window),
        *("--model.pe.kappa", "per_layer", "--model.pe.temperature", "none"),
        *("--model.pe.random_scale", "false"),
        *("--model.optimizer.init_args.lr", options.lr),
        *("--model.lr_scheduler", schedule, "--model.lr_scheduler.num_warmup_steps", 2),
        *("--data.batch_size", 1, "--data.copy_share", 1.0),
        *("--data.copies_per_window", window // options.spacing),
        # As many nucleotides a step at either window.
        *("--trainer.accumulate_grad_batches", 4 * max(options.window) // window),
        *("--trainer.max_steps", options.steps),
        *("--trainer.limit_val_batches", 0, "--trainer.val_check_interval", "null"),
        *("--trainer.enable_checkpointing", "false"),  # the file is all that is wanted
        *("--trainer.callbacks", CALLBACK, "--trainer.callbacks.path", str(path)),
    )
    return json.loads(path.read_text())


def bent(short: dict, long: dict) -> dict:
    """Calibrations at two windows as one: the line in ln u through the exponents of each head.

    Args:
        short: What was found at the shorter window, without a bend.
        long: What was found at the longer one.
    """
    original = long["original_max_position_embeddings"]
    near, far = (math.log(x["data"]["window"] / original) for x in (short, long))
    slopes = [
        [(b - a) / (far - near) for a, b in zip(*heads, strict=True)]
        for heads in zip(short["kappa"][0], long["kappa"][0], strict=True)
    ]
    first = [
        [a - near * slope for a, slope in zip(*heads, strict=True)]
        for heads in zip(short["kappa"][0], slopes, strict=True)
    ]
    return {
        **long,
        "kappa": [[[round(x, 4) for x in heads] for heads in part] for part in (first, slopes)],
        "windows": short["windows"] + long["windows"],
        "data": [short["data"], long["data"]],
    }
