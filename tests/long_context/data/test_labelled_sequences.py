# SPDX-License-Identifier: Apache-2.0
"""Each kind of label, from tables as they come."""

import numpy as np
import pytest
import torch

from modelgenerator.long_context.data.labelled_sequences import (
    SequenceClasses,
    SequenceMultilabels,
    SequenceTracks,
    SequenceValues,
)

FILES = {"train_split_files": ["train.parquet"], "test_split_files": ["test.parquet"]}


@pytest.fixture
def data(write_table, random_dna):
    """A data module of a kind on random sequences with these labels, the same in both splits."""

    def make(kind, labels, length=20, **options):
        columns = labels if isinstance(labels, dict) else {"label": labels}
        rows = len(next(iter(columns.values())))
        for name, seed in (("train", 0), ("test", 100)):
            sequences = [random_dna(length, seed + i) for i in range(rows)]
            folder = write_table(f"{name}.parquet", {"sequence": sequences, **columns})
        module = kind(str(folder), window=16, valid_split_size=0, **FILES, **options)
        module.setup()
        return module

    return make


def labels_of(module):
    return next(iter(module.test_dataloader()))["labels"]


def test_classes(data):
    module = data(SequenceClasses, [0, 2, 2, 1], n_classes=3)
    assert labels_of(module).tolist() == [0, 2, 2, 1]
    expected = torch.tensor([4 / 3, 4 / 3, 2 / 3])  # each class counts as much
    torch.testing.assert_close(module.class_weight, expected)


def test_classes_by_name(data):
    module = data(SequenceClasses, ["AFR", "EUR", None], classes=["EUR", "AFR"])
    assert labels_of(module).tolist() == [1, 0]
    assert module.counts["train"]["left_out"] == {"without a label": 1}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 3, 3], r"label 3 is out of range: with n_classes 3 labels are 0 to 2\. 2 rows"),
        ([0, -1, 1], "label -1 is out of range"),
        ([0, 1.5, 1], "label 1.5 is out of range"),
        (["a", "b", "a"], "label 'a' is unknown. Allowed are numbers from 0 to 2; for names give"),
    ],
)
def test_labels_that_are_no_classes_are_refused(data, labels, message):
    with pytest.raises(ValueError, match=message):
        data(SequenceClasses, labels, n_classes=3)


def test_multilabels_from_lists_or_columns(data):
    lists = data(SequenceMultilabels, [[0, 1, 1], [1, 0, 0]])
    assert labels_of(lists).tolist() == [[0, 1, 1], [1, 0, 0]]
    columns = data(SequenceMultilabels, {"a": [0, 1], "b": [1, 1]}, y_col=["a", "b"])
    assert labels_of(columns).tolist() == [[0, 1], [1, 1]]
    with pytest.raises(ValueError, match="label 2 is out of range"):
        data(SequenceMultilabels, [[0, 2], [1, 0]])
    with pytest.raises(ValueError, match="lists of as many numbers in every row"):
        data(SequenceMultilabels, [[0, 1], [1]])


def test_values_are_standardised_by_training(data):
    module = data(SequenceValues, [[1.0, 5.0], [3.0, 5.0], [float("nan"), 1.0]])
    assert module.counts["test"]["left_out"] == {"without a finite number": 1}
    np.testing.assert_allclose(module.mean, [2.0, 5.0])
    assert labels_of(module).tolist() == [[-1.0, 0.0], [1.0, 0.0]]
    plain = data(SequenceValues, [1.0, 3.0], normalize=False)
    assert labels_of(plain).tolist() == [[1.0], [3.0]]


def test_tracks_are_cropped_with_their_sequence(data):
    digits = ["0" * 9 + "12" + "0" * 9, "1" * 20]
    module = data(SequenceTracks, digits, n_classes=3)
    assert labels_of(module)[0].tolist() == [0] * 7 + [1, 2] + [0] * 7
    lists = data(SequenceTracks, [[0] * 18 + [-100, 2], [1] * 20], n_classes=3, crop="end")
    assert labels_of(lists)[0].tolist() == [0] * 14 + [-100, 2]


def test_tracks_that_do_not_fit_are_left_out_and_wrong_classes_refused(data):
    module = data(SequenceTracks, ["0" * 20, "0" * 19, None])
    expected = {"without labels": 1, "with more or fewer labels than bases": 1}
    assert module.counts["train"]["left_out"] == expected
    with pytest.raises(ValueError, match="label 7 is out of range"):
        data(SequenceTracks, ["0" * 20, "7" * 20])


def csv_module(write_table, random_dna, kind, labels, **options):
    for name, seed in (("train", 0), ("test", 100)):
        sequences = [random_dna(5, seed + i) for i in range(len(labels))]
        folder = write_table(f"{name}.csv", {"sequence": sequences, "label": labels})
    files = {"train_split_files": ["train.csv"], "test_split_files": ["test.csv"]}
    module = kind(str(folder), window=5, valid_split_size=0, **files, **options)
    module.setup()
    return module


def test_strings_of_digits_in_a_csv(write_table, random_dna):
    module = csv_module(write_table, random_dna, SequenceTracks, ["01010", "11111"])
    assert labels_of(module)[0].tolist() == [0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="train: label in row 1 must be .* and is '01x10'"):
        csv_module(write_table, random_dna, SequenceTracks, ["01010", "01x10"])


@pytest.mark.parametrize(
    ("labels", "classes"), [(["NA", "EU", "NA"], ["EU", "NA"]), ([1, 2, 1], ["2", "1"])]
)
def test_classes_that_look_like_nothing_or_like_numbers(write_table, random_dna, labels, classes):
    module = csv_module(write_table, random_dna, SequenceClasses, labels, classes=classes)
    assert labels_of(module).tolist() == [1, 0, 1]


def test_numbers_are_no_lists_of_labels(data):
    with pytest.raises(ValueError, match="label 12345 is out of range"):
        data(SequenceTracks, [12345, 12345], n_classes=2)


def test_n_has_no_label(write_table):
    columns = {"sequence": ["ACGTN" * 4, "CCGTN" * 4], "label": ["1" * 20] * 2}
    write_table("train.parquet", columns)
    folder = write_table("test.parquet", {**columns, "sequence": ["AAGTN" * 4, "CAGTN" * 4]})
    module = SequenceTracks(str(folder), window=5, valid_split_size=0, crop="start", **FILES)
    module.setup()
    assert labels_of(module)[0].tolist() == [1, 1, 1, 1, -100]
