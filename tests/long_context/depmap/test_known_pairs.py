# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.depmap.known_pairs import rank_known_pairs, read_pairs


def by_distance(n):
    """A map in which near bases depend on each other, whatever they are."""
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    values = 1.0 / (1 + distance)
    np.fill_diagonal(values, np.nan)
    return values


def test_distance_alone_is_guessing(make_map):
    found = make_map(by_distance(12))
    ranked = rank_known_pairs(found, [(0, 2), (3, 8), (4, 5)])
    assert ranked.auroc == 0.5
    assert ranked.pairs == 3


def test_pair_above_all_others_at_its_distance(make_map):
    values = by_distance(12)
    values[2, 9] = values[9, 2] = 0.2  # far below what neighbours have
    assert rank_known_pairs(make_map(values), [(2, 9)]).auroc == 1.0
    assert rank_known_pairs(make_map(values), [(9, 2)]).auroc == 1.0


def test_either_direction_counts_half(make_map):
    values = by_distance(12)
    values[2, 9] = 0.2
    assert rank_known_pairs(make_map(values), [(2, 9)]).auroc == 0.75


def test_directions_that_the_map_does_not_hold(make_map):
    values = by_distance(12)[2:5]
    values[0, 9] = 0.2
    ranked = rank_known_pairs(make_map(values, rows=[2, 3, 4]), [(2, 9), (0, 11)])
    assert (ranked.auroc, ranked.pairs) == (1.0, 1)


def test_nothing_to_compare_with(make_map):
    with pytest.raises(ValueError, match="none of 1 pairs can be ranked"):
        rank_known_pairs(make_map(by_distance(4)), [(0, 3)])


def test_read_pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("i\tj\n105\t110\n106\t109\n")
    assert read_pairs(str(path)) == [(105, 110), (106, 109)]
    path.write_text("i\tj\n105\t110\n106\t109\n110\t105\n105\t110\n")
    assert read_pairs(str(path)) == [(105, 110), (106, 109)]
    path.write_text("i\tj\n105\n")
    with pytest.raises(ValueError, match="line 2: two positions are needed"):
        read_pairs(str(path))
    path.write_text("i\tj\n")
    with pytest.raises(ValueError, match="holds no pair"):
        read_pairs(str(path))


def test_first_line_with_one_position_is_no_header(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("\t20\n10\t30\n")
    with pytest.raises(ValueError, match="line 1: two positions are needed"):
        read_pairs(str(path))
    path.write_text("i\tj\n10\t30\n")
    assert read_pairs(str(path)) == [(10, 30)]
