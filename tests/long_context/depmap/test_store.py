# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from modelgenerator.long_context.depmap.store import Block, MapFolder

ABOUT = {
    "start": 50,
    "strand": "both",
    "rows": [0, 1, 2, 3],
    "columns": [0, 1, 2],
    "weights_digest": "w",
}


def block(strand, rows, value):
    rows, columns = np.array(rows), np.arange(3)
    values = np.full((len(rows), 3), value, dtype=np.float32)
    values[rows[:, None] == columns] = np.nan
    return Block(strand, rows, columns, values)


@pytest.fixture
def folder(tmp_path):
    folder = MapFolder(tmp_path / "map")
    folder.start(ABOUT)
    for strand, value in (("+", 1.0), ("-", 3.0)):
        folder.write_reference(strand, np.full((4, 4), 0.25))
        for rows in ([0, 1], [2, 3]):
            folder.write(block(strand, rows, value))
    return folder


def damage(folder):
    path = next((folder.path / "blocks").glob("forward_2-3_*"))
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)


def test_strands_are_averaged_and_own_substitutions_left_empty(folder):
    found = folder.load()
    assert found.values.shape == (4, 3)
    own = np.arange(4)[:, None] == np.arange(3)
    assert np.isnan(found.values[own]).all()
    assert (found.values[~own] == 2.0).all()
    assert found.reference.shape == (4, 4)


def test_pooling_keeps_the_largest(folder):
    folder.write(Block("+", np.array([2, 3]), np.arange(3), np.full((2, 3), 9.0, np.float32)))
    found = folder.load(pool=2)
    assert found.rows.tolist() == [50, 52]
    assert found.columns.tolist() == [50, 52]
    assert found.values.tolist() == [[2.0, 2.0], [6.0, 6.0]]


def test_pooled_maps_of_two_regions_meet(tmp_path):
    """Regions 50-62 and 47-62 in squares of 5: the same squares, the first cut by its region."""
    found = []
    for start in (50, 47):
        n = 62 - start
        folder = MapFolder(tmp_path / str(start))
        positions = list(range(n))
        folder.start({"start": start, "strand": "+", "rows": positions, "columns": positions})
        folder.write_reference("+", np.full((n, 4), 0.25))
        at = start + np.arange(n)
        values = (at[:, None] * at).astype(np.float32)
        folder.write(Block("+", np.arange(n), np.arange(n), values))
        found.append(folder.load(pool=5))
    inner, outer = found
    assert inner.rows.tolist() == [50, 55, 60]
    assert outer.rows.tolist() == [47, 50, 55, 60]
    np.testing.assert_array_equal(outer.values[1:, 1:], inner.values)


def test_going_on_in_the_same_map(folder):
    before = folder.load().values
    MapFolder(folder.path).start(ABOUT)
    np.testing.assert_array_equal(folder.load().values, before)


@pytest.mark.parametrize(
    ("key", "value"), [("weights_digest", "other"), ("rows", [0]), ("strand", "+"), ("new", 1)]
)
def test_another_map_is_refused_and_left_as_it_is(folder, key, value):
    before = sorted(p.name for p in folder.path.rglob("*"))
    with pytest.raises(ValueError, match=f"holds another map; {key} differ"):
        MapFolder(folder.path).start({**ABOUT, key: value})
    assert sorted(p.name for p in folder.path.rglob("*")) == before


def test_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ValueError, match="holds other files and no map"):
        MapFolder(tmp_path).start(ABOUT)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_damaged_block_counts_as_missing(folder):
    rows, columns = np.array([2, 3]), np.arange(3)
    assert folder.has("+", rows, columns)
    damage(folder)
    assert not folder.has("+", rows, columns)
    with pytest.warns(UserWarning, match="6 values of the map are missing or damaged"):
        found = folder.load()
    assert np.isnan(found.values[2:]).all()
    assert np.isfinite(found.values[0, 1:]).all()


def test_blocks_that_overlap_do_not_make_up_for_missing_ones(tmp_path):
    """A run that was killed and went on with another batch_size, and was killed again."""
    folder = MapFolder(tmp_path / "map")
    folder.start({**ABOUT, "strand": "+"})
    folder.write_reference("+", np.full((4, 4), 0.25))
    for rows in ([0, 1], [0, 1, 2]):
        folder.write(block("+", rows, 1.0))
    with pytest.warns(UserWarning, match="3 values of the map are missing"):
        folder.load()


def test_cut_block_counts_as_missing(folder):
    path = next((folder.path / "blocks").glob("reverse_0-1_*"))
    path.write_bytes(path.read_bytes()[:100])
    assert not folder.has("-", np.array([0, 1]), np.arange(3))


def test_block_of_other_columns_is_not_it(folder):
    assert not folder.has("+", np.array([2, 3]), np.array([0, 5, 2]))


def test_no_map(tmp_path):
    with pytest.raises(ValueError, match="no dependency map. Make one with mgen predict"):
        MapFolder(tmp_path).load()


def test_map_without_blocks(tmp_path):
    folder = MapFolder(tmp_path / "m")
    folder.start(ABOUT)
    with pytest.raises(ValueError, match="no block of the map is there yet"):
        folder.load()


def test_manifest_of_another_kind(tmp_path):
    (tmp_path / "map.json").write_text(json.dumps({"schema": "other/1"}))
    with pytest.raises(ValueError, match="schema is 'other/1'"):
        MapFolder(tmp_path).about()


def test_a_start_that_was_killed_is_gone_on_with(tmp_path):
    (tmp_path / "blocks").mkdir()
    (tmp_path / ".map.json.123.part").write_text('{"schema": ')
    MapFolder(tmp_path).start(ABOUT)
    assert MapFolder(tmp_path).about()["rows"] == ABOUT["rows"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", None])
def test_damaged_reference(folder, content):
    path = folder.path / "reference_forward.npz"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(ValueError, match="reference_forward.npz is missing or damaged"):
        folder.load()
