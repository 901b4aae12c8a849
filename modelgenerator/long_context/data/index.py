# SPDX-License-Identifier: Apache-2.0
"""Indexes FASTA files: one pass over a file leaves its token ids and an index in a cache folder."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np

from modelgenerator.long_context.cache import (
    CACHE_VARIABLE,
    PathLike,
    cache_folder,
    partial_folders,
    partial_name,
)
from modelgenerator.long_context.data.fasta import AMBIGUOUS, read_fasta
from modelgenerator.long_context.data.vocabulary import ID_OF_BYTE, N

FORMAT = 1  # raise it whenever what an index holds changes; older ones are then left alone


def index_fasta(path: PathLike, cache: Optional[PathLike] = None) -> Path:
    """The folder with a FASTA file's index, made in one pass over the file if it is not there.

    The folder is written under a temporary name and renamed, so any number of processes may do
    this at once, and one that is killed leaves nothing that could be taken for an index; what it
    leaves is removed by the next.

    Raises:
        ValueError: If the file cannot be used, or the cache cannot be written.
    """
    path = Path(path).resolve()
    if not path.exists():
        raise ValueError(f"fasta: {path} does not exist. Give an existing file or a pattern.")
    stat = path.stat()
    key = json.dumps([FORMAT, str(path), stat.st_size, stat.st_mtime_ns])
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    folder = cache_folder(cache) / f"{_stem(path)}-{digest}"
    if _is_whole(folder):
        return folder
    try:
        with partial_folders(folder.parent):
            _make_index(path, folder)
    except OSError as error:
        raise _not_writable(folder.parent, error) from None
    return folder


def _make_index(path: Path, folder: Path) -> None:
    partial = folder.with_name(partial_name(folder.name))
    try:
        partial.mkdir()  # unlike tempfile's, open to whom the user's umask says
        _write_index(path, partial)
        if folder.exists() and not _is_whole(folder):  # cut short by something other than us
            shutil.rmtree(folder, ignore_errors=True)
        try:
            partial.rename(folder)
        except OSError:  # another process was first; its index is the same
            if not _is_whole(folder):
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _stem(path: Path) -> str:
    """The file's name without its suffixes, which may hold dots: GCF_000001.1_genomic.fna.gz."""
    name = path.name
    for suffix in (".gz", ".bgz", ".bgzf", ".fa", ".fna", ".fasta", ".fas", ".fst", ".ffn"):
        name = name.removesuffix(suffix)
    return name


def _is_whole(folder: Path) -> bool:
    try:
        lengths = json.loads((folder / "index.json").read_text())["lengths"]
        return (folder / "ids").stat().st_size == sum(lengths) and (folder / "n_runs.npy").exists()
    except (OSError, ValueError, KeyError):
        return False


def _not_writable(cache: Path, error: OSError) -> ValueError:
    return ValueError(
        f"Cannot write the index of a genome in {cache} ({error.strerror}). Set the environment "
        f"variable {CACHE_VARIABLE} to a folder that can be written, with one byte a base free."
    )


def _write_index(path: Path, folder: Path) -> None:
    names: list[str] = []
    lengths: list[int] = []
    hashes = []
    letters_found = np.zeros(256, dtype=np.int64)
    n_runs: list[np.ndarray] = []
    position = 0
    with open(folder / "ids", "wb") as out:
        for name, letters in read_fasta(path):
            if name is not None:
                names.append(name)
                lengths.append(0)
                hashes.append(hashlib.blake2b(digest_size=16))
            ids = ID_OF_BYTE.take(letters)
            out.write(ids)
            hashes[-1].update(ids)
            letters_found += np.bincount(letters, minlength=256)
            n_runs.append(runs_of_n(ids) + position)
            lengths[-1] += len(ids)
            position += len(ids)
    _check_records(path, names, position)
    np.save(folder / "n_runs.npy", _join_runs(np.concatenate(n_runs)))
    count = {chr(code): int(found) for code, found in enumerate(letters_found) if found}
    index = {
        "source": str(path),
        "stem": _stem(path),
        "names": names,
        "lengths": lengths,
        "digests": [digest.hexdigest() for digest in hashes],
        "folded": sum(found for letter, found in count.items() if letter.islower()),
        "ambiguous": {
            letter: count.get(letter, 0) + count.get(letter.lower(), 0)
            for letter in AMBIGUOUS
            if letter in count or letter.lower() in count
        },
    }
    (folder / "index.json").write_text(json.dumps(index) + "\n")


def runs_of_n(ids: np.ndarray) -> np.ndarray:
    """[start, stop) of each run of N in token ids [n], int64 [runs, 2]: ANNC gives [[1, 3]]."""
    is_n = np.zeros(len(ids) + 2, dtype=np.int8)
    is_n[1:-1] = ids == N
    return np.flatnonzero(np.diff(is_n)).reshape(-1, 2)


def _join_runs(runs: np.ndarray) -> np.ndarray:
    """Join runs [k, 2] that touch, as where a piece ended within one."""
    begins = np.append(True, runs[1:, 0] > runs[:-1, 1])[: len(runs)]
    ends = np.append(begins[1:], True)[: len(runs)]
    return np.stack([runs[begins, 0], runs[ends, 1]], axis=1)


def _check_records(path: Path, names: Sequence[str], bases: int) -> None:
    if not bases:
        raise ValueError(f"fasta: {path} is empty: headers without a sequence.")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(
                f"fasta: {path} has two records named {name!r}. Names are the first word after "
                "'>'; make them distinct."
            )
        seen.add(name)
