# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate`: spread of attention logits, for a calibrated temperature."""

from typing import List

from jsonargparse import ArgumentParser, Namespace

from modelgenerator.long_context.in_process import run_mgen

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
    run_mgen(
        "validate",
        *task_arguments(options),
        *("--model.pe", "rope"),
        *("--data.eval_windows", options.windows),
        *("--data.copies_per_window", 0, "--data.copy_share", 0.0),
        *("--trainer.limit_val_batches", "null"),
        *("--trainer.callbacks", CALLBACK, "--trainer.callbacks.path", options.output),
        *("--trainer.callbacks.windows", options.windows),
    )
    print(f"Calibration: {options.output}")


def task_arguments(options: Namespace) -> list[str]:
    """What any calibration asks of `mgen`: the configs, its genomes and windows, one device."""
    fasta = ["--data.fasta", f"[{', '.join(options.fasta)}]"] if options.fasta else []
    return [
        *(x for config in options.config for x in ("--config", config)),
        *fasta,
        *("--data.window", str(options.window), "--data.lengths", f"[{options.window}]"),
        *("--trainer.devices", "1", "--trainer.logger", "false"),
    ]
