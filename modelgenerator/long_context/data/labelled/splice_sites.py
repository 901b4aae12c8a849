# SPDX-License-Identifier: Apache-2.0
"""Where do introns begin and end? A label for every base, as SpliceAI has it."""

from typing import List, Optional

import numpy as np
from lightning.pytorch.utilities import rank_zero_info

from modelgenerator.long_context.data.feature_runs import runs_of
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.labelled.annotated import Files, place_features
from modelgenerator.long_context.data.labelled_windows import NucleotideWindows
from modelgenerator.long_context.data.regions import Track, overlay, union
from modelgenerator.long_context.data.vocabulary import decode, reverse_complement
from modelgenerator.long_context.data.windows import spread

NEITHER, ACCEPTOR, DONOR = range(3)
_FLANK = np.array([-1, 1])
LEAST_CANONICAL = 0.5  # share of introns; in real annotation it is above 0.9
CHECKED = 2_000  # introns


class SpliceSites(NucleotideWindows):
    """Donor and acceptor sites of the strand that is read, a label for every base.

    The last base of an exon before an intron is a donor, the first after it an acceptor (Jaganathan
    et al. 2019, Cell 176:535). Sites of the other strand are "neither". Windows are drawn where
    genes are.

    Note:
        Sites come from the exons of the annotation: a site that it leaves out, of another
        transcript for example, counts as "neither".

    Args:
        fasta: FASTA files; see LabelledWindows.
        annotation: Annotation files of `fasta` with `gene` and `exon`, or names of fetched genomes.
        window: Length of training and validation windows, in nucleotides.
        lengths: Lengths of test windows. By default `window`.
        test_fasta: Other genomes to test on, whole.
        test_annotation: Annotation files of `test_fasta`.

    Raises:
        ValueError: If most introns do not begin with GT and end with AG: the annotation is then of
            another assembly, or shifted.
    """

    def __init__(
        self,
        fasta: Files,
        annotation: Files,
        window: int,
        lengths: Optional[List[int]] = None,
        test_fasta: Optional[Files] = None,
        test_annotation: Optional[Files] = None,
        **kwargs,
    ):
        self.annotation, self.test_annotation = annotation, test_annotation
        super().__init__(
            fasta=fasta, window=window, lengths=lengths, test_fasta=test_fasta, **kwargs
        )

    @property
    def class_names(self) -> List[str]:
        return ["neither", "acceptor", "donor"]

    @property
    def strand_labels(self) -> np.ndarray:
        # Regions: neither, acceptor +, donor +, acceptor -, donor -.
        return np.array(
            [
                [NEITHER, ACCEPTOR, DONOR, NEITHER, NEITHER],
                [NEITHER, NEITHER, NEITHER, ACCEPTOR, DONOR],
            ]
        )

    def _regions(self, argument: str, genome: Genome) -> List[np.ndarray]:
        annotation = argument.replace("fasta", "annotation")
        placed = place_features(annotation, genome, getattr(self, annotation))
        self._genes = runs_of(placed.select(["gene"]))
        introns = np.array(placed.introns(), dtype=np.int64).reshape(-1, 3)
        _check_introns(annotation, genome, introns)
        regions = []
        for strand in (1, -1):
            start, stop, _ = introns[introns[:, 2] == strand].T
            before, after = (np.stack([at, at + 1], axis=1) for at in (start - 1, stop))
            regions += [after, before] if strand == 1 else [before, after]
        return regions

    def _track(self, regions: List[np.ndarray]) -> Track:
        return overlay(regions)

    def _window_classes(self, regions: List[np.ndarray], genome: Genome) -> List[np.ndarray]:
        near = self._genes + _FLANK * (max(self.longest, 2) // 2)
        return [union(np.clip(near, 0, len(genome)))]


def canonical_share(genome: Genome, introns: np.ndarray) -> float:
    """Share of introns, rows of start, stop and strand, that begin with GT and end with AG."""
    hits = 0
    for start, stop, strand in introns.tolist():
        ends = np.concatenate([genome.read(start, 2), genome.read(stop - 2, 2)])
        hits += decode(ends if strand == 1 else reverse_complement(ends)) == "GTAG"
    return hits / max(1, len(introns))


def _check_introns(argument: str, genome: Genome, introns: np.ndarray) -> None:
    checked = spread(introns, CHECKED)
    if not len(checked):
        raise ValueError(
            f"{argument}: no transcript has two exons, so there is no splice site. Give annotation "
            "with `exon` features and their parents."
        )
    share = canonical_share(genome, checked)
    rank_zero_info(f"{argument}: {share:.1%} of {len(checked):,} introns are GT-AG")
    if share < LEAST_CANONICAL:
        raise ValueError(
            f"{argument}: only {share:.1%} of {len(checked):,} introns begin with GT and end with "
            "AG. The annotation is of another assembly than the sequence, or its coordinates are "
            "shifted; give one that fits."
        )
