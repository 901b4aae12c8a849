# SPDX-License-Identifier: Apache-2.0
"""The tutorial runs as it stands, and what the page shows of it is what it gives."""

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs/tutorial.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def shown(notebook):
    """Results under the code cells, any number as #, a picture as such; not what runs log."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = data.get("text/markdown", data.get("text/plain", ""))
            found.append("picture" if "image/png" in data else re.sub(r"[\d.]+%?", "#", text))
    return [re.sub(r"[ -]+", " ", text) for text in found if text]


def test_page_shows_tables_and_the_picture_but_no_log(notebook):
    texts = shown(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert {output.output_type for output in outputs} == {"execute_result"}
    assert "picture" in texts
    assert sum("natural bases, perplexity" in text for text in texts) == 2
    assert NOTEBOOK.stat().st_size < 1_000_000


@pytest.mark.slow
@pytest.mark.upstream
def test_runs_and_shows_the_same(notebook, tmp_path, monkeypatch):
    from nbclient import NotebookClient

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    again = nbformat.from_dict(notebook)
    for cell in again.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    here = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(again, timeout=1200, kernel_name="python3", resources=here).execute()
    assert shown(again) == shown(nbformat.read(NOTEBOOK, as_version=4))
    assert {f.name for f in tmp_path.glob("runs/tutorial/*.json")} == {
        "rope.json",
        "yarn.json",
        "yarn_tuned.json",
    }
