# SPDX-License-Identifier: Apache-2.0
"""Is a window of a bacterial chromosome read along the leading or the lagging strand?"""

from typing import List, Optional, Union

import numpy as np
from lightning.pytorch.utilities import rank_zero_warn

from modelgenerator.long_context.data.checks import check_at_least
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.labelled_windows import LabelledWindows
from modelgenerator.long_context.data.vocabulary import C, G

LEAST_MARGINS = 10  # a record shorter than so many margins is no chromosome


class ReplicationStrand(LabelledWindows):
    """Leading or lagging strand of circular bacterial chromosomes, a label for each window.

    Replication runs from the origin both ways to the terminus. Of a window on its way the strand
    that points along is the leading one, richer in G than in C; its reverse complement is lagging.
    Origin and terminus are where the cumulative GC skew of a chromosome is least and greatest
    (Grigoriev 1998, Nucleic Acids Research 26:2286), so compare with the sign of the skew of the
    window itself, not with chance.

    Note:
        Give finished chromosomes, one record each. Records that are too short for one, such as
        plasmids, are left out with a warning. Test on other genera, with `test_fasta`.

    Args:
        fasta: FASTA files of chromosomes; see LabelledWindows.
        window: Length of training and validation windows, in nucleotides.
        lengths: Lengths of test windows. By default `window`.
        test_fasta: Chromosomes of other genera to test on, whole.
        margin: Bases left out on each side of origin and terminus, which the skew does not place
            exactly.
    """

    def __init__(
        self,
        fasta: Union[str, List[str]],
        window: int,
        lengths: Optional[List[int]] = None,
        test_fasta: Optional[Union[str, List[str]]] = None,
        margin: int = 50_000,
        **kwargs,
    ):
        self.margin = margin
        check_at_least("margin", margin, 0)
        super().__init__(
            fasta=fasta, window=window, lengths=lengths, test_fasta=test_fasta, **kwargs
        )

    @property
    def class_names(self) -> List[str]:
        return ["lagging", "leading"]

    @property
    def strand_labels(self) -> np.ndarray:
        return np.array([[0, 1], [1, 0]])

    def _regions(self, argument: str, genome: Genome) -> List[np.ndarray]:
        lagging, leading, short = [], [], []
        for name, start, stop in zip(
            genome.names, genome.offsets[:-1].tolist(), genome.offsets[1:].tolist(), strict=True
        ):
            length = stop - start
            if length < max(LEAST_MARGINS * self.margin, self.longest):
                short.append(f"{name} ({length:,} bases)")
                continue
            origin, terminus = replication_ends(genome.read(start, length))
            leading += [row + start for row in arc(origin, terminus, length, self.margin)]
            lagging += [row + start for row in arc(terminus, origin, length, self.margin)]
        if short:
            rank_zero_warn(
                f"{argument}: {len(short)} records are left out, too short for a chromosome with "
                f"margins of {self.margin:,} bases: {', '.join(short[:5])}."
            )
        if not leading + lagging:
            raise ValueError(
                f"{argument}: no record is as long as {LEAST_MARGINS} margins, "
                f"{LEAST_MARGINS * self.margin:,} bases. Give whole chromosomes, or lower margin."
            )
        return [np.array(rows, dtype=np.int64).reshape(-1, 2) for rows in (lagging, leading)]


def replication_ends(ids: np.ndarray) -> tuple[int, int]:
    """Origin and terminus of a circular chromosome: least and greatest cumulative GC skew.

    Args:
        ids: Token ids [n].
    """
    skew = np.cumsum((ids == G).astype(np.int32) - (ids == C).astype(np.int32), dtype=np.int32)
    return int(skew.argmin()) + 1, int(skew.argmax()) + 1


def arc(start: int, stop: int, length: int, margin: int) -> List[np.ndarray]:
    """The way forward round a circle from one place to another, short of both by a margin.

    Returns:
        One or two rows [start, stop), int64 [2], within [0, length).
    """
    stop = stop if stop > start else stop + length
    start, stop = start + margin, max(start + margin, stop - margin)
    rows = [(start, min(stop, length)), (max(start, length) - length, stop - length)]
    return [np.array(row) for row in rows if row[1] > row[0]]
