# SPDX-License-Identifier: Apache-2.0
"""Turns the tutorial notebook, with the outputs it was saved with, into a page."""

from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

DOCS = Path(__file__).parent


def on_startup(command, dirty):
    """Write tutorial.md and its pictures, which git ignores, beside the notebook."""
    notebook = nbformat.read(DOCS / "tutorial.ipynb", as_version=4)
    resources = {"output_files_dir": "tutorial_files", "unique_key": "tutorial"}
    page, resources = MarkdownExporter().from_notebook_node(notebook, resources)
    for name, content in resources["outputs"].items():
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_bytes(content)
    (DOCS / "tutorial.md").write_text(page)
