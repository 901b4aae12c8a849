# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.long_context.data.vocabulary import CLS, MASK, SEP, A, C, G, N, T
from modelgenerator.long_context.evaluation.reverse_complement import (
    other_strand,
    strand_consistency,
)


def test_other_strand_by_hand():
    ids = torch.tensor([[CLS, A, C, MASK, N, G, SEP]])
    assert other_strand(ids).tolist() == [[CLS, C, N, MASK, G, T, SEP]]
    assert torch.equal(other_strand(other_strand(ids)), ids)


def test_two_bases_by_hand():
    """One base is A for both strands; one is C at 1 to 3 for one and at 3 to 1 for the other."""
    here = torch.full((2, 16), -100.0)
    there = torch.full((2, 16), -100.0)
    here[0, A] = 0.0
    there[1, T] = 0.0  # read from the other end: the first base comes last, as its complement
    here[1, [C, G]] = torch.tensor([1 / 4, 3 / 4]).log()
    there[0, [G, C]] = torch.tensor([3 / 4, 1 / 4]).log()  # C is G there
    found = strand_consistency(here, there)
    assert found.agree.tolist() == [True, False]
    assert found.divergence.tolist() == pytest.approx([0.0, math.log(3) / 2], abs=1e-5)


def test_other_tokens_do_not_count():
    here, there = torch.randn(2, 4, 16, generator=torch.Generator().manual_seed(1))
    before = strand_consistency(here, there)
    others = [i for i in range(16) if i not in (A, C, G, T)]
    here[:, others] += 50.0
    torch.testing.assert_close(strand_consistency(here, there).divergence, before.divergence)


def test_the_order_of_strands_does_not_matter():
    here, there = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(2))
    one, other = strand_consistency(here, there), strand_consistency(there, here)
    torch.testing.assert_close(one.divergence, other.divergence.flip(0))
    assert torch.equal(one.agree, other.agree.flip(0))
