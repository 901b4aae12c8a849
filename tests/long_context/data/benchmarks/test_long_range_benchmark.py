# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pandas as pd
import pytest

from modelgenerator.long_context.data.benchmarks import LongRangeBenchmark
from modelgenerator.long_context.data.benchmarks.long_range_benchmark import TASKS

COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture(scope="module")
def folder(layouts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lrb")
    records = layouts.genome(folder / "genome.fa")
    layouts.long_range_benchmark(folder, records)
    return folder, records


@pytest.fixture
def make(folder):
    def make(task, window=2048, **options):
        fasta, path = str(folder[0] / "genome.fa"), str(folder[0])
        options = {"path": path, "window": window, "shuffle": False, **options}
        data = LongRangeBenchmark(task, fasta, **options)
        data.setup()
        return data

    return make


@pytest.mark.parametrize("task", TASKS)
def test_every_task_reads_its_own_table(make, task):
    data = make(task)
    batch = next(iter(data.test_dataloader()))
    assert set(batch) == set(data.provided_columns)
    assert batch["input_ids"].shape[1] == 2050
    if task != "variant_effect_pathogenic_omim":
        assert len(data.train_dataset) > 0
    shape = {
        "cage_prediction": (16, 50),
        "bulk_rna_expression": (218,),
        "chromatin_features_histone_marks": (3,),
        "chromatin_features_dna_accessibility": (2,),
    }.get(task, ())
    assert tuple(batch["labels"].shape[1:]) == shape


@pytest.mark.parametrize("window", [512, 2047, 4096])
def test_positions_count_from_1_and_stand_in_the_middle(make, folder, window):
    data = make("variant_effect_pathogenic_clinvar", window)
    row, letters = data.train_dataset[2], folder[1]["chr1"]
    at = 4_200 - 1  # of the third row
    first = at - window // 2
    assert row["sequences"] == letters[first : first + window]
    assert (row["input_ids"] != row["pair_ids"]).nonzero().item() == 1 + window // 2


def test_intervals_are_placed_as_by_the_owners_script(make, folder):
    row = make("regulatory_element_promoter", 512).train_dataset[0]
    start, end = 3_000 - 1, 3_200 - 1
    pad = (512 - (end - start)) // 2
    assert row["sequences"] == folder[1]["chr1"][start - pad : end + pad]


def test_genes_on_the_other_strand_are_turned_around(make, folder):
    data = make("bulk_rna_expression", 512)
    letters = folder[1]["chr1"]
    at = 3_600 - 1
    expected = letters[at - 256 : at + 256][::-1].translate(COMPLEMENT)
    assert data.train_dataset[1]["sequences"] == expected
    values = pd.read_csv(folder[0] / "bulk_rna_expression/rna_expression_values.csv")
    np.testing.assert_allclose(data.train_dataset[1]["labels"], values.iloc[1], rtol=1e-6)


@pytest.mark.parametrize("window", [2048, 4096])
def test_cage_is_cropped_to_the_bins_of_the_window(make, window):
    data = make("cage_prediction", window)
    bins = window // 128
    labels = data.test_dataset[0]["labels"]
    assert labels.shape == (bins, 50)
    assert labels[:, 7].tolist() == list(range(448 - bins // 2, 448 + bins // 2))
    assert len(data.val_dataset) == 3
    assert data.test_dataset[0]["ids"] == f"chr2:{10_000 - window // 2}-{10_000 + window // 2}"


def test_multilabels(make):
    data = make("chromatin_features_histone_marks")
    assert data.train_dataset[1]["labels"].tolist() == [1, 1, 0]


def test_windows_beyond_the_chromosome_are_left_out(make):
    data = make("regulatory_element_enhancer", 8192)
    assert data.counts["train"]["left_out"] == {"whose window leaves its sequence": 2}


def test_smaller_tables(make):
    assert len(make("regulatory_element_promoter", subset=True).train_dataset) == 12
    with pytest.raises(ValueError, match="none is published for cage_prediction"):
        make("cage_prediction", subset=True)


@pytest.mark.parametrize("window", [200, 131_072])
def test_cage_needs_windows_of_whole_bins(make, window):
    with pytest.raises(ValueError, match="for cage_prediction give a multiple of 256, at most 114"):
        make("cage_prediction", window)


def test_the_other_assembly_is_refused(make, monkeypatch):
    from modelgenerator.long_context.data import chromosomes

    monkeypatch.setitem(chromosomes.LENGTHS, "hg19", {"1": 20_000})
    with pytest.raises(ValueError, match="this is hg19 .* LongRangeBenchmark are hg38's"):
        make("regulatory_element_promoter")
    make("bulk_rna_expression")


def test_missing_files_and_columns_are_named(folder, tmp_path):
    fasta = str(folder[0] / "genome.fa")
    with pytest.raises(ValueError, match="lacks regulatory_elements/promoter_dataset.csv"):
        LongRangeBenchmark("regulatory_element_promoter", fasta, str(tmp_path)).setup()
    (tmp_path / "regulatory_elements").mkdir()
    (tmp_path / "regulatory_elements/promoter_dataset.csv").write_text("CHROM,START,label\n1,2,0\n")
    with pytest.raises(ValueError, match="has no column STOP, split; it has CHROM, START, label"):
        LongRangeBenchmark("regulatory_element_promoter", fasta, str(tmp_path)).setup()


def test_without_the_hub_the_file_to_get_is_named(folder, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    data = LongRangeBenchmark("regulatory_element_promoter", str(folder[0] / "genome.fa"))
    with pytest.raises(ValueError, match=r"FOLDER/regulatory_elements/promoter_dataset\.csv"):
        data.setup()
