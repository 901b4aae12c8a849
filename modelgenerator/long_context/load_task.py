# SPDX-License-Identifier: Apache-2.0
"""A task from the configuration it was trained with, without its data or a trainer."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional, Union

import torch
from torch import nn

PathLike = Union[str, Path]


def load_task(
    configs: Sequence[PathLike],
    checkpoint: Optional[PathLike] = None,
    overrides: Sequence[str] = (),
) -> nn.Module:
    """Make the task that `mgen --config ... --config ...` makes, set up and in evaluation mode.

    Of the configurations only `model` is used.

    Args:
        configs: YAML files, later ones over earlier ones, as on `mgen`'s command line.
        checkpoint: Checkpoint of that task; by default the backbone's own weights. Read as tensors
            and plain values only: no code in it is run.
        overrides: Further arguments, such as "--model.pe.factor=8".

    Raises:
        ValueError: If a configuration or the checkpoint cannot be read, or they do not go together.
    """
    from jsonargparse import ArgumentError, ArgumentParser

    import modelgenerator.backbones  # noqa: F401  short names of backbones
    from modelgenerator.tasks.base import TaskInterface

    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--config", action="config")
    parser.add_subclass_arguments(TaskInterface, "model", required=True)
    for name in ("data", "trainer", "seed_everything", "ckpt_path"):
        parser.add_argument(f"--{name}", type=Any)
    given = [f"--config={config}" for config in configs]
    try:
        parsed = parser.parse_args([*given, *overrides])
    except ArgumentError as error:
        raise ValueError(f"config: {error}") from None
    task = parser.instantiate_classes(parsed).model
    task.configure_model()
    if checkpoint is not None:
        _load(task, Path(checkpoint))
    return task.eval()


def _load(task: nn.Module, path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:  # torch does not look at its checksums
            changed = archive.testzip()
        if changed is not None:
            raise ValueError(f"the checksum of {changed} in it is wrong")
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        weights = checkpoint["state_dict"]
        weights.keys()
    except FileNotFoundError:
        raise ValueError(f"ckpt: {path} does not exist. Give a checkpoint of `mgen fit`.") from None
    except Exception as error:  # torch raises many kinds for a damaged file
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"ckpt: {path} is damaged, holds more than tensors and plain values, or is no "
            f"checkpoint ({first}). Give one that `mgen fit` has written with `model.pe`."
        ) from None
    task.on_load_checkpoint(checkpoint)
    try:
        missing, unexpected = task.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # weights of the same names and other shapes
        shapes = str(error).strip().splitlines()[1].strip()
        raise ValueError(
            f"ckpt: {path} is of another model than the configuration's: {shapes} Give the "
            "configuration that the checkpoint was trained with."
        ) from None
    if unexpected or (task.strict_loading and missing):  # what LoRA leaves out is only missing
        names = ", ".join([*missing, *unexpected][:3])
        raise ValueError(
            f"ckpt: {path} is of another model than the configuration's: {len(missing)} weights "
            f"missing, {len(unexpected)} unknown, such as {names}. Give the configuration that "
            "the checkpoint was trained with."
        )
