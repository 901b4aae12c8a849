# SPDX-License-Identifier: Apache-2.0
"""Append-only files of one JSON object a line, safe against crashes and torn lines."""

import json
import os
from pathlib import Path

from modelgenerator.long_context.monitor.files import open_file, plain


class Writer:
    """Appends one JSON object a line, each in a single write.

    A line that a crash or a full disk cut short is closed before the next one, so that readers lose
    that line only.

    Args:
        path: File to append to; made if it is not there.
    """

    def __init__(self, path: Path):
        self.path = path

    def append(self, record: dict) -> None:
        """Write a line.

        Raises:
            OSError: If it cannot be written, or not whole.
        """
        line = json.dumps(plain(record), allow_nan=False).encode() + b"\n"
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                line = b"\n" + line
            written = os.write(file, line)
            if written < len(line):
                raise OSError(f"only {written} of {len(line)} bytes could be written")
        finally:
            os.close(file)


class Reader:
    """Reads what was appended since the last call.

    A last line without its end is left for the next call; lines that are no JSON object are left
    out and counted. A file that was replaced or became shorter is read anew.

    Args:
        root: Folder of runs.
        run: Name of the run.
        name: File in the run's folder.

    Attributes:
        skipped: Lines that were no JSON object.
        behind: Bytes not read yet.
    """

    def __init__(self, root: Path, run: str, name: str):
        self.root, self.run, self.name = root, run, name
        self._start_over()

    def _start_over(self) -> None:
        self._offset, self._inode, self.skipped, self.behind = 0, None, 0, 0

    def read(self, most: int = 16 * 2**20) -> tuple[list[dict], bool]:
        """New records, and whether the file was begun anew.

        Args:
            most: Bytes to read at most; a line longer than this is skipped.
        """
        try:
            file = open_file(self.root, self.run, self.name)
        except (OSError, ValueError):
            anew = self._offset > 0
            self._start_over()
            return [], anew
        try:
            status = os.fstat(file)
            anew = self._inode not in (None, status.st_ino) or status.st_size < self._offset
            if anew:
                self._start_over()
            self._inode = status.st_ino
            chunk = os.pread(file, most, self._offset)
        finally:
            os.close(file)
        whole = chunk.rfind(b"\n") + 1
        if not whole and len(chunk) == most:
            whole, self.skipped = most, self.skipped + 1
        self._offset += whole
        self.behind = status.st_size - self._offset
        return self._parse(chunk[:whole]), anew

    def _parse(self, lines: bytes) -> list[dict]:
        records = []
        for line in lines.splitlines():
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if isinstance(record, dict):
                records.append(record)
            else:
                self.skipped += 1
        return records
