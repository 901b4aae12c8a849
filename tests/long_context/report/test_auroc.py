# SPDX-License-Identifier: Apache-2.0
"""Known pairs and variants in a report. The values are made up; nothing was measured."""

import copy

import numpy as np
import pytest

from modelgenerator.long_context.report import auroc, load_results
from modelgenerator.long_context.report.auroc_table import auroc_table
from modelgenerator.long_context.report.markdown import markdown_report
from modelgenerator.long_context.report.page import html_page
from modelgenerator.long_context.report.sections import sections

MODEL = {"backbone": "made_up", "original_max_position_embeddings": 512}


def pairs_file(method="rope", factor=1.0, value=0.75):
    rows = [
        {
            "pairs": kind,
            "method": method,
            "options": {},
            "factor": factor,
            **MODEL,
            "length": length,
            "auroc": value - length / 10_000,
            "standard_error": 0.05,
            "ranked": 30,
            "sequences": {"a": 0.7, "b": 0.8},
        }
        for kind in ("copies", "hairpins")
        for length in (512, 1024)
    ]
    return {"schema": "known_pairs/2", "results": rows, "commit": "abc", "hardware": "made up"}


def variant_file(method="rope", factor=1.0, value=0.6, table="missense.tsv"):
    rows = [
        {
            "length": length,
            "score": "llr",
            "variants": 40,
            "positives": 20,
            "metric": metric,
            "value": value,
            "standard_error": 0.1,
        }
        for length in (512, 8192)
        for metric in ("auroc", "auprc")
    ]
    return {
        "schema": "variant_effect/1",
        "method": method,
        "factor": factor,
        **MODEL,
        "data": {"variants": table, "fasta": ["g.fa"], "fasta_digest": "f", "scored": 40},
        "results": rows,
    }


def baseline_file(table="missense.tsv"):
    rows = [
        {"baseline": name, "variants": 40, "metric": "auroc", "value": value,
         "standard_error": 0.02}
        for name, value in (("substitution", 0.5), ("k-mers", 0.55))
    ]  # fmt: skip
    return {
        "schema": "variant_baselines/1",
        "data": {"variants": table, "fasta": ["g.fa"], "fasta_digest": "f", "scored": 40},
        "results": rows,
    }


def test_known_pairs_by_hand(make, tmp_path):
    paths = make.write(tmp_path, a=pairs_file("yarn", 16.0), b=pairs_file())
    frame = auroc.known_pairs(load_results(paths).ranked)
    assert auroc_table(frame, "sequences").markdown().splitlines()[:6] == [
        "|                       |            | 512 nt        | 1,024 nt      |",
        "|-----------------------|------------|---------------|---------------|",
        "| copies, 2 sequences   | plain RoPE | 0.699 ± 0.098 | 0.648 ± 0.098 |",
        "| copies, 2 sequences   | yarn 16x   | 0.699 ± 0.098 | 0.648 ± 0.098 |",
        "| hairpins, 2 sequences | plain RoPE | 0.699 ± 0.098 | 0.648 ± 0.098 |",
        "| hairpins, 2 sequences | yarn 16x   | 0.699 ± 0.098 | 0.648 ± 0.098 |",
    ]


def test_variants_by_hand(make, tmp_path):
    short = variant_file("yarn", 16.0)
    short["results"] = short["results"][:2]
    paths = make.write(tmp_path, base=baseline_file(), yarn=short, rope=variant_file())
    frame = auroc.variant_effect(load_results(paths).ranked)
    table = auroc_table(frame, "variants")
    assert table.head == ["", "", "512 nt", "8,192 nt", "any length"]
    assert {row[0] for row in table.rows} == {"missense, 40 variants"}
    assert [row[1:] for row in table.rows] == [
        ["llr, plain RoPE", "0.600 ± 0.196", "0.600 ± 0.196", ""],
        ["llr, yarn 16x", "0.600 ± 0.196", "", ""],
        ["substitution", "", "", "0.500 ± 0.039"],
        ["k-mers", "", "", "0.550 ± 0.039"],
    ]


def test_error_of_a_single_sequence_is_not_known(make, tmp_path):
    one = pairs_file()
    for row in one["results"]:
        row["standard_error"] = None
    (path,) = make.write(tmp_path, a=one)
    table = auroc_table(auroc.known_pairs(load_results([path]).ranked), "sequences")
    assert table.rows[0][2:] == ["0.699", "0.648"]


def test_a_report_of_nothing_else(make, tmp_path):
    paths = make.write(tmp_path, a=pairs_file(), b=variant_file(), c=baseline_file())
    results = load_results(paths)
    said = sections(results, None)
    assert [section.name for section in said] == ["dependency_maps", "variant_effect"]
    text = markdown_report(said)
    assert "# Dependency maps" in text
    assert "# Variant effect" in text
    page = html_page(results, said)
    assert 'id="dependency_maps"' in page
    assert "made_up: 3 result files." in page
    assert "Genomes: g.fa" in page
    assert page.count('<div class="panels"') == 2


def test_beside_a_study(make, study, tmp_path):
    paths = make.write(tmp_path, a=pairs_file(), b=variant_file())
    results = load_results([str(study), *paths])
    names = [section.name for section in sections(results, "rope")]
    assert names == ["held_out", "blocks", "dependency_maps", "variant_effect"]
    assert results.of("held_out").ranked == []


def test_pictures_show_the_values(make, tmp_path):
    import matplotlib.pyplot as plt

    paths = make.write(tmp_path, a=pairs_file(), b=variant_file(value=0.6), c=baseline_file())
    pairs, variants = sections(load_results(paths), None)
    for section, lengths, values in (
        (pairs, [512, 1024], [0.6988, 0.6476]),
        (variants, [512, 8192], [0.6, 0.6]),
    ):
        picture = section.parts[0].picture
        figure, axis = plt.subplots()
        picture.panels[0].draw(axis)
        (bars,) = axis.containers
        np.testing.assert_allclose(bars[0].get_xdata().astype(float), lengths)
        np.testing.assert_allclose(bars[0].get_ydata().astype(float), values)
        heights = {line.get_ydata()[0] for line in axis.lines if len(set(line.get_ydata())) == 1}
        assert {0.5} <= heights
        plt.close(figure)
    assert 0.55 in heights, "a baseline is a line across"
    assert list(picture.legend) == ["llr, plain RoPE"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: None, "both of copies, plain RoPE, 512 nt"),
        (lambda f: f["results"][0].update(method="pi", factor=8.0, sequences={"a": 1.0}),
         "sequences of copies at 512 nt differ"),
        (lambda f: [r.update(method="pi", factor=8.0, backbone="other") for r in f["results"]],
         "backbone of dependency maps differ"),
    ],
)  # fmt: skip
def test_maps_that_cannot_share_a_table(make, tmp_path, change, message):
    other = pairs_file()
    change(other)
    with pytest.raises(ValueError, match=message):
        load_results(make.write(tmp_path, a=pairs_file(), b=other))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "both of missense, llr, plain RoPE, 512 nt"),
        ({"data": {"variants": "x/missense.tsv", "fasta_digest": "f", "scored": 39}},
         "scored of missense differ"),
        ({"data": {"variants": "other.tsv"}, "original_max_position_embeddings": 4000},
         "original_max_position_embeddings of variant effect differ"),
    ],
)  # fmt: skip
def test_variants_that_cannot_share_a_table(make, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        load_results(make.write(tmp_path, a=variant_file(), b={**variant_file(), **change}))


def test_partly_scored_sets_are_not_compared(make, tmp_path):
    part = copy.deepcopy(variant_file("yarn", 16.0))
    for row in part["results"]:
        row["variants"] = 8
    with pytest.raises(ValueError, match="variants of missense at 512 nt differ"):
        load_results(make.write(tmp_path, a=variant_file(), b=part))


def test_an_older_or_newer_schema_is_named(make, tmp_path):
    paths = make.write(tmp_path, a=pairs_file(), b={**pairs_file(), "schema": "known_pairs/1"})
    with pytest.warns(UserWarning, match="'known_pairs/1', known are .*known_pairs/2, variant"):
        assert len(load_results(paths).ranked) == 1
