# SPDX-License-Identifier: Apache-2.0
"""Labels from an annotation: of whole windows, and of every base."""

from typing import Dict, List, Optional, Union

import numpy as np
from lightning.pytorch.utilities import rank_zero_warn

from modelgenerator.long_context.data.annotation import read_annotation
from modelgenerator.long_context.data.checks import check_at_least
from modelgenerator.long_context.data.feature_runs import Placed, runs_of
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.labelled_windows import LabelledWindows, NucleotideWindows
from modelgenerator.long_context.data.regions import Track, complement, overlay, subtract, union
from modelgenerator.long_context.data.sources import resolve_annotation

Features = Dict[str, Union[str, List[str]]]
Files = Union[str, List[str]]


def place_features(argument: str, genome: Genome, given: Optional[Files]) -> Placed:
    """Features of one or several files, on a genome.

    Raises:
        ValueError: If no file is given, or one cannot be used.
    """
    if given is None:
        raise ValueError(f"{argument}: none is given for test_fasta. Give its annotation.")
    files = [given] if isinstance(given, str) else given
    features = [f for one in files for f in read_annotation(resolve_annotation(argument, one))]
    return Placed(argument, genome, features)


class _Annotated(LabelledWindows):
    """What windows and bases with labels from an annotation share; mixed into either."""

    def __init__(
        self,
        fasta: Files,
        annotation: Files,
        features: Features,
        window: int,
        lengths: Optional[List[int]] = None,
        test_fasta: Optional[Files] = None,
        test_annotation: Optional[Files] = None,
        stranded: bool = False,
        join: int = 0,
        **kwargs,
    ):
        if not features:
            raise ValueError("features: none. Give names of classes with types of features each.")
        check_at_least("join", join, 0)
        self.annotation, self.test_annotation = annotation, test_annotation
        self.features, self.stranded, self.join = features, stranded, join
        super().__init__(
            fasta=fasta, window=window, lengths=lengths, test_fasta=test_fasta, **kwargs
        )

    def _class_runs(self, argument: str, genome: Genome) -> List[np.ndarray]:
        """Runs of each class; of a stranded one first those of the forward strand."""
        annotation = argument.replace("fasta", "annotation")
        placed = place_features(annotation, genome, getattr(self, annotation))
        selected = [
            placed.select([given] if isinstance(given, str) else given)
            for given in self.features.values()
        ]
        without = sum(feature.strand == 0 for features in selected for feature in features)
        if self.stranded and without:
            rank_zero_warn(
                f"{annotation}: {without:,} of {sum(map(len, selected)):,} features chosen have no "
                "strand and are left out. Give their strand, or `stranded: false`."
            )
        return [
            runs_of(features, strand, self.join)
            for features in selected
            for strand in ((1, -1) if self.stranded else (0,))
        ]

    def _feature_names(self) -> List[str]:
        if not self.stranded:
            return list(self.features)
        return [f"{name} {strand}" for name in self.features for strand in "+-"]

    def _strand_labels(self, first: int) -> np.ndarray:
        """Label of each class on both strands; `first` classes before them have no strand."""
        forward = np.arange(first + len(self._feature_names()))
        reverse = forward.copy()
        if self.stranded:
            reverse[first::2], reverse[first + 1 :: 2] = forward[first + 1 :: 2], forward[first::2]
        return np.stack([forward, reverse])


class AnnotatedWindows(_Annotated):
    """Windows with the label of the features they lie in, from GFF3, GenBank, BED or a gene table.

    For example the strand of a gene, of a window within genes of one strand: `features: {gene:
    gene}`, `stranded: true`.

    Note:
        Bases that features of several classes cover count for none of them.

    Args:
        fasta: FASTA files; see LabelledWindows.
        annotation: Annotation files of `fasta`, or names of fetched genomes that have one.
        features: For the name of each class the types of its features: `CDS`, or only those with
            an attribute, `CDS:is_phage=1`, or with a text in it, `CDS:product~prophage`.
        window: Length of training and validation windows, in nucleotides.
        lengths: Lengths of test windows. By default `window`.
        test_fasta: Other genomes to test on, whole.
        test_annotation: Annotation files of `test_fasta`.
        stranded: Whether features of either strand are classes of their own, told apart by the
            strand on which a window is read.
        background: Name of one more class, of windows outside of all features, the first. None
            leaves such windows out.
        join: Gaps up to so many bases between features of a class are filled.
    """

    def __init__(
        self,
        fasta: Files,
        annotation: Files,
        features: Features,
        window: int,
        background: Optional[str] = None,
        **kwargs,
    ):
        self.background = background
        super().__init__(fasta, annotation, features, window, **kwargs)
        if self.n_classes < 2:
            raise ValueError(
                f"features: {list(features)} is one class. Give another, `stranded: true` or a "
                "`background`."
            )

    @property
    def class_names(self) -> List[str]:
        return ([self.background] if self.background else []) + self._feature_names()

    @property
    def strand_labels(self) -> np.ndarray:
        return self._strand_labels(int(self.background is not None))

    def _regions(self, argument: str, genome: Genome) -> List[np.ndarray]:
        runs = self._class_runs(argument, genome)
        alone = [
            subtract(one, union(*(other for j, other in enumerate(runs) if j != i)))
            for i, one in enumerate(runs)
        ]
        outside = complement(union(*runs), len(genome))
        return ([outside] if self.background else []) + alone


class AnnotatedNucleotides(_Annotated, NucleotideWindows):
    """Windows with a label for every base, from GFF3, GenBank, BED or a gene table.

    For example gene structure: `features: {intron: gene, exon: exon}`, for an exon wins over the
    gene it is part of. Or mobile elements: `features: {mobile: mobile_element}`.

    Args:
        fasta: FASTA files; see LabelledWindows.
        annotation: Annotation files of `fasta`, or names of fetched genomes that have one.
        features: For the name of each class the types of its features, as for AnnotatedWindows;
            where several cover a base, the last wins. Class 0, "other", is all other bases.
        window: Length of training and validation windows, in nucleotides.
        lengths: Lengths of test windows. By default `window`.
        test_fasta: Other genomes to test on, whole.
        test_annotation: Annotation files of `test_fasta`.
        stranded: Whether features of either strand are classes of their own.
        join: Gaps up to so many bases between features of a class are filled.
    """

    @property
    def class_names(self) -> List[str]:
        return ["other", *self._feature_names()]

    @property
    def strand_labels(self) -> np.ndarray:
        return self._strand_labels(1)

    def _regions(self, argument: str, genome: Genome) -> List[np.ndarray]:
        return self._class_runs(argument, genome)

    def _track(self, regions: List[np.ndarray]) -> Track:
        return overlay(regions)
