# SPDX-License-Identifier: Apache-2.0
"""Genomes as token ids on disk: opened in an instant, read through a memory map."""

import json
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Optional

import numpy as np

from modelgenerator.long_context.data.fasta import AMBIGUOUS
from modelgenerator.long_context.data.index import PathLike, index_fasta


class Genome:
    """Records of one or several FASTA files, laid end to end as token ids.

    Positions are global: they count from the first base of the first record over all records and
    files. Nothing is held in memory but the index, whatever the size of the genome; a pickled
    Genome is a list of folders, opened again where it arrives.

    A name found in several files is prefixed by the name of its file: `human/chr1`, `mouse/chr1`.

    Args:
        paths: FASTA files, plain or gzip or bgzip, recognised by content.
        cache: Folder for indexes, one byte a base. By default that of `$MGEN_LC_CACHE`, or
            ~/.cache/modelgenerator-long-context/genomes.

    Attributes:
        names: Name of each record.
        offsets: Where each record begins, and where the last ends, int64 [records + 1].
        file_offsets: The same of each file, int64 [files + 1].
        n_runs: [start, stop) of each run of N, int64 [runs, 2], sorted.
        digests: Hash of each record's sequence; equal for equal sequences.
        folded: Letters that were lower case.
        ambiguous: How often each other IUPAC letter was found, and made N.

    Raises:
        ValueError: If a file cannot be used (see `read_fasta`), is given twice, names two records
            alike, or if the cache cannot be written.
    """

    def __init__(self, paths: Iterable[PathLike], cache: Optional[PathLike] = None):
        paths = [Path(path).resolve() for path in paths]
        twice = {path for path in paths if paths.count(path) > 1}
        if twice:
            raise ValueError(f"fasta: {min(twice)} is given twice. Give every file once.")
        self._open([index_fasta(path, cache) for path in paths])

    def _open(self, folders: Sequence[Path]) -> None:
        self._folders = list(folders)
        indexes = [json.loads((folder / "index.json").read_text()) for folder in folders]
        self._ids = [np.memmap(folder / "ids", dtype=np.uint8, mode="r") for folder in folders]
        sizes = [len(ids) for ids in self._ids]
        self.file_offsets = np.cumsum([0, *sizes])
        self.names = _distinct_names(indexes)
        lengths = np.concatenate([index["lengths"] for index in indexes])
        self.offsets = np.cumsum(np.concatenate([[0], lengths])).astype(np.int64)
        self.n_runs = np.concatenate(
            [
                np.load(folder / "n_runs.npy") + offset
                for folder, offset in zip(folders, self.file_offsets[:-1], strict=True)
            ]
        )
        self.digests = [digest for index in indexes for digest in index["digests"]]
        self.folded = sum(index["folded"] for index in indexes)
        self.ambiguous = {
            letter: count
            for letter in AMBIGUOUS
            if (count := sum(index["ambiguous"].get(letter, 0) for index in indexes))
        }

    def __getstate__(self) -> list[Path]:
        return self._folders

    def __setstate__(self, folders: list[Path]) -> None:
        self._open(folders)

    def __len__(self) -> int:
        """Bases in all records."""
        return int(self.offsets[-1])

    def read(self, start: int, length: int) -> np.ndarray:
        """Token ids of `length` bases of one record from a global position, uint8 [length]."""
        file = int(np.searchsorted(self.file_offsets, start, side="right")) - 1
        start -= int(self.file_offsets[file])
        return np.array(self._ids[file][start : start + length])

    def locate(self, start: int, length: int) -> str:
        """Name and 0-based half-open interval within the record: "chr1:100-612"."""
        record = int(np.searchsorted(self.offsets, start, side="right")) - 1
        start -= int(self.offsets[record])
        return f"{self.names[record]}:{start}-{start + length}"

    def warn_ambiguous(self) -> None:
        """Say once which letters were made N."""
        if self.ambiguous:
            counts = ", ".join(f"{letter} {count:,}" for letter, count in self.ambiguous.items())
            warnings.warn(
                f"fasta: {sum(self.ambiguous.values()):,} of {len(self):,} bases are IUPAC letters "
                f"other than A, C, G, T, U, N and are read as N ({counts}).",
                stacklevel=2,
            )


def _distinct_names(indexes: Sequence[dict]) -> list[str]:
    """Names of all records; prefixed by their file's where files share one."""
    files_with = Counter(name for index in indexes for name in index["names"])
    names = [
        name if files_with[name] == 1 else f"{index['stem']}/{name}"
        for index in indexes
        for name in index["names"]
    ]
    name, count = max(Counter(names).items(), key=lambda item: item[1])
    if count > 1:
        raise ValueError(
            f"fasta: two files of the same name both have a record {name!r}. Rename one file."
        )
    return names
