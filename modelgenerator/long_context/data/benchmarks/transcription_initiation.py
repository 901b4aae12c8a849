# SPDX-License-Identifier: Apache-2.0
"""Transcription initiation of DNALongBench: ten tracks from bigWig, a number for every base.

wenduocheng/DNALongBench; code BSD-3-Clause. The tracks are those of Puffin (Dudnyk et al. 2024,
Science 384:eadj0116): CAGE of FANTOM, CAGE and RAMPAGE of ENCODE, GRO-cap and PRO-cap, of either
strand.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import List, Optional, Union

import numpy as np
import pandas as pd
import torch

from modelgenerator.long_context.data.benchmarks.files import dataset_file
from modelgenerator.long_context.data.checks import check_at_least
from modelgenerator.long_context.data.chromosomes import canonical
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.interval_table import read_interval_table
from modelgenerator.long_context.data.interval_windows import Intervals, IntervalWindows
from modelgenerator.long_context.data.sources import resolve_fasta

# In the owners' order: of the forward strand, then of the other one, mirrored.
TRACKS = {
    "cage_plus": "agg.plus.bw.bedgraph.bw",
    "encodecage_plus": "agg.encodecage.plus.v2.bedgraph.bw",
    "encoderampage_plus": "agg.encoderampage.plus.v2.bedgraph.bw",
    "grocap_plus": "agg.plus.grocap.bedgraph.sorted.merged.bw",
    "procap_plus": "agg.plus.allprocap.bedgraph.sorted.merged.bw",
    "procap_minus": "agg.minus.allprocap.bedgraph.sorted.merged.bw",
    "grocap_minus": "agg.minus.grocap.bedgraph.sorted.merged.bw",
    "encoderampage_minus": "agg.encoderampage.minus.v2.bedgraph.bw",
    "encodecage_minus": "agg.encodecage.minus.v2.bedgraph.bw",
    "cage_minus": "agg.minus.bw.bedgraph.bw",
}
# Where FANTOM's track is not to be trusted it is ENCODE's, scaled: stretches, track, source.
REPLACED = (
    ("fantom.blacklist8.plus.bed.gz", "cage_plus", "encodecage_plus"),
    ("fantom.blacklist8.minus.bed.gz", "cage_minus", "encodecage_minus"),
)
SCALE = 0.61357
CHROMOSOMES = {*map(str, range(1, 23)), "X", "Y"}
SPLITS = {"8": "test", "9": "test", "10": "valid"}  # all others train


class Signals(Sequence):
    """Tracks along windows, read from bigWig when asked for.

    Args:
        files: A bigWig for each track.
        chroms: Canonical name of each window's chromosome.
        starts: First base of each window within it.
        window: Length of the windows.
        replaced: Track to correct, track to take instead, and where, by canonical chromosome,
            int64 [stretches, 2].
    """

    def __init__(
        self,
        files: Sequence[Path],
        chroms: np.ndarray,
        starts: np.ndarray,
        window: int,
        replaced: Sequence[tuple[int, int, dict[str, np.ndarray]]],
    ):
        self.files = list(files)
        self.chroms = chroms
        self.starts = starts
        self.window = window
        self.replaced = list(replaced)
        self._opened: Optional[tuple[int, list]] = None

    def __getstate__(self) -> dict:
        return {**vars(self), "_opened": None}  # open files do not travel to workers

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Signals of window `index`, float32 [window, tracks]; 0 where there is none."""
        if self._opened is None or self._opened[0] != os.getpid():  # a fork would share positions
            self._opened = (os.getpid(), [open_bigwig(file) for file in self.files])
        chrom, start = self.chroms[index], int(self.starts[index])
        stop = start + self.window
        out = np.empty((self.window, len(self.files)), dtype=np.float32)
        for i, (file, names) in enumerate(self._opened[1]):
            out[:, i] = file.values(names[chrom], start, stop, numpy=True)
        for track, source, stretches in self.replaced:
            there = stretches.get(chrom, np.zeros((0, 2), dtype=np.int64))
            meets = (there[:, 0] < stop) & (there[:, 1] > start)
            for first, last in np.clip(there[meets], start, stop) - start:
                out[first:last, track] = out[first:last, source] * SCALE
        return torch.from_numpy(np.nan_to_num(out, copy=False, nan=0.0))


def open_bigwig(file: Path) -> tuple[object, dict[str, str]]:
    """An open bigWig, and what it calls each chromosome.

    Raises:
        ValueError: If the file is no bigWig.
        ImportError: If pyBigWig is not installed.
    """
    try:
        import pyBigWig
    except ImportError:
        raise ImportError("bigWig is read by pyBigWig: pip install pyBigWig") from None
    try:
        opened = pyBigWig.open(str(file))
    except RuntimeError as error:
        raise ValueError(f"path: {file} is no bigWig ({error}). Fetch it again.") from None
    return opened, {canonical(name): name for name in opened.chroms()}


class TranscriptionInitiation(IntervalWindows):
    """Where does transcription begin? Ten tracks, a number for every base, of DNALongBench. hg38.

    Chromosomes 8 and 9 test, 10 validates, all others train, as the owners have it.

    Note:
        The owners train on random windows of 100,000 nt outside of ENCODE's blacklist; here windows
        of any length lie side by side. `labels` is float32 [batch, n, 10], for `BinRegression` with
        `bin_size: 1`, untransformed; 0 where a track has no value. As the owners do, FANTOM's CAGE
        is 0.61357 times ENCODE's within its blacklist.

    Args:
        path: Folder with the owners' ten bigWigs and two blacklists, under the names in `TRACKS`
            and `REPLACED`.
        fasta: hg38: FASTA files or patterns, plain or compressed.
        window: Length of the windows, in nucleotides.
        stride: Bases between the starts of windows. By default `window`.
        max_n_fraction: Windows with a larger share of N are left out; the owners test on none with
            an N.
    """

    assembly = "hg38"

    def __init__(
        self,
        path: str,
        fasta: Union[str, List[str]],
        window: int = 64_000,
        stride: Optional[int] = None,
        max_n_fraction: float = 0.0,
        **kwargs,
    ):
        super().__init__(fasta, window, max_n_fraction, **kwargs)
        self.path = path
        self.stride = window if stride is None else stride
        check_at_least("stride", self.stride, 1)

    def read_intervals(self) -> Intervals:
        """Windows side by side on every chromosome, and their tracks."""
        if not os.path.isdir(self.path):
            raise ValueError(
                f"path: {self.path} is no folder. Give the one with {', '.join(TRACKS.values())}."
            )
        files = [dataset_file(self.path, name) for name in TRACKS.values()]
        genome = Genome(resolve_fasta("fasta", self.fasta))
        sizes = np.diff(genome.offsets).tolist()
        sizes = {n: size for n, size in zip(genome.names, sizes, strict=True)
                 if canonical(n) in CHROMOSOMES}  # fmt: skip
        starts = {n: np.arange(0, size - self.window + 1, self.stride) for n, size in sizes.items()}
        frame = pd.DataFrame(
            {
                "chrom": np.repeat(list(starts), [len(at) for at in starts.values()]),
                "start": np.concatenate([*starts.values(), np.zeros(0, dtype=np.int64)]),
            }
        )
        chroms = frame["chrom"].map(canonical)
        frame["stop"] = frame["start"] + self.window
        frame["split"] = chroms.map(SPLITS).fillna("train")
        covered = self._covered(files, sizes)
        signals = Signals(
            files, chroms.to_numpy(), frame["start"].to_numpy(), self.window, self._replaced()
        )
        return Intervals(frame, signals, ~chroms.isin(covered).to_numpy())

    def _covered(self, files: Sequence[Path], sizes: dict[str, int]) -> set[str]:
        """Canonical names of chromosomes that every track has."""
        covered = set(map(canonical, sizes))
        for file in files:
            opened, names = open_bigwig(file)
            lengths = {canonical(name): length for name, length in opened.chroms().items()}
            opened.close()
            covered &= set(names)
            for name, size in sizes.items():
                if lengths.get(canonical(name), size) != size:
                    raise ValueError(
                        f"path: {file.name} has {lengths[canonical(name)]:,} bases of {name}, the "
                        f"genome {size:,}. Give the assembly the tracks were made on, hg38."
                    )
        return covered

    def _replaced(self) -> list[tuple[int, int, dict[str, np.ndarray]]]:
        tracks = list(TRACKS)
        found = []
        for name, track, source in REPLACED:
            table = read_interval_table(str(dataset_file(self.path, name)))
            stretches = {
                canonical(str(chrom)): part[["start", "stop"]].to_numpy()
                for chrom, part in table.groupby("chrom")
            }
            found.append((tracks.index(track), tracks.index(source), stretches))
        return found
