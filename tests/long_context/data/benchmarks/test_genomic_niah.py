# SPDX-License-Identifier: Apache-2.0
import pandas as pd
import pytest

from modelgenerator.long_context.data.benchmarks import GenomicNIAH
from modelgenerator.long_context.data.vocabulary import MASK, decode

FILES = ["niah_4k/test.parquet"]


@pytest.fixture
def data(layouts, tmp_path):
    layouts.needles(tmp_path)
    data = GenomicNIAH(str(tmp_path), test_split_files=FILES, batch_size=2)
    data.setup("test")
    return data


def test_the_value_is_masked_at_the_end_and_stands_in_the_haystack(data, layouts):
    batch = next(iter(data.test_dataloader()))
    assert set(batch) == set(data.provided_columns)
    assert batch["input_ids"].shape == (2, 4096 * 6 + 2)
    masked = batch["labels"][1] != -100
    assert masked.nonzero().flatten().tolist() == list(range(24_577 - 24, 24_577))
    assert (batch["input_ids"][1][masked] == MASK).all()
    assert (batch["copy_kind"][1] == 1).equal(masked)
    value = layouts.dna(24, 11)
    assert decode(batch["labels"][1][masked].numpy()) == value
    sequence, distance = batch["sequences"][1], int(batch["copy_distance"][1][masked][0])
    at = len(sequence) - 24
    assert sequence[at - distance : at - distance + 24] == value
    assert sequence[at - distance - 24 : at - distance] == sequence[at - 24 : at], "the key"


def test_it_is_tested_as_copies_of_one_length(data):
    assert data.test_sets == [("copies", 24_576)]
    assert data.lengths == [24_576]


def test_needles_that_are_not_there_are_left_out(layouts, tmp_path):
    layouts.needles(tmp_path)
    path = tmp_path / FILES[0]
    frame = pd.read_parquet(path)
    frame.loc[0, "value"] = "ACGT" * 6
    frame.loc[1, "context_length_tokens"] = 8192
    frame.to_parquet(path)
    data = GenomicNIAH(str(tmp_path), test_split_files=FILES)
    data.setup()
    assert data.counts["test"]["left_out"] == {
        "of another context than 4,096 tokens": 1,
        "without the value at the end and before": 1,
    }


def test_names_of_configs():
    assert GenomicNIAH().config_name == "niah_4k"
    assert GenomicNIAH(context="8k", decoys="d1").config_name == "niah_neardup_d1_8k"
    assert GenomicNIAH(context="8k").window == 49_152
