# SPDX-License-Identifier: Apache-2.0
"""The folder that holds fetched genomes and indexes of genomes."""

import os
from pathlib import Path
from typing import Optional, Union

CACHE_VARIABLE = "MGEN_LC_CACHE"

PathLike = Union[str, os.PathLike]


def cache_folder(cache: Optional[PathLike] = None) -> Path:
    """The folder of indexes: the one given, that of the environment, or that of the user."""
    given = cache or os.environ.get(CACHE_VARIABLE)
    return Path(given or "~/.cache/modelgenerator-long-context/genomes").expanduser()
