# SPDX-License-Identifier: Apache-2.0
"""Which positions of a sequence are meant: all, ranges, every k-th, intervals of a BED file."""

import re
import warnings
from pathlib import Path

import numpy as np

_RANGE = re.compile(r"(all|(\d+)-(\d+))(?::(\d+))?")
_HELP = (
    "Give all, START-STOP (0-based, STOP not included), either with :K for every K-th, a BED file, "
    "or several of them with commas between."
)


def parse_positions(argument: str, given: str, record: str, start: int, stop: int) -> np.ndarray:
    """Offsets into a region, int64, sorted, each once.

    With a region 100-200, "all:50" gives [0, 50] and "110-113,199-200" gives [10, 11, 12, 99].

    Args:
        argument: Name of the argument, for messages.
        given: all, START-STOP, all:K, START-STOP:K, or a BED file, and several with commas between;
            in coordinates of the record, 0-based and half-open.
        record: Name of the record, for BED files.
        start: First position of the region.
        stop: The one after its last.

    Raises:
        ValueError: If it cannot be read, leaves the region, or is empty.
    """
    parts = [part.strip() for part in given.split(",") if part.strip()]
    found = [_offsets(argument, part, record, start, stop) for part in parts]
    offsets = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    if not len(offsets):
        raise ValueError(f"{argument}: {given!r} holds no position. {_HELP}")
    return offsets


def _offsets(argument: str, part: str, record: str, start: int, stop: int) -> np.ndarray:
    match = _RANGE.fullmatch(part)
    if match is None:
        return _bed_offsets(argument, part, record, start, stop)
    low, high = (start, stop) if match[1] == "all" else (int(match[2]), int(match[3]))
    step = int(match[4] or 1)
    if not start <= low < high <= stop or step < 1:
        raise ValueError(
            f"{argument}: {part} does not lie in {record}:{start}-{stop}, or is empty. {_HELP}"
        )
    return np.arange(low - start, high - start, step)


def _bed_offsets(argument: str, path: str, record: str, start: int, stop: int) -> np.ndarray:
    if not Path(path).is_file():
        raise ValueError(f"{argument}: {path!r} is no range and no file. {_HELP}")
    intervals = [(low, high) for name, low, high, _ in read_bed(path) if name == record]
    inside = [(max(low, start), min(high, stop)) for low, high in intervals]
    inside = [(low, high) for low, high in inside if low < high]
    if not inside:
        raise ValueError(
            f"{argument}: {path} has no interval in {record}:{start}-{stop} ({len(intervals)} "
            f"elsewhere on {record}). Give intervals of the region that is mapped."
        )
    cut = len(set(intervals) - set(inside))
    if cut:
        warnings.warn(
            f"{argument}: {cut} of {len(intervals)} intervals of {path} lie outside of "
            f"{record}:{start}-{stop}, in whole or in part; what is outside is left out.",
            stacklevel=2,
        )
    return np.concatenate([np.arange(low - start, high - start) for low, high in inside])


def read_bed(path: str) -> list[tuple[str, int, int, str]]:
    """(record, start, stop, name) of each interval of a BED or GFF file, 0-based and half-open.

    Raises:
        ValueError: If the file cannot be read, or a line is no interval.
    """
    gff = Path(path).suffix.lower() in (".gff", ".gff3", ".gtf")
    found = []
    try:
        lines = Path(path).read_text().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise ValueError(f"{path} cannot be read ({reason}).") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith(("#", "track ", "browser ")):
            continue
        fields = line.split("\t") if "\t" in line else line.split()
        try:
            if gff:  # 1-based, both ends included
                low, high, name = int(fields[3]) - 1, int(fields[4]), fields[2]
            else:
                low, high = int(fields[1]), int(fields[2])
                name = fields[3] if len(fields) > 3 else ""
        except (IndexError, ValueError):
            low, high = 0, 0
        if not 0 <= low < high:
            kind = "GFF" if gff else "BED"
            raise ValueError(f"{path}, line {number}: no interval of a {kind} file: {line[:60]!r}")
        found.append((fields[0], low, high, name))
    return found
