# SPDX-License-Identifier: Apache-2.0
import pickle

import numpy as np
import pytest

from modelgenerator.long_context.data.benchmarks import TranscriptionInitiation
from modelgenerator.long_context.data.benchmarks.transcription_initiation import REPLACED, TRACKS

CHROMS = {"chr1": 2_000, "chr8": 2_000, "chr10": 2_000}
FILES = [*TRACKS.values(), *(name for name, _, _ in REPLACED)]


@pytest.fixture
def make(layouts, tmp_path):
    sizes = [*CHROMS.items(), ("chrUn", 2_000), ("chrX", 2_000)]
    layouts.genome(tmp_path / "genome.fa", sizes)
    layouts.transcription_initiation(tmp_path / "tracks", FILES, CHROMS)

    def make(**options):
        options = {"window": 500, "shuffle": False, **options}
        path, fasta = str(tmp_path / "tracks"), str(tmp_path / "genome.fa")
        data = TranscriptionInitiation(path, fasta, **options)
        data.setup()
        return data

    return make


def test_windows_lie_side_by_side_and_chromosomes_are_split_as_the_owners_do(make):
    data = make()
    assert [row["ids"] for row in data.train_dataset][:2] == ["chr1:0-500", "chr1:500-1000"]
    assert {row["ids"].split(":")[0] for row in data.test_dataset} == {"chr8"}
    assert {row["ids"].split(":")[0] for row in data.val_dataset} == {"chr10"}
    # chrUn is no chromosome, and chrX is in no track.
    assert data.counts["train"]["left_out"] == {"without a label": 4}
    assert len(make(stride=250).train_dataset) == 7


def test_a_number_for_every_base_and_track(make):
    labels = [row["labels"].numpy() for row in make().train_dataset]
    assert labels[0].shape == (500, 10)
    assert labels[0].dtype == np.float32
    assert not labels[1].any()  # bigWig has no value there
    assert (labels[2] == np.arange(1, 11)).all()


def test_fantom_is_replaced_within_its_blacklist(make):
    # chr8: plus from 600 to 700, where there is no signal; minus from 900 to 1,000. Moved by 500.
    labels = make(window=1_000, stride=400).test_dataset[1]["labels"].numpy()  # 400 to 1,400
    assert not labels[:600].any()
    expected = np.arange(1, 11, dtype=np.float32)
    assert (labels[600:] == expected).all()


def test_replaced_signals_are_those_of_encode_scaled(make, layouts, tmp_path):
    import gzip

    with gzip.open(tmp_path / "tracks" / REPLACED[1][0], "wt") as out:
        out.write("8\t1100\t1200\n")
    labels = make().test_dataset[2]["labels"].numpy()  # 1,000 to 1,500
    assert labels[100:200, 9] == pytest.approx(9 * 0.61357)
    assert (labels[:100, 9] == 10).all()
    assert (labels[200:, 9] == 10).all()
    assert (labels[:, 8] == 9).all()


def test_workers_open_files_of_their_own(make):
    data = make(num_workers=2)
    alone = [row["labels"] for row in data.test_dataset]
    together = [labels for batch in data.test_dataloader() for labels in batch["labels"]]
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))
    again = pickle.loads(pickle.dumps(data.test_dataset.labels))
    assert (again[0] == data.test_dataset.labels[0]).all()


def test_a_missing_or_broken_file_is_named(make, tmp_path):
    file = tmp_path / "tracks" / TRACKS["grocap_minus"]
    file.write_bytes(b"no bigWig")
    with pytest.raises(ValueError, match="agg.minus.grocap.bedgraph.sorted.merged.bw is no bigWig"):
        make()
    file.unlink()
    with pytest.raises(ValueError, match="lacks agg.minus.grocap.bedgraph.sorted.merged.bw"):
        make()
    with pytest.raises(ValueError, match="is no folder"):
        TranscriptionInitiation(str(tmp_path / "no"), str(tmp_path / "genome.fa")).setup()


def test_tracks_of_another_assembly_are_refused(make, layouts, tmp_path):
    layouts.transcription_initiation(tmp_path / "tracks", FILES, {**CHROMS, "chr1": 1_999})
    with pytest.raises(ValueError, match="has 1,999 bases of chr1, the genome 2,000"):
        make()
