# SPDX-License-Identifier: Apache-2.0
"""A folder that holds a dependency map in blocks, written as they come and in any order.

`map.json` says what is mapped, `reference.npz` holds the probabilities without a substitution, and
each `blocks/*.npz` some rows and columns of one strand. A block is written under a temporary name
and renamed, and NumPy's checksums tell a damaged one, so an interrupted run goes on where it was.
"""

import json
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np

from modelgenerator.long_context.whole_file import whole_file

SCHEMA = "dependency_map/1"
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


class Block(NamedTuple):
    """Part of a map.

    Attributes:
        strand: "+" or "-", the strand that was read.
        rows: Offsets of the mutated positions, int64 [rows]; a block of bases by its first.
        columns: Offsets of the positions read, int64 [columns].
        values: Largest change of the log-odds, float32 [rows, columns].
    """

    strand: str
    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray


class MapValues(NamedTuple):
    """A map as it is drawn and measured.

    Attributes:
        rows: The mutated positions of the record, int64 [rows].
        columns: The positions read, int64 [columns].
        values: Largest change of the log-odds, averaged over the strands that were read, float32
            [rows, columns]; NaN where a position would be read in its own substitution, and where
            nothing was computed yet.
        reference: Probabilities of A, C, G, T without a substitution, float32 [length, 4].
        about: What `map.json` says.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    reference: np.ndarray
    about: dict


class MapFolder:
    """Reads and writes the folder of a map.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def start(self, about: dict) -> None:
        """Make the folder, or go on in one that holds the same map.

        Args:
            about: What identifies the map: sequence, positions, model. JSON.

        Raises:
            ValueError: If the folder holds another map, or something else.
        """
        about = json.loads(json.dumps({"schema": SCHEMA, **about}))
        manifest = self.path / "map.json"
        if manifest.exists():
            there = self.about()
            differ = sorted(key for key in {*about, *there} if about.get(key) != there.get(key))
            if differ:
                raise ValueError(
                    f"output: {self.path} holds another map; {', '.join(differ)} differ. Give "
                    "another folder, or delete this one."
                )
            return
        if self.path.exists() and not all(_is_ours(path) for path in self.path.iterdir()):
            raise ValueError(
                f"output: {self.path} holds other files and no map. Give a new or empty folder."
            )
        (self.path / "blocks").mkdir(parents=True, exist_ok=True)
        with whole_file(manifest) as partial:
            partial.write_text(json.dumps(about) + "\n")

    def about(self) -> dict:
        """What `map.json` says.

        Raises:
            ValueError: If there is no map.
        """
        try:
            about = json.loads((self.path / "map.json").read_text())
            if about["schema"] != SCHEMA:
                raise ValueError(f"schema is {about['schema']!r}, not {SCHEMA!r}")
        except FileNotFoundError:
            raise ValueError(
                f"{self.path}: no dependency map. Make one with mgen predict --config "
                "configs/depmap.yaml --model.output FOLDER."
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.path}/map.json cannot be used: {error}") from None
        return about

    def has(self, strand: str, rows: np.ndarray, columns: np.ndarray) -> bool:
        """Whether a block is there and whole."""
        block = self._read(self._block_path(strand, rows, columns))
        return block is not None and (
            np.array_equal(block.rows, rows) and np.array_equal(block.columns, columns)
        )

    def write(self, block: Block) -> None:
        """Write a block; a reader never sees half of one."""
        path = self._block_path(block.strand, block.rows, block.columns)
        _write_npz(path, **block._asdict())

    def write_reference(self, strand: str, probabilities: np.ndarray) -> None:
        """Write probabilities of A, C, G, T [length, 4] without a substitution."""
        _write_npz(self.path / f"reference_{_NAMES[strand]}.npz", probabilities=probabilities)

    def load(self, pool: int = 1) -> MapValues:
        """The map; of a large one the largest value in every square of `pool` positions.

        Squares begin at multiples of `pool` on the record, so that those of two regions meet.

        Raises:
            ValueError: If there is no map, or none of its blocks.
        """
        about = self.about()
        strands = {"both": "+-"}.get(about["strand"], about["strand"])
        start = about["start"]

        def pooled(offsets: np.ndarray) -> np.ndarray:
            return np.maximum((start + offsets) // pool * pool - start, 0)

        rows, columns = (np.unique(pooled(np.asarray(about[name]))) for name in ("rows", "columns"))
        values = np.full((len(strands), len(rows), len(columns)), np.nan, dtype=np.float32)
        every_row, every_column = np.unique(about["rows"]), np.unique(about["columns"])
        there = np.zeros((len(strands), len(every_row), len(every_column)), dtype=bool)
        for block in self._blocks():
            here = values[strands.index(block.strand)]
            i = np.searchsorted(rows, pooled(block.rows))
            j = np.searchsorted(columns, pooled(block.columns))
            np.fmax.at(here, (i[:, None], j[None]), block.values)
            # Blocks overlap where a run went on with others than those it began with.
            own = (
                np.searchsorted(every_row, block.rows),
                np.searchsorted(every_column, block.columns),
            )
            there[strands.index(block.strand)][np.ix_(*own)] = True
        if not np.isfinite(values).any():
            raise ValueError(f"{self.path}: no block of the map is there yet. Run mgen predict.")
        missing = int((~there).sum())
        if missing:
            warnings.warn(
                f"{self.path}: {missing:,} values of the map are missing or damaged. Run the same "
                "mgen predict again; it computes what is missing.",
                stacklevel=2,
            )
        reference = np.mean([self._reference(strand) for strand in strands], axis=0)
        return MapValues(start + rows, start + columns, values.mean(axis=0), reference, about)

    def _reference(self, strand: str) -> np.ndarray:
        path = self.path / f"reference_{_NAMES[strand]}.npz"
        try:
            with np.load(path) as file:
                return file["probabilities"]
        except DAMAGED as error:
            raise ValueError(
                f"{path} is missing or damaged ({error}). Run the same mgen predict again; it "
                "writes it anew."
            ) from None

    def _blocks(self) -> Iterator[Block]:
        for path in sorted((self.path / "blocks").glob("*.npz")):
            block = self._read(path)
            if block is not None:
                yield block

    def _block_path(self, strand: str, rows: np.ndarray, columns: np.ndarray) -> Path:
        name = f"{_NAMES[strand]}_{rows[0]}-{rows[-1]}_{columns[0]}-{columns[-1]}.npz"
        return self.path / "blocks" / name

    @staticmethod
    def _read(path: Path) -> Optional[Block]:
        """A block, or None if it is not there or damaged."""
        try:
            with np.load(path) as file:
                block = Block(str(file["strand"]), file["rows"], file["columns"], file["values"])
        except DAMAGED:
            return None
        return block if block.values.shape == (len(block.rows), len(block.columns)) else None


_NAMES = {"+": "forward", "-": "reverse"}


def _is_ours(path: Path) -> bool:
    """Whether a run that was killed as it began can have left this behind."""
    return path.name == "blocks" or (path.name.startswith(".map.json.") and path.suffix == ".part")


def _write_npz(path: Path, **arrays: np.ndarray) -> None:
    with whole_file(path) as partial, open(partial, "wb") as out:
        np.savez_compressed(out, **arrays)
