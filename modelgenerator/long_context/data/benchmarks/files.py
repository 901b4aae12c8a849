# SPDX-License-Identifier: Apache-2.0
"""A file of a dataset: from a folder that holds its files, or from the hub's cache."""

import os
from pathlib import Path


def dataset_file(path: str, name: str) -> Path:
    """Where a file of a dataset is; from the hub it is fetched once.

    Args:
        path: Folder with the dataset's files, or its name on the Hugging Face hub.
        name: The file's path within the dataset.

    Raises:
        ValueError: If it is not there, with the file to get and where to put it.
    """
    if os.path.isdir(path):
        file = Path(path) / name
        if not file.is_file():
            raise ValueError(f"path: {path} lacks {name}. Put it there, at this path.")
        return file
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(hf_hub_download(path, name, repo_type="dataset"))
    except (OSError, HfHubHTTPError, HFValidationError) as error:
        raise ValueError(
            f"path: {name} of {path} cannot be fetched from the hub "
            f"({(str(error).splitlines() or [''])[0]}). Put the file into a folder, as "
            f"FOLDER/{name}, and give --data.path FOLDER."
        ) from error
