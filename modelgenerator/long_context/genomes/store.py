# SPDX-License-Identifier: Apache-2.0
"""The folder of fetched genomes: one folder a genome, put in place whole or not at all."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

from modelgenerator.long_context.cache import CACHE_VARIABLE, cache_folder, partial_name

RECORD = "record.json"


def store_folder() -> Path:
    """Where fetched genomes lie, within the cache of genomes."""
    return cache_folder() / "fetched"


def read_record(name: str) -> Optional[dict]:
    """What was fetched under a name, None if nothing was.

    Keys are `files`, with `file`, `kind` and `sha256` each, `source` and `licence`.
    """
    try:
        return json.loads((store_folder() / name / RECORD).read_text())
    except (OSError, ValueError):
        return None


def fetched() -> list[str]:
    """Names of all genomes in the folder."""
    found = sorted(path.parent.name for path in store_folder().glob(f"*/{RECORD}"))
    return [name for name in found if not name.startswith(".")]


def path_of(name: str, kind: str = "sequence") -> Optional[Path]:
    """A fetched genome's file of a kind, "sequence" or "annotation"; None if there is none."""
    for file in (read_record(name) or {"files": []})["files"]:
        if file["kind"] == kind:
            return store_folder() / name / file["file"]
    return None


@contextmanager
def new_genome(name: str, source: str, licence: str) -> Iterator[Path]:
    """A folder to put files into, as KIND/FILE; renamed to the genome's if nothing fails.

    Raises:
        ValueError: If the disk is full or the folder cannot be written.
    """
    final = store_folder() / name
    partial = final.with_name(partial_name(name))
    with disk_errors():
        try:
            partial.mkdir(parents=True)
            yield partial
            files = [
                {"kind": path.parent.name, "file": f"{path.parent.name}/{path.name}"}
                for path in sorted(partial.glob("*/*"))
            ]
            files = [{**file, "sha256": sha256_of(partial / file["file"])} for file in files]
            record = {"files": files, "source": source, "licence": licence}
            (partial / RECORD).write_text(json.dumps(record, indent=1) + "\n")
            shutil.rmtree(final, ignore_errors=True)  # an older or damaged one
            partial.rename(final)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn errors of writing into ones that say what to do."""
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"Cannot write to {store_folder()}: {error.strerror or error}. Free space there, or "
            f"set the environment variable {CACHE_VARIABLE} to another folder. What was fetched "
            "before is kept."
        ) from None


def sha256_of(path: Path) -> str:
    """Checksum of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(name: str) -> list[str]:
    """What is wrong with a fetched genome's files; nothing if all is well."""
    record = read_record(name)
    if record is None:
        return ["not fetched"]
    wrong = []
    for file in record["files"]:
        path = store_folder() / name / file["file"]
        if not path.is_file():
            wrong.append(f"{path} is missing")
        elif sha256_of(path) != file["sha256"]:
            wrong.append(f"{path} has changed since it was fetched (SHA-256)")
    return wrong


def free_bytes() -> int:
    """Space left where genomes are stored."""
    folder = store_folder()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(os.fspath(folder)).free
