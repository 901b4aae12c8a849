# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.data.benchmarks import HumanPopulation, VariantHotspot


@pytest.mark.parametrize(
    ("kind", "folder", "classes"),
    [(VariantHotspot, "CPC", 2), (HumanPopulation, "Human_population_classification", 3)],
)
@pytest.mark.parametrize("size", [8192, 32768])
def test_files_as_published(layouts, tmp_path, kind, folder, classes, size):
    layouts.bgi(tmp_path, f"{folder}_{size}", classes)
    data = kind(str(tmp_path), size=size, window=256)
    data.setup()
    rows = (data.train_dataset, data.val_dataset, data.test_dataset)
    assert [len(split) for split in rows] == [12, 4, 6]
    assert {rows[0][i]["labels"].item() for i in range(12)} == set(range(classes))
    assert rows[0][0]["input_ids"].shape == (258,)
    assert data.n_classes == classes


def test_the_window_is_the_published_one_unless_given():
    assert VariantHotspot(size=32768).window == 32768


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="lacks CPC_8192/train.jsonl, CPC_8192/eval.jsonl, CPC"):
        VariantHotspot(str(tmp_path)).setup()
