# SPDX-License-Identifier: Apache-2.0
"""Which species is a window from?"""

from pathlib import Path
from typing import Dict, List, Optional, Union

import numpy as np

from modelgenerator.long_context.data import splits
from modelgenerator.long_context.data.genome import Genome
from modelgenerator.long_context.data.labelled_windows import LabelledWindows
from modelgenerator.long_context.data.sources import resolve_fasta


class Species(LabelledWindows):
    """Species of origin, a label for each window.

    The same stretch of every chromosome is tested on, its end, so that of related species, whose
    chromosomes are alike from end to end, one hardly trains on what another is tested on: near the
    border insertions shift what is alike, and `max_shared` leaves out what trains to the letter.
    Lower case counts as upper case and windows with N are left out, for both would tell one file
    from another.

    Args:
        fasta: For the name of each species its FASTA files, patterns or names of genomes; a species
            may have several assemblies.
        window: Length of training and validation windows, in nucleotides.
        lengths: Lengths of test windows. By default `window`.
        min_share: Share of a window's bases that must be A, C, G or T.

    Raises:
        ValueError: If fewer than two species or other test genomes are given.
    """

    def __init__(
        self,
        fasta: Dict[str, Union[str, List[str]]],
        window: int,
        lengths: Optional[List[int]] = None,
        min_share: float = 1.0,
        **kwargs,
    ):
        if len(fasta) < 2:
            raise ValueError(f"fasta: names {list(fasta)}; give at least two species.")
        if kwargs.get("test_fasta") is not None:
            raise ValueError(
                "test_fasta: Species tests on the end of every chromosome in `fasta`. Leave it out."
            )
        super().__init__(fasta=fasta, window=window, lengths=lengths, min_share=min_share, **kwargs)

    @property
    def class_names(self) -> List[str]:
        return list(self.fasta)

    @property
    def strand_labels(self) -> np.ndarray:
        return np.tile(np.arange(len(self.fasta)), (2, 1))

    def _paths(self, argument: str) -> List[Path]:
        if argument != "fasta":
            return super()._paths(argument)
        return [path for paths in self._paths_of_species().values() for path in paths]

    def _paths_of_species(self) -> Dict[str, List[Path]]:
        return {name: resolve_fasta("fasta", given) for name, given in self.fasta.items()}

    def _regions(self, argument: str, genome: Genome) -> List[np.ndarray]:
        files = [len(paths) for paths in self._paths_of_species().values()]
        bounds = genome.file_offsets[np.cumsum([0, *files])]
        return [np.array([[start, stop]]) for start, stop in zip(bounds, bounds[1:], strict=False)]

    def _split(self) -> splits.Split:
        return splits.split_along(
            self.genome.offsets, self.longest, self.valid_share, self.test_share
        )
