# SPDX-License-Identifier: Apache-2.0
import pandas as pd
import pytest

from modelgenerator.long_context.data.benchmarks import VariantPairs

FILE = "mendelian_traits_vep.parquet"


@pytest.mark.parametrize("window", [8192, 512])
def test_alleles_are_in_the_middle_of_windows_of_any_length(layouts, tmp_path, window):
    layouts.alleles(tmp_path, FILE)
    data = VariantPairs(path=str(tmp_path), window=window)
    data.setup()
    assert len(data.train_dataset) == 0
    assert len(data.test_dataset) == 16, "without chromosomes to train on, all test"
    row = data.test_dataset[5]
    differ = (row["input_ids"] != row["pair_ids"]).nonzero().flatten().tolist()
    assert differ == [1 + window // 2]
    assert row["labels"].item() == 1
    assert set(next(iter(data.test_dataloader()))) == set(data.provided_columns)


def test_chromosomes_make_the_splits(layouts, tmp_path):
    layouts.alleles(tmp_path, FILE)
    options = {"path": str(tmp_path), "test_chromosomes": ["chr4"]}
    data = VariantPairs(**options, valid_chromosomes=["3"])
    data.setup()
    assert (len(data.train_dataset), len(data.val_dataset), len(data.test_dataset)) == (8, 4, 4)
    with pytest.raises(ValueError, match="valid_chromosomes: no variant is on X; there are"):
        VariantPairs(**options, valid_chromosomes=["X"]).setup()


def test_windows_that_are_not_their_alleles_are_left_out(layouts, tmp_path):
    layouts.alleles(tmp_path, FILE)
    frame = pd.read_parquet(tmp_path / FILE)
    frame.loc[0, "ref"], frame.loc[1, "alt"] = "AC", ""
    frame.loc[2, "var_seq"] = frame.loc[2, "ref_seq"]
    frame.loc[3, "ref_seq"] = "ACGT"
    frame.loc[4, "var_seq"] = None
    frame.loc[5, ["ref_seq", "var_seq"]] = frame.loc[5, ["ref_seq", "var_seq"]].str.lower()
    frame.to_parquet(tmp_path / FILE)
    data = VariantPairs(path=str(tmp_path))
    # One of the 12 that are substitutions of one base with both windows.
    with pytest.warns(UserWarning, match="8.3% of windows do not have REF and ALT in the middle"):
        data.setup()
    assert data.counts["test"]["left_out"] == {
        "that are no substitution of one base": 2,
        "whose windows are not 8,192 nt long": 2,
        "without REF and ALT in the middle of their windows": 1,
    }
    frame["class"] = "odd"
    frame.to_parquet(tmp_path / FILE)
    with pytest.raises(ValueError, match="class 'odd'; known are LOF, FUNC/INT"):
        VariantPairs(path=str(tmp_path)).setup()


def test_longer_windows_than_the_tables_are_refused():
    with pytest.raises(ValueError, match="window: 16384; the tables hold 8,192 nt"):
        VariantPairs(window=16384)
