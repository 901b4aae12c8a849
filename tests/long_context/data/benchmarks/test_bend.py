# SPDX-License-Identifier: Apache-2.0
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from modelgenerator.long_context.data.benchmarks import Bend


@pytest.fixture
def make(layouts, tmp_path):
    layouts.genome(tmp_path / "genome.fa")

    def make(window, task="gene_finding", **layout):
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        layouts.bend(folder, task, **layout)
        fasta = str(tmp_path / "genome.fa")
        data = Bend(str(folder), fasta, task, window=window, shuffle=False)
        data.setup()
        with h5py.File(folder / f"{task}.hdf5") as file:
            return data, [np.asarray(row) for row in file["labels"]]

    return make


def test_context_beyond_the_interval_has_no_labels(make, layouts):
    data, given = make(2000)
    row = data.train_dataset[1]
    assert row["sequences"] == layouts.dna(20_000, 77)[3_500:5_500], "forward, whatever the strand"
    assert row["labels"][500:1500].tolist() == given[1].tolist()
    assert (row["labels"][:500] == -100).all()
    assert (row["labels"][1500:] == -100).all()


def test_longer_intervals_are_cropped_with_their_labels(make):
    data, given = make(400)
    assert data.train_dataset[0]["labels"].tolist() == given[0][300:700].tolist()


def test_intervals_of_any_length_fit(make):
    for size in (999, 1001):
        data, given = make(1500, size=size)
        labels = data.train_dataset[0]["labels"]
        before = (1500 - size) // 2
        assert labels[before : before + size].tolist() == given[0].tolist()
        assert int((labels != -100).sum()) == size


def test_bins(make):
    data, given = make(1024, "enhancer_annotation", size=2048, bin_size=128, n_classes=2)
    assert data.train_dataset[0]["labels"].tolist() == given[0][4:12].tolist()
    longer, given = make(4096, "enhancer_annotation", size=2048, bin_size=128, n_classes=2)
    assert longer.train_dataset[0]["labels"][8:24].tolist() == given[0].tolist()


def test_bad_files_are_refused(make, layouts, tmp_path):
    with pytest.raises(ValueError, match="labels: 11 in gene_finding.hdf5; allowed are 0 to 8"):
        make(1000, n_classes=12)
    with pytest.raises(ValueError, match="Give a multiple, such as 65536"):
        make(1000, "enhancer_annotation", size=2048, bin_size=128, n_classes=2)
    layouts.bend(tmp_path, rows=10)
    with h5py.File(tmp_path / "gene_finding.hdf5", "w") as file:
        file["labels"] = np.zeros((4, 1000))
    with pytest.raises(ValueError, match="has 4 rows and gene_finding.bed 10"):
        Bend(str(tmp_path), str(tmp_path / "genome.fa")).setup()
