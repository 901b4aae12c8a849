# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.depmap.compare import agreement, common


@pytest.fixture
def values():
    return np.random.default_rng(0).random((20, 30))


def test_any_rising_function_agrees_fully(make_map, values):
    found = agreement(make_map(values), make_map(np.exp(values)))
    assert found.rank_correlation == pytest.approx(1.0)
    assert found.top_overlap == 1.0
    assert found.values == 600


def test_shuffled_values_agree_by_chance(make_map, values):
    other = np.random.default_rng(1).permutation(values.ravel()).reshape(values.shape)
    found = agreement(make_map(values), make_map(other))
    assert abs(found.rank_correlation) < 0.15
    assert found.top_overlap < 0.5


def test_only_what_both_hold_is_compared(make_map, values):
    values[0, 0] = np.nan
    part = make_map(values[:5, 10:], rows=range(5), columns=range(10, 30))
    one, other = common(make_map(values), part)
    np.testing.assert_array_equal(one.values, other.values)
    assert agreement(make_map(values), make_map(values)).values == 599


def test_map_with_more_context_is_compared_where_both_are(make_map, values):
    wide = np.random.default_rng(2).random((40, 50))
    wide[10:30, 10:40] = values
    one = make_map(values, start=110, stop=140, sequence="ACGTAC" * 5)
    other = make_map(wide, start=100, stop=160, sequence="G" * 10 + "ACGTAC" * 5 + "T" * 20)
    assert agreement(one, other).rank_correlation == pytest.approx(1.0)
    other.about["sequence"] = "G" * 60
    with pytest.raises(ValueError, match="their sequences differ"):
        agreement(one, other)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"record": "q"}, "one is of r, the other of q"),
        ({"block": 4}, "blocks of different sizes"),
    ],
)
def test_maps_of_different_things_are_refused(make_map, values, about, message):
    with pytest.raises(ValueError, match=message):
        agreement(make_map(values), make_map(values, **about))


def test_nothing_in_common(make_map, values):
    other = make_map(values, rows=np.arange(100, 120))
    with pytest.raises(ValueError, match="no row or no column in common"):
        agreement(make_map(values), other)
