# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc export`: an extended encoder as a Hugging Face folder."""

import json
from pathlib import Path
from typing import Optional

from jsonargparse import ArgumentParser, Namespace

HELP = "Write a Hugging Face folder that loads in plain transformers, and back into mgen."


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("folder", help="folder to write")
    parser.add_argument(
        "--config",
        dest="configs",
        action="append",
        required=True,
        help="configuration of the run, as for mgen; several are laid over each other",
    )
    parser.add_argument(
        "--ckpt_path", type=Optional[str], help="checkpoint; by default the pretrained weights"
    )
    parser.add_argument(
        "--results", type=Optional[str], help="result file of mgen test, for the model card"
    )
    parser.add_argument(
        "--merge_lora", type=bool, default=True, help="add LoRA to the weights, or keep it beside"
    )


def run(options: Namespace) -> None:
    """Write the folder.

    Raises:
        ValueError: If configuration, checkpoint, results or folder cannot be used.
    """
    from modelgenerator.long_context.export import export_folder
    from modelgenerator.long_context.load_task import load_task

    results = None
    if options.results is not None:
        try:
            results = json.loads(Path(options.results).read_text())
            if not results["schema"].startswith("masked_lm/"):
                raise ValueError(f"its schema is {results['schema']!r}, not masked_lm")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else error
            raise ValueError(
                f"results: {options.results} is no result file of MaskedLM ({reason})."
            ) from None
    task = load_task(options.configs, options.ckpt_path)
    folder = export_folder(task, options.folder, results, options.merge_lora)
    print(f"Written: {folder}\nIts README.md says how to load it.")
