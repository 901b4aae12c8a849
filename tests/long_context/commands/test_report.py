# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc report` on real result files, those of the demo."""

import pytest
from jsonargparse import Namespace

from modelgenerator.long_context.commands import report


@pytest.mark.slow
def test_report(run, root, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "half.json").write_text('{"schema": ')
    demo = root / "experiments/long_context/demo/results"
    done = run("mgen-lc", "report", demo, tmp_path / "results", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "half.json is left out: not a result file" in done.stderr
    assert "### Fine-tuned at 16x" in done.stdout
    assert "| direct copies, recall             | yarn |" in done.stdout
    assert "natural bases" in (tmp_path / "out" / "table.md").read_text()
    (by_length,) = (tmp_path / "out").rglob("by_length.png")
    for name in ("by_length", "by_position", "retention", "cost"):
        for suffix in ("png", "svg"):
            assert (by_length.parent / f"{name}.{suffix}").stat().st_size > 1000
    page = (tmp_path / "out" / "report.html").read_text()
    assert "aido_dna_tiny, original context 512 nt" in page


def test_a_file_that_cannot_be_written_is_named(root, tmp_path):
    (tmp_path / "report.html").mkdir()
    demo = root / "experiments/long_context/demo/results"
    options = Namespace(results=[str(demo)], output=str(tmp_path), baseline=None)
    with pytest.raises(ValueError, match="output: writing in .* failed .*report.html.*Make room"):
        report.run(options)


@pytest.mark.slow
def test_what_is_wrong_is_said(run, root, tmp_path):
    done = run("mgen-lc", "report", tmp_path / "absent.json", "--output", tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("mgen-lc: ")
    assert "no such result file or folder" in last
    demo = root / "experiments/long_context/demo/results"
    done = run("mgen-lc", "report", demo, "-o", tmp_path, "--baseline", "yern")
    assert done.returncode == 1
    known = "rope, pi, ntk, yarn, gene, clex."
    assert f"baseline: no result is called 'yern'. Known: {known}" in done.stderr
