# SPDX-License-Identifier: Apache-2.0
"""What every table of sequences is checked for, and how its splits are made."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.labelled_sequences import SequenceClasses
from modelgenerator.long_context.data.sequence_tables import crop

FILES = {"train_split_files": ["train.csv"], "test_split_files": ["test.csv"]}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def table(write_table, random_dna):
    """Write train.csv and test.csv; the first rows of either may be given."""

    def make(train=(), test=(), label="label", rows=6):
        for name, first, seed in (("train", train, 0), ("test", test, 100)):
            sequences = [*(s for s, _ in first), *(random_dna(50, seed + i) for i in range(rows))]
            labels = [*(y for _, y in first), *(i % 2 for i in range(rows))]
            folder = write_table(f"{name}.csv", {"sequence": sequences, label: labels})
        return str(folder)

    return make


def module(path, **options):
    return SequenceClasses(path, **{"window": 40, "valid_split_size": 0, **FILES, **options})


@given(st.integers(1, 50), st.integers(1, 50), st.sampled_from(["centre", "start", "end"]))
def test_a_crop_is_as_long_as_can_be(length, window, which):
    part = crop(length, window, which)
    assert part.stop - part.start == min(length, window)
    assert 0 <= part.start <= part.stop <= length


def test_crops_by_hand():
    letters = "0123456789"
    assert letters[crop(10, 4, "centre")] == "3456"
    assert letters[crop(10, 5, "centre")] == "34567"  # the base at 10 // 2 at 5 // 2
    assert letters[crop(10, 4, "start")] == "0123"
    assert letters[crop(10, 4, "end")] == "6789"


def test_rows_become_windows(table, random_dna):
    data = module(table())
    data.setup("fit")
    row = data.train_dataset[2]
    assert row["sequences"] == random_dna(50, 2)[5:45]
    assert row["labels"].item() == 0
    assert row["ids"] == "train:2"
    batch = next(iter(data.test_dataloader()))
    assert set(batch) == set(data.provided_columns)
    assert batch["input_ids"].shape == (6, 42)


def test_bad_rows_are_left_out_and_counted(table, random_dna):
    twice = random_dna(50, 0)
    backward = random_dna(50, 1)[::-1].translate(COMPLEMENT).lower()
    path = table(
        train=[("", 0), ("MKVLAAGE" * 6, 1), ("N" * 30 + "ACGT" * 5, 1), ("ACGT" * 12, None)],
        test=[(twice, 1), (backward, 0)],
    )
    data = module(path)
    data.setup()
    assert data.counts["train"] == {
        "rows": 10,
        "kept": 6,
        "left_out": {
            "without a label": 1,
            "without a sequence": 1,
            "with letters that are no nucleotides": 1,
            "with more than 50% N": 1,
        },
    }
    leaked = "whose sequence is also in a split before, on either strand"
    assert data.counts["test"]["left_out"] == {leaked: 2}
    assert len(data.test_dataset) == 6
    assert data.describe()["counts"] == data.counts


def test_every_letter_is_a_nucleotide_or_is_not(table):
    """One row for each printable character, as in the genomes: fasta._KNOWN."""
    from modelgenerator.long_context.data.fasta import _KNOWN

    letters = [chr(code) for code in range(33, 127) if chr(code) not in '",']
    data = module(table(train=[("ACGT" * 12 + letter, 0) for letter in letters]))
    data.setup()
    odd = sum(not _KNOWN[ord(letter)] for letter in letters)
    assert odd == 94 - 2 - 2 * 17 - 1
    left_out = data.counts["train"]["left_out"]
    assert left_out["with letters that are no nucleotides"] == odd


def test_a_table_travels_to_workers(table):
    data = module(table(), num_workers=1)
    data.setup()
    assert len(pickle.loads(pickle.dumps(data)).train_dataset) == 6
    assert len(list(data.train_dataloader())) == 1


def test_a_missing_column_is_named(table):
    with pytest.raises(ValueError, match="has no column label; it has sequence, y"):
        module(table(label="y")).setup()


def test_a_missing_file_is_named_with_its_place(table):
    path = table()
    with pytest.raises(ValueError, match=r"lacks dev.csv. Put them there"):
        module(path, valid_split_name="valid", valid_split_files=["dev.csv"]).setup()


def test_a_missing_split_is_no_reason_to_split_training(table):
    with pytest.raises(ValueError, match="test_split_name: .* has no split 'tset'"):
        module(table(), test_split_name="tset").setup()


def test_without_the_hub_the_files_to_get_are_named(monkeypatch, write_table):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    write_table("unused.csv", {"x": [1]})
    with pytest.raises(ValueError, match=r"nobody/nothing cannot be loaded .*put train.csv, test"):
        module("nobody/nothing").setup()


def test_groups_stay_together(write_table, random_dna):
    columns = {
        "sequence": [random_dna(30, i) for i in range(40)],
        "label": [i % 2 for i in range(40)],
        "gene": [f"gene{i // 4}" for i in range(40)],
    }
    path = str(write_table("all.csv", columns))
    options = {"train_split_files": ["all.csv"], "test_split_files": None, "test_split_name": None}
    data = module(path, **options, group_col="gene", valid_split_size=0.2)
    data.setup()
    genes = [
        set(rows.table["gene"])
        for rows in (data.train_dataset, data.val_dataset, data.test_dataset)
    ]
    assert all(genes)
    assert not genes[0] & genes[1]
    assert not (genes[0] | genes[1]) & genes[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"window": 0}, "window: 0"), ({"batch_size": 0}, "batch_size: 0"),
     ({"max_n_fraction": 2.0}, "max_n_fraction: 2.0")],
)  # fmt: skip
def test_bad_arguments_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        module("anywhere", **options)
