# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.data.benchmarks import TranscriptLabels, TranscriptValues


def genes(rows):
    return set(rows.table["gene"])


@pytest.mark.parametrize("kind", [TranscriptValues, TranscriptLabels])
def test_transcripts_of_a_gene_stay_together(layouts, tmp_path, kind):
    lists = kind is TranscriptLabels
    file = "go_dna_dataset_mf.parquet" if lists else "rnahl-saluki-human.parquet"
    layouts.transcripts(tmp_path, file, lists)
    data = kind(path=str(tmp_path), window=300)
    data.setup()
    rows = (data.train_dataset, data.val_dataset, data.test_dataset)
    assert sum(len(split) for split in rows) == 40
    assert not genes(rows[0]) & genes(rows[2])
    batch = next(iter(data.test_dataloader()))
    assert batch["labels"].shape[1] == (5 if lists else 1)
    assert batch["attention_mask"].sum(1).unique().numel() > 1, "lengths differ"


def test_each_set_is_another_dataset():
    assert TranscriptValues("half_life_mouse").path == "morrislab/rnahl-saluki-mouse"
    assert TranscriptLabels("protein_localization").path == "morrislab/protein-localization"
