# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.data.copies import DIRECT, REVERSE_COMPLEMENT
from modelgenerator.long_context.data.copy_pairs import find_copies
from modelgenerator.long_context.data.genome import Genome

PAIRS = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def find(write_fasta, random_dna):
    """Copies in 20 kb in which segments were overwritten by copies."""

    def find(*planted, reach=8_000, length=20_000):
        letters = np.array(list(random_dna(length, 3)))
        for source, copy, size, reverse in planted:
            segment = letters[source : source + size]
            if reverse:
                segment = list("".join(segment).translate(PAIRS)[::-1])
            letters[copy : copy + size] = segment
        path = write_fasta({"x": "".join(letters), "y": "".join(letters[:5_000])})
        copies = find_copies(Genome([path]), reach)
        rows = zip(*(column.tolist() for column in copies), strict=True)
        return [row for row in rows if row[0] < length]

    return find


def near(found, expected):
    """Matches may go on by chance for a few bases."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one[3] == other[3]
        np.testing.assert_allclose(one[:3], other[:3], atol=8)


def test_direct_and_reverse_complement(find):
    planted = [(1_000, 4_000, 400, False), (2_000, 6_000, 300, True)]
    near(
        find(*planted),
        [(4_000, 1_000, 400, DIRECT), (6_000, 2_000, 300, REVERSE_COMPLEMENT)],
    )


def test_a_record_without_a_base(write_fasta, random_dna):
    letters = random_dna(1_000, 3)
    path = write_fasta({"x": letters + random_dna(500, 4) + letters, "empty": "", "y": letters})
    near(
        list(zip(*(c.tolist() for c in find_copies(Genome([path]), 8_000)), strict=True)),
        [(1_500, 0, 1_000, DIRECT)],
    )


def test_none_by_chance(find):
    assert find() == []


def test_not_beyond_reach_nor_too_short_nor_in_another_record(find):
    assert find((1_000, 9_500, 400, False)) == []
    assert find((1_000, 4_000, 90, False)) == []


def test_three_in_reach_are_left_out(find):
    assert find((1_000, 4_000, 400, False), (1_000, 6_000, 400, False)) == []
    # With one of them out of reach, the other two are a pair.
    near(
        find((1_000, 4_000, 400, False), (1_000, 15_000, 400, False)),
        [(4_000, 1_000, 400, DIRECT)],
    )


def test_tandem_repeats_are_left_out(find):
    assert find(*((1_000, 1_000 + 200 * i, 200, False) for i in range(1, 6))) == []
