# SPDX-License-Identifier: Apache-2.0
"""Result files: JSON with everything needed to tell where a number came from."""

import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Optional, Union

import torch

from modelgenerator.long_context.whole_file import whole_file

PACKAGES = ("modelgenerator", "modelgenerator-long-context", "torch", "lightning", "transformers")


def commit() -> Optional[str]:
    """The git commit of the plugin's checkout, with "+" if files differ; None outside of one."""
    folder = Path(__file__).parent
    try:
        sha, status = (
            subprocess.run(
                ["git", *command], cwd=folder, capture_output=True, text=True, check=True
            ).stdout.strip()
            for command in (
                ("rev-parse", "--short=10", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no", "--", ".", "../backbones"),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return sha + ("+" if status else "")


def hardware() -> str:
    """The device in words: the GPU's name, or how many CPU threads of what."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU threads, {platform.machine()}"


def provenance() -> dict:
    """Versions, commit and hardware of this run."""
    return {
        "versions": {"python": platform.python_version(), **{p: _version(p) for p in PACKAGES}},
        "commit": commit(),
        "hardware": hardware(),
    }


def _version(package: str) -> Optional[str]:
    """None where a package has no metadata, as in a fork of ModelGenerator that holds this one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def peak_memory_mib() -> float:
    """Most memory this process has held: of the GPU where there is one, else of the host, MiB."""
    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_allocated() / 2**20, 1)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB on Linux
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 1)


def check_writable(path: Union[str, os.PathLike], argument: str) -> None:
    """Make the folder a file is to be written in, or say now that it cannot be.

    Raises:
        ValueError: If the folder can neither be made nor written in.
    """
    folder = Path(path).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"{argument}: cannot write in {folder} ({error.strerror}). "
            "Give a folder that can be written, before anything is run."
        ) from None


def write_json(path: Union[str, os.PathLike], content: dict) -> None:
    """Write JSON, NaN and infinity as null; a reader never sees half a file."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(_finite(content), indent=1, allow_nan=False) + "\n")


def _finite(content: object) -> object:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
