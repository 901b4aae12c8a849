# SPDX-License-Identifier: Apache-2.0
"""The folder that holds fetched genomes and indexes of genomes."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Optional, Union
from uuid import uuid4

CACHE_VARIABLE = "MGEN_LC_CACHE"

_PARTIAL = re.compile(r"\..+\.[0-9a-f]{32}")

PathLike = Union[str, os.PathLike]


def cache_folder(cache: Optional[PathLike] = None) -> Path:
    """The folder of indexes: the one given, that of the environment, or that of the user."""
    given = cache or os.environ.get(CACHE_VARIABLE)
    return Path(given or "~/.cache/modelgenerator-long-context/genomes").expanduser()


def partial_name(name: str) -> str:
    """What a folder is called until it is whole; another one at every call."""
    return f".{name}.{uuid4().hex}"


@contextmanager
def partial_folders(folder: Path) -> Iterator[None]:
    """For those who make folders in a folder; first removes what killed processes left there.

    The lock is on the folder and is gone with its process. While others hold it, nothing is
    removed: the partial folders are theirs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # others are at work, or the file system has no locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in folder.iterdir():
                if _PARTIAL.fullmatch(path.name):
                    shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)
