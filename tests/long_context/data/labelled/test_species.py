# SPDX-License-Identifier: Apache-2.0
import re

import pytest

from modelgenerator.long_context.data.labelled import Species


@pytest.fixture
def files(write_fasta, random_dna):
    return [str(write_fasta({"chr": random_dna(10_000, seed)}, f"{seed}.fa")) for seed in range(3)]


def where(dataset, items):
    found = []
    for index in range(items):
        example = dataset[index]
        record, interval = example["ids"].removesuffix("(-)").split(":")
        found.append((record, int(example["labels"]), *map(int, interval.split("-"))))
    return found


def test_a_label_is_the_file_and_a_species_may_have_several(files):
    data = Species({"a": files[:2], "b": files[2]}, 300, test_share=0.3, valid_share=0.1)
    data.setup()
    assert data.class_names == ["a", "b"]
    for dataset in (data.train_dataset, data.val_dataset, data.test_datasets[0]):
        seen = {(record, label) for record, label, *_ in where(dataset, min(len(dataset), 50))}
        assert seen == {("0/chr", 0), ("1/chr", 0), ("2/chr", 1)}


def test_every_chromosome_tests_on_its_end(files):
    data = Species({"a": files[0], "b": files[1]}, 300, test_share=0.3, valid_share=0.1)
    data.setup()
    stops = [stop for *_, stop in where(data.train_dataset, 300)]
    starts = [start for *_, start, _ in where(data.test_datasets[0], len(data.test_datasets[0]))]
    # Training ends a window before validation at 6,000, and that a window before 7,000.
    assert max(stops) <= 5_700
    assert min(starts) >= 7_000


def test_windows_with_n_are_left_out(files, write_fasta, random_dna):
    with_n = random_dna(10_000, 7)
    with_n = with_n[:9_000] + "N" + with_n[9_001:]
    other = str(write_fasta({"chr": with_n}, "n.fa"))
    data = Species({"a": files[0], "b": other}, 300, test_share=0.3)
    data.setup("test")
    assert data.counts["test"]["dropped"]["too many N"] == 1


@pytest.mark.parametrize(
    ("fasta", "arguments", "message"),
    [
        ({"a": "x.fa"}, {}, "fasta: names ['a']; give at least two species."),
        ({"a": "x.fa", "b": "y.fa"}, {"test_fasta": "z.fa"}, "test_fasta: Species tests on the en"),
    ],
)
def test_refused(fasta, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Species(fasta, 300, **arguments)
