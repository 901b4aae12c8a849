# SPDX-License-Identifier: Apache-2.0
"""Small files laid out as each benchmark's own, written by `layouts`."""

import importlib.util
from pathlib import Path

import datasets
import pytest


@pytest.fixture(scope="session")
def layouts():
    """Writes files as the benchmarks lay them out; the configs are tested on them, too."""
    path = Path(__file__).with_name("layouts.py")
    spec = importlib.util.spec_from_file_location("benchmark_layouts", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def datasets_cache(tmp_path, monkeypatch):
    """Converted tables stay out of the user's cache."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
