# SPDX-License-Identifier: Apache-2.0
"""What the pictures show, read back from the drawn axes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.report import load_results
from modelgenerator.long_context.report.pictures import by_length, more_pictures, panel_svg, save
from modelgenerator.long_context.report.pictures.attention import attention_mass, even_share
from modelgenerator.long_context.report.pictures.by_position import by_position
from modelgenerator.long_context.report.pictures.recall import PALE, recall_by_distance
from modelgenerator.long_context.report.pictures.retention import retention


@pytest.fixture(scope="module")
def results(study):
    return load_results([str(study)]).of("held_out")


@pytest.fixture
def drawn():
    """Draw a panel by its title; gives the axes."""
    figures = []

    def drawn(picture, title):
        (panel,) = [panel for panel in picture.panels if panel.title == title]
        figure, axis = plt.subplots()
        figures.append(figure)
        panel.draw(axis)
        return axis

    yield drawn
    for figure in figures:
        plt.close(figure)


def test_lines_are_means_over_seeds_with_the_original_context_marked(results, drawn):
    axis = drawn(by_length(results), "Perplexity of natural bases\nzero-shot")
    frame = results.frame()
    frame = frame[(frame["regime"] == "zero_shot") & (frame["metric"] == "perplexity")]
    yarn = frame[frame["label"] == "yarn"].groupby("extension")["value"].mean()
    (line,) = [
        line for line in axis.get_lines() if line.get_color() == results.styles["yarn"].colour
    ]
    assert line.get_xdata().tolist() == [1, 2, 4, 8, 16]
    assert line.get_ydata() == pytest.approx(yarn.to_numpy())
    assert axis.get_lines()[-1].get_xdata() == [1, 1], "the original context"
    assert len(axis.collections) == 7, "a band of seeds for each method"


def test_all_regimes_have_the_same_axes(results, drawn):
    picture = by_length(results)
    titles = [p.title for p in picture.panels if p.title.startswith("Perplexity of natural")]
    assert len({drawn(picture, title).get_ylim() for title in titles}) == 1


def test_blow_ups_are_drawn_at_a_hundred(make, simple, tmp_path, drawn):
    paths = make.write(tmp_path, a=simple("rope", perplexity=1e6, factor=1.0), b=simple())
    axis = drawn(by_length(load_results(paths)), "Perplexity of natural bases")
    assert axis.get_lines()[0].get_ydata().tolist() == [100.0, 100.0]
    assert axis.get_yscale() == "log"


def test_loss_by_position_leaves_out_empty_parts(make, tmp_path, drawn):
    content = make.result("yarn", "yarn", "zero_shot", 0, "held_out", 0.0, 0)
    for row in content["loss_by_position"]:
        row["loss"] = [None, 1.0, 2.0, 3.0]
    picture = by_position(load_results(make.write(tmp_path, a=content)))
    (line,) = drawn(picture, "Natural bases\nzero-shot").get_lines()
    assert line.get_xdata() == pytest.approx([3 / 8, 5 / 8, 7 / 8])
    assert line.get_ydata() == pytest.approx([1, 2, 3])


def test_heat_map_by_hand(make, tmp_path, drawn):
    content = make.result("yarn", "yarn", "zero_shot", 0, "held_out", 0.0, 0)
    rows = [(512, 32, 30, 40), (1024, 32, 10, 40), (1024, 512, 3, 4)]
    content["recall_by_distance"] = [
        {"length": n, "kind": "copy", "low": low, "high": 2 * low, "hits": hits, "bases": bases}
        for n, low, hits, bases in rows
    ]
    (picture,) = recall_by_distance(load_results(make.write(tmp_path, a=content)))
    axis = drawn(picture, "yarn")
    expected = np.array([[0.75, 0.25], [np.nan, np.nan]])
    np.testing.assert_allclose(axis.images[0].get_array().filled(np.nan), expected)
    assert [text.get_text() for text in axis.texts] == ["75", "25", "75"]
    (grey,) = axis.patches[:1]
    assert grey.get_xy() == (0.5, 0.5), "four bases say little"
    assert plt.matplotlib.colors.to_hex(grey.get_facecolor()).upper() == PALE


def test_retention_is_the_change_from_the_untouched_encoder(make, tmp_path, drawn):
    contents = {}
    for label, value, steps in (("rope", 4.0, 0), ("yarn", 5.0, 0), ("yarn", 3.0, 9)):
        regime = "tuned_16x" if steps else "zero_shot"
        content = make.result(label, label, regime, 0, "held_out", 0.1, steps)
        for row in content["results"]:
            row["value"] = value if row["metric"] == "perplexity" else value / 10
        contents[f"{label}{steps}"] = content
    picture = retention(load_results(make.write(tmp_path, **contents)))
    bars = [
        {round(bar.get_width(), 6) for bar in drawn(picture, title).patches}
        for title in (
            "Perplexity, natural, %\nzero-shot",
            "Perplexity, natural, %\nfine-tuned at 16x",
        )
    ]
    assert bars == [{0.0, 25.0}, {-25.0}]
    recall = drawn(picture, "Recall of copies, points\nzero-shot").patches
    assert {round(bar.get_width(), 6) for bar in recall} == {0.0, 10.0}


def test_without_the_untouched_encoder_there_is_no_retention(make, tmp_path):
    content = make.result("yarn", "yarn", "zero_shot", 0, "held_out", 0.0, 0)
    assert retention(load_results(make.write(tmp_path, a=content))) is None


@given(st.integers(1, 300))
def test_even_attention_sums_to_one(nucleotides):
    bins = [(0, 1), *((2**i, 2 ** (i + 1)) for i in range(9))]
    assert sum(even_share(*ends, nucleotides) for ends in bins) == pytest.approx(1.0)


def test_even_attention_by_hand():
    """Of 4 x 4 pairs, 4 are of a base with itself, 6 of neighbours, 6 further."""
    assert [even_share(*ends, 4) for ends in ((0, 1), (1, 2), (2, 4))] == [4 / 16, 6 / 16, 6 / 16]


def test_attention_by_distance_is_a_mean_over_layers(results, drawn):
    axis = drawn(attention_mass(results), "zero-shot")
    even, *lines = axis.get_lines()
    assert sum(even.get_ydata()) == pytest.approx(1.0)
    assert all(sum(line.get_ydata()) == pytest.approx(0.95) for line in lines)


def test_every_picture_draws_whole_and_in_panels(results, tmp_path):
    pictures = more_pictures(results)
    names = [picture.name for picture in pictures]
    assert len(set(names)) == len(names)
    assert {"retention", "by_position", "probes", "attention_entropy", "attention_mass",
            "reverse_complement", "cost", "recall_copy_zero_shot"} <= set(names)  # fmt: skip
    picture = next(p for p in pictures if p.name == "cost")
    save(picture, tmp_path / "new" / "x.png", tmp_path / "new" / "x.svg")
    assert (tmp_path / "new" / "x.png").read_bytes().startswith(b"\x89PNG")
    assert ">fine-tuned at 16x<" in (tmp_path / "new" / "x.svg").read_text(), "text stays text"
    for picture in pictures:
        if not picture.name.startswith("recall"):
            assert panel_svg(picture.panels[0]).rstrip().endswith("</svg>")
    assert panel_svg(picture.panels[0]) == panel_svg(picture.panels[0]), "the same every time"
