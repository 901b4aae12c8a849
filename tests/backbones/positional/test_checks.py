# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from modelgenerator.backbones.positional.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_number,
)


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, -math.inf, "16", None, True, [16.0]])
def test_number_refuses(value):
    with pytest.raises(ValueError, match="factor=.* is not allowed: give a finite number of at"):
        check_number("factor", value, 1.0)


def test_number_bounds():
    assert check_number("x", 1, 1.0) == 1.0
    assert isinstance(check_number("x", 1, 1.0), float)
    assert check_number("x", 2.0, 1.0, 2.0) == 2.0
    with pytest.raises(ValueError, match=r"x=1 .* above 1 and at most 2\. Do this\."):
        check_number("x", 1, 1.0, 2.0, exclusive=True, advice="Do this.")
    with pytest.raises(ValueError, match=r"x=2.1 is not allowed: give .* at least 1 and at most 2"):
        check_number("x", 2.1, 1.0, 2.0)


@pytest.mark.parametrize("value", [0, 2.0, True, "3", None])
def test_integer_refuses(value):
    with pytest.raises(ValueError, match="seed=.* is not allowed: give an integer of at least 1"):
        check_integer("seed", value, 1)


def test_flag_and_choice():
    assert check_flag("dynamic", False) is False
    assert check_choice("ramp", "turns", ("channels", "turns")) == "turns"
    with pytest.raises(ValueError, match="dynamic='false' is not allowed: give true or false"):
        check_flag("dynamic", "false")
    with pytest.raises(ValueError, match="ramp='turn' is not allowed: give one of channels, turns"):
        check_choice("ramp", "turn", ("channels", "turns"))
