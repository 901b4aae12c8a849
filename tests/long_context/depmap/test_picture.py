# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelgenerator.long_context.depmap.page import map_figure, write_page
from modelgenerator.long_context.depmap.picture import (
    brightest,
    information,
    plot_maps,
    round_positions,
    title_of,
)

VECTOR = Path(__file__).parents[2] / "vectors" / "depmap_upstream_script.npz"


@pytest.fixture
def found(make_map):
    values = np.random.default_rng(0).random((12, 12))
    np.fill_diagonal(values, np.nan)
    return make_map(values, start=500)


def test_logo_is_that_of_upstreams_script():
    vector = np.load(VECTOR)
    p = np.exp(vector["wildtype"])
    p = p / p.sum(1, keepdims=True) + 1e-4
    p = p / p.sum(1, keepdims=True)
    np.testing.assert_allclose(information(p), vector["logo"], atol=1e-5)


def test_information_by_hand():
    assert information(np.full((1, 4), 0.25)).tolist() == [[0.0] * 4]
    half = information(np.array([[0.5, 0.5, 1e-12, 1e-12]]))
    np.testing.assert_allclose(half, [[0.5, 0.5, 0.0, 0.0]], atol=1e-9)


def test_colours_are_shared(make_map):
    weak, strong = make_map(np.ones((3, 3))), make_map(np.full((3, 3), 7.0))
    assert brightest([weak, strong]) == 7.0


def test_two_maps_get_a_third_panel_for_their_difference(found, tmp_path):
    other = found._replace(values=found.values * 2)
    plot_maps({"a": found}, tmp_path / "one.png", [(502, 505, "gene")], [(501, 509)])
    plot_maps({"a": found, "b": other}, tmp_path / "two.png")
    one, two = (Image.open(tmp_path / f"{name}.png").size for name in ("one", "two"))
    assert two[0] == pytest.approx(3 * one[0], rel=0.02)


@pytest.mark.parametrize(
    ("positions", "ticks"),
    [
        (range(896, 1152), [900, 950, 1000, 1050, 1100, 1150]),
        (range(896, 1152, 2), [900, 950, 1000, 1050, 1100, 1150]),
        (range(1, 4), [1, 2, 3]),
        ([*range(920, 976), *range(1088, 1144)], [950, 1100]),  # none in the gap
        ([7], [7]),
    ],
)
def test_axes_are_labelled_with_round_numbers(positions, ticks):
    assert round_positions(np.array(positions)).tolist() == ticks


def test_page_is_one_file_that_needs_no_network(found, tmp_path):
    write_page({"a": found, "b": found}, tmp_path / "map.html", [(502, 505, "gene")])
    page = (tmp_path / "map.html").read_text()
    assert "<script src=" not in page
    assert "gene" in page


@pytest.mark.parametrize("count", [1, 2, 3])
def test_maps_zoom_together_and_bits_stay_out_of_it(found, count):
    figure = map_figure({str(k): found for k in range(count)})
    layout = figure.to_dict()["layout"]

    def matched(kind):
        axes = [trace.yaxis or "y" for trace in figure.data if trace.type == kind]
        assert len(set(axes)) == count
        return {layout["yaxis" + axis[1:]]["matches"] for axis in axes}, set(axes)

    maps, own = matched("heatmap")
    assert len(maps) == 1
    assert maps <= own
    bits, own = matched("scattergl")
    assert len(bits) == 1
    assert bits <= own


def test_title_says_kind_and_method(make_map):
    about = make_map(np.ones((2, 2)), kind="gradient", method="yarn", factor=16.0).about
    assert title_of(about, "m") == "m: b, yarn 16x, 2 nt, gradient"
