# SPDX-License-Identifier: Apache-2.0
"""Counting what is left out."""

import numpy as np
import pytest

from modelgenerator.long_context.data.kept import Kept


def test_a_row_counts_for_its_first_reason_only():
    kept = Kept("Set train", 5)
    kept.leave_out([True, True, False, False, False], "too short")
    kept.leave_out(np.array([False, True, True, False, False]), "too odd")
    kept.leave_out([False] * 5, "never")
    assert kept.index.tolist() == [3, 4]
    expected = {"rows": 5, "kept": 2, "left_out": {"too short": 2, "too odd": 1}}
    assert kept.describe() == expected


def test_nothing_left_is_an_error_that_says_why():
    kept = Kept("Set test", 3)
    kept.leave_out([True] * 3, "off the chromosome")
    with pytest.raises(ValueError, match=r"Set test: none of 3 rows can be used \(3 off the chr"):
        kept.report()
    Kept("Set test", 0).report()  # an empty split is not
