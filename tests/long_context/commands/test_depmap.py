# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc depmap` on maps written by hand; how they are made is tested with the task."""

import json

import numpy as np
import pytest
from jsonargparse import ArgumentParser

from modelgenerator.long_context.commands import depmap
from modelgenerator.long_context.depmap.store import Block, MapFolder


@pytest.fixture
def make(tmp_path):
    def make(name, values, block=1, **about):
        n = values.shape[1]
        rows = np.arange(0, n, block)
        folder = MapFolder(tmp_path / name)
        folder.start(
            {
                "kind": "exact",
                "record": "chr1",
                "start": 100,
                "stop": 100 + n,
                "sequence": "A" * n,
                "strand": "+",
                "rows": rows.tolist(),
                "columns": list(range(n)),
                "block": block,
                "method": "rope",
                "factor": 1.0,
                "backbone": "b",
                **about,
            }
        )
        folder.write_reference("+", np.full((n, 4), 0.25, dtype=np.float32))
        values = np.where(rows[:, None] == np.arange(n) // block * block, np.nan, values)
        folder.write(Block("+", rows, np.arange(n), values.astype(np.float32)))
        return str(folder.path)

    return make


@pytest.fixture
def command(tmp_path):
    def command(*arguments):
        parser = ArgumentParser()
        depmap.add_arguments(parser)
        depmap.run(parser.parse_args([*arguments, "--output", str(tmp_path / "out")]))
        return tmp_path / "out"

    return command


@pytest.fixture
def values():
    values = np.random.default_rng(0).random((30, 30))
    for k in range(8):
        values[2 + k, 20 + k] = values[20 + k, 2 + k] = 5.0
    return values


def test_pictures_numbers_and_pairs(make, command, values, tmp_path, capsys):
    pairs, genes = tmp_path / "pairs.tsv", tmp_path / "genes.bed"
    known = "".join(f"{102 + k}\t{120 + k}\n" for k in range(8))
    pairs.write_text(f"i\tj\n{known}102\t900\n")  # the last is not in the map
    genes.write_text("chr1\t102\t110\tcopied\n")
    found = make("m", values)
    out = command(found, "--pairs", str(pairs), "--highlights", str(genes))
    assert {p.name for p in out.iterdir()} >= {"map.png", "map.svg", "map.html", "numbers.json"}
    (numbers,) = json.loads((out / "numbers.json").read_text())["maps"]
    assert numbers["auroc"] == 1.0
    assert numbers["pairs"] == 8
    assert "known pairs AUROC 1.000 +- 0.000 (s.e.), 8 of 9 pairs" in capsys.readouterr().out


def test_two_maps_are_compared(make, command, values, capsys):
    out = command(make("a", values), make("b", values**2))
    (found,) = json.loads((out / "numbers.json").read_text())["agreement"]
    assert found["rank_correlation"] == pytest.approx(1.0)
    assert "rank correlation 1.000" in capsys.readouterr().out


def test_refine_writes_the_strongest_blocks(make, command):
    coarse = np.zeros((3, 30))
    coarse[0, 25] = 4.0
    out = command(make("c", coarse, block=10), "--refine", "1")
    assert (out / "rows.bed").read_text() == "chr1\t100\t110\n"
    assert (out / "columns.bed").read_text() == "chr1\t120\t130\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no dependency map"),
        (["a", "--labels", "[x, y]"], "labels: 2 for 1 maps"),
        (["a", "other"], "cannot be compared: .* sequences differ"),
        (["a", "--refine", "3"], "one of single bases already"),
        (["a", "--highlights", "far.bed"], "no interval in chr1:100-130"),
    ],
)
def test_bad_input(make, command, values, tmp_path, arguments, message):
    make("a", values)
    make("other", values, sequence="C" * 30)
    (tmp_path / "far.bed").write_text("chr2\t1\t5\n")
    there = {"a", "other", "far.bed", "nowhere"}
    arguments = [str(tmp_path / x) if x in there else x for x in arguments]
    with pytest.raises(ValueError, match=message):
        command(*arguments)
