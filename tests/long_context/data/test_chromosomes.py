# SPDX-License-Identifier: Apache-2.0
"""Names of chromosomes, and assemblies by length."""

import pytest

from modelgenerator.long_context.data.chromosomes import (
    LENGTHS,
    assembly_of,
    canonical,
    find_records,
)
from modelgenerator.long_context.data.genome import Genome


class Lengths:
    """What `assembly_of` asks of a genome; a real chromosome would take a minute to write."""

    def __init__(self, **lengths):
        import numpy as np

        self.names = list(lengths)
        self.offsets = np.cumsum([0, *lengths.values()])


def test_prefixes_do_not_matter(write_fasta):
    genome = Genome(
        [write_fasta({"chr1": "ACGT", "2": "ACGT", "chrM": "AC", "chr3": "A", "3": "C"})]
    )
    found = find_records(genome, ["1", "chr1", "chr2", "2", "MT", "M", "chr3", "3", "chr9"])
    assert found == {
        "1": 0, "chr1": 0, "chr2": 1, "2": 1, "MT": 2, "M": 2, "chr3": 3, "3": 4, "chr9": -1,
    }  # fmt: skip


def test_a_name_that_could_be_two_records_is_neither(write_fasta):
    genome = Genome([write_fasta({"chr3": "A", "CHR3": "C"})])
    assert find_records(genome, ["3"]) == {"3": -1}


@pytest.mark.parametrize(("name", "expected"), [("chr1", "1"), ("chrM", "MT"), ("X", "X")])
def test_canonical(name, expected):
    assert canonical(name) == expected


def test_an_assembly_is_known_by_the_length_of_one_chromosome():
    assert assembly_of(Lengths(chr20=63_025_520)) == "hg19"
    assert assembly_of(Lengths(**{"20": 64_444_167})) == "hg38"
    assert assembly_of(Lengths(chr20=1000)) is None
    assert not {*LENGTHS["hg19"].values()} & {*LENGTHS["hg38"].values()}
