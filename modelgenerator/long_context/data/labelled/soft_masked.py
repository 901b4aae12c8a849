# SPDX-License-Identifier: Apache-2.0
"""Which bases are repeats? Those that the file has in lower case."""

from pathlib import Path
from typing import List

import numpy as np

from modelgenerator.long_context.data.fasta import read_fasta
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.labelled_windows import NucleotideWindows
from modelgenerator.long_context.data.regions import NOTHING, Track, overlay, union

_LOWER = ord("a")


class SoftMasked(NucleotideWindows):
    """Repeats of a soft-masked genome, a label for every base: 1 where the file has lower case.

    Note:
        Which program masked a file, and with which library, differs from file to file; train and
        test on files of one source.
    """

    @property
    def class_names(self) -> List[str]:
        return ["unique", "repeat"]

    @property
    def strand_labels(self) -> np.ndarray:
        return np.array([[0, 1], [0, 1]])

    def _regions(self, argument: str, genome: Genome) -> List[np.ndarray]:
        paths = self._paths(argument)
        found = [
            lower_case(path) + offset
            for path, offset in zip(paths, genome.file_offsets[:-1], strict=True)
        ]
        if not sum(map(len, found)):
            raise ValueError(
                f"{argument}: {', '.join(path.name for path in paths)} has no lower case, so it is "
                "not soft-masked. Give a soft-masked file."
            )
        return [union(*found)]

    def _track(self, regions: List[np.ndarray]) -> Track:
        return overlay(regions)


def lower_case(path: Path) -> np.ndarray:
    """[start, stop) of each run of lower case over all records of a file, int64 [runs, 2]."""
    position, runs = 0, [NOTHING]
    for _, letters in read_fasta(path):
        lower = np.zeros(len(letters) + 2, dtype=np.int8)
        lower[1:-1] = letters >= _LOWER
        runs.append(np.flatnonzero(np.diff(lower)).reshape(-1, 2) + position)
        position += len(letters)
    return union(*runs)
