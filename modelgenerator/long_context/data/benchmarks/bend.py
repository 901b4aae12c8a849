# SPDX-License-Identifier: Apache-2.0
"""BEND's annotation tasks: intervals in BED, labels of bases or bins in HDF5 of the same name.

frederikkemarin/BEND; BSD-3-Clause. Coordinates are GRCh38, 0-based and half-open, forward strand.
"""

from collections.abc import Sequence
from typing import List, Literal, NamedTuple, Optional, Union

import numpy as np
import torch

from modelgenerator.long_context.data.benchmarks.files import dataset_file
from modelgenerator.long_context.data.interval_table import read_interval_table
from modelgenerator.long_context.data.interval_windows import (
    Intervals,
    IntervalWindows,
    window_start,
)
from modelgenerator.long_context.data.masking import IGNORED


class Layout(NamedTuple):
    """Classes of a task, and bases for each label."""

    n_classes: int
    bin_size: int


TASKS = {"gene_finding": Layout(9, 1), "enhancer_annotation": Layout(2, 128)}


class BendLabels(Sequence):
    """Labels of windows, read from HDF5 when asked for.

    Args:
        file: HDF5 with `labels`, one array for each row of the BED.
        sizes: Bases in each row's interval.
        window: Length of the windows.
        bin_size: Bases for each label.
    """

    def __init__(self, file: str, sizes: np.ndarray, window: int, bin_size: int):
        self.file = file
        self.sizes = sizes
        self.window = window
        self.bin_size = bin_size
        self._labels = None

    def __getstate__(self) -> dict:
        return {**vars(self), "_labels": None}  # an open file does not travel to workers

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Labels of row `index`, int64 [window // bin_size], -100 outside of its interval."""
        if self._labels is None:
            import h5py

            self._labels = h5py.File(self.file, "r")["labels"]
        size = int(self.sizes[index])
        given = np.asarray(self._labels[index]).reshape(-1)[: size // self.bin_size]
        out = np.full(self.window // self.bin_size, IGNORED, dtype=np.int64)
        before = -int(window_start(np.array(0), np.array(size), self.window)) // self.bin_size
        first, last = max(0, before), min(len(out), before + len(given))
        out[first:last] = given[first - before : last - before]
        return torch.from_numpy(out)


class Bend(IntervalWindows):
    """Gene structure of every base (9 classes), or enhancers in bins of 128 nt, of BEND.

    Note:
        Windows are centred on BEND's intervals and are all of one length: what a window has beyond
        its interval is context without labels, and longer intervals are cropped. BEND itself gives
        a model the interval alone.

    Args:
        path: Folder with TASK.bed and TASK.hdf5, as BEND publishes them.
        fasta: GRCh38: FASTA files or patterns, plain or compressed.
        task: The task.
        window: Length of the windows, in nucleotides; for enhancers a multiple of 256.
    """

    assembly = "hg38"

    def __init__(
        self,
        path: str,
        fasta: Union[str, List[str]],
        task: Literal["gene_finding", "enhancer_annotation"] = "gene_finding",
        window: int = 16_384,
        **kwargs,
    ):
        super().__init__(fasta, window, **kwargs)
        self.path = path
        self.task = task
        self.n_classes, self.bin_size = TASKS[task]
        if window % self.bin_size:
            raise ValueError(
                f"window: {window}; labels of {task} are for bins of {self.bin_size} nt. Give a "
                "multiple, such as 65536."
            )

    def read_intervals(self) -> Intervals:
        """The BED, with its HDF5."""
        frame = read_interval_table(str(dataset_file(self.path, f"{self.task}.bed")))
        if "split" not in frame:
            raise ValueError(
                f"{self.task}.bed has no column split; it has {', '.join(frame.columns)}. Fetch it "
                "again: BEND's files name their columns in the first line."
            )
        frame = frame.drop(columns="strand", errors="ignore")  # labels are the forward strand's
        sizes = (frame["stop"] - frame["start"]).to_numpy()
        between = (self.window - sizes) % (2 * self.bin_size)
        unfit = (between != 0) & (self.bin_size > 1)
        labels = self._open(sizes)
        missing = unfit.copy()
        odd: Optional[int] = None
        for i in np.flatnonzero(~unfit):
            row = labels[int(i)]
            asked = row[row != IGNORED]
            missing[i] = not len(asked)
            if len(asked) and not 0 <= int(asked.min()) <= int(asked.max()) < self.n_classes:
                odd = int(asked.max())
                break
        if odd is not None:
            raise ValueError(
                f"labels: {odd} in {self.task}.hdf5; allowed are 0 to {self.n_classes - 1}."
            )
        return Intervals(frame, labels, missing)

    def _open(self, sizes: np.ndarray) -> BendLabels:
        import h5py

        file = dataset_file(self.path, f"{self.task}.hdf5")
        with h5py.File(file, "r") as content:
            if "labels" not in content:
                raise ValueError(f"{file} has no `labels`; it has {', '.join(content)}.")
            if len(content["labels"]) != len(sizes):
                raise ValueError(
                    f"{file} has {len(content['labels']):,} rows and {self.task}.bed "
                    f"{len(sizes):,}; they belong together row by row. Fetch both again."
                )
        return BendLabels(str(file), sizes, self.window, self.bin_size)
