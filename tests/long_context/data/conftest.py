# SPDX-License-Identifier: Apache-2.0
"""Small FASTA files, made anew with fixed seeds."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of genomes for every test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MGEN_LC_CACHE", str(folder))
    return folder


@pytest.fixture
def write_fasta(tmp_path):
    """Write records {name: sequence} with 60 letters a line; returns the path."""

    def write(records, name="genome.fa"):
        path = tmp_path / name
        lines = []
        for record, sequence in records.items():
            lines.append(f">{record} some description")
            lines += [sequence[i : i + 60] for i in range(0, len(sequence), 60)]
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def random_dna():
    """Random bases; the same for the same seed."""

    def make(length, seed=0):
        letters = np.frombuffer(b"ACGT", dtype=np.uint8)
        return np.random.default_rng(seed).choice(letters, length).tobytes().decode()

    return make


@pytest.fixture
def genome_file(write_fasta, random_dna):
    """Two long records, one with a run of N, and a short one."""
    first = random_dna(70_003, 1)
    first = first[:20_000] + "N" * 1_500 + first[21_500:]
    return write_fasta({"chr1": first, "chr2": random_dna(30_000, 2), "short": "ACGT" * 20})


@pytest.fixture
def write_table(tmp_path, monkeypatch):
    """Write columns {name: values} as JSON lines, CSV, TSV or Parquet; returns the folder."""
    import datasets
    import pandas as pd

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")

    def write(name, columns):
        path = tmp_path / "tables" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame(columns)
        if path.suffix == ".jsonl":
            frame.to_json(path, orient="records", lines=True)
        elif path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, sep="," if path.suffix == ".csv" else "\t")
        return tmp_path / "tables"

    return write
