# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.depmap.positions import parse_positions
from modelgenerator.long_context.depmap.refine import strongest_blocks, write_beds


@pytest.fixture
def coarse(make_map):
    """Four blocks of 10 bases; block 0 and base 35 depend on each other, and so do neighbours."""
    values = np.zeros((4, 40))
    for row in range(4):
        values[row, max(0, 10 * row - 10) : 10 * row + 20] = 5.0
    values[0, 35] = 3.0
    values[3, 2] = 2.0
    return make_map(values, rows=[0, 10, 20, 30], columns=np.arange(40), block=10, start=1000)


def test_neighbours_are_left_out(coarse):
    assert strongest_blocks(coarse, 2) == [(1000, 1030, 3.0), (1030, 1000, 2.0)]


def test_files_lead_back_to_the_blocks(coarse, tmp_path):
    write_beds(coarse, strongest_blocks(coarse, 1), tmp_path)
    rows = parse_positions("rows", str(tmp_path / "rows.bed"), "r", 1000, 1040)
    columns = parse_positions("columns", str(tmp_path / "columns.bed"), "r", 1000, 1040)
    assert rows.tolist() == list(range(10))
    assert columns.tolist() == list(range(30, 40))


def test_map_of_single_bases_is_refused(make_map):
    with pytest.raises(ValueError, match="one of single bases already"):
        strongest_blocks(make_map(np.zeros((4, 4))), 1)


def test_no_distant_blocks(make_map):
    found = make_map(np.ones((2, 20)), rows=[0, 10], columns=np.arange(20), block=10)
    with pytest.raises(ValueError, match="no two blocks of 10 bases"):
        strongest_blocks(found, 1)
