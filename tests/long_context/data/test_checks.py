# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from modelgenerator.long_context.data import checks


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, [4], None), "window: 0; give at least 1."),
        ((8, [], None), "lengths: none is given."),
        ((8, [8, 0], None), "lengths: 0; give at least 1."),
        ((8, [8, 12], None), "lengths: 12 is no multiple of 8."),
        ((8, [8, 8], None), "lengths: 8 is given twice."),
        ((8, [16, 64], 63), "block: 63; give at least 64, the longest"),
        ((128, [16, 64], 127), "block: 127; give at least 128"),
    ],
)
def test_lengths(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_lengths(*arguments)


def test_good_lengths_pass():
    checks.check_lengths(500, [512, 1_024, 8_192], None)
    checks.check_lengths(512, [512], 512)


@pytest.mark.parametrize(
    ("valid", "test", "message"),
    [
        (-0.1, 0.1, "valid_share: -0.1; give a share from 0 to 1."),
        (0.1, 1.5, "test_share: 1.5; give a share from 0 to 1."),
        (0.5, 0.5, "valid_share 0.5 and test_share 0.5 sum to 1.0; the sum must stay below 1"),
    ],
)
def test_shares(valid, test, message):
    checks.check_shares(0.5, 0.49)
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_shares(valid, test)


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ((0.0, 0.5, 0.05), "mask_rate: 0.0; give a rate above 0 and below 1"),
        ((1.0, 0.5, 0.05), "mask_rate: 1.0; give"),
        ((float("nan"), 0.5, 0.05), "mask_rate: nan; give"),
        ((0.15, 0.0, 0.05), "copy_mask_rate: 0.0; give a rate above 0, at most 1."),
        ((0.15, 1.1, 0.05), "copy_mask_rate: 1.1; give"),
        ((0.15, 0.5, 1.0), "max_n_fraction: 1.0; give a share from 0, below 1."),
    ],
)
def test_rates(rates, message):
    checks.check_rates(0.15, 1.0, 0.0)
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_rates(*rates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({64: 1}, 0, 8, 0.5, 0.5), "copy_min_length: 0; give at least 1."),
        (({64: 1}, 9, 8, 0.5, 0.5), "copy_max_length: 8; give at least copy_min_length, 9."),
        (({64: 1}, 8, 8, 1.5, 0.5), "copy_reverse_complement: 1.5; give a share from 0 to 1."),
        (({64: 1}, 8, 8, 0.5, -1), "copy_share: -1; give a share from 0 to 1."),
        (({}, 8, 8, 0.5, 0.5), "copy_share: 0.5, but copies_per_window is 0."),
        (({64: 1}, 8, 33, 0, 0), "a window of 64 with 1 copies has room for 32"),
        (({999: 2, 64: 2}, 8, 9, 0, 0), "a window of 64 with 2 copies has room for 8"),
    ],
)
def test_copies(arguments, message):
    checks.check_copies({64: 1}, 8, 32, 0.0, 1.0)
    checks.check_copies({}, 8, 32, 0.0, 0.0)
    with pytest.raises(ValueError, match=re.escape(message)):
        checks.check_copies(*arguments)


def test_least():
    checks.check_at_least("eval_windows", None, 1)
    with pytest.raises(ValueError, match="eval_windows: 0; give at least 1."):
        checks.check_at_least("eval_windows", 0, 1)
