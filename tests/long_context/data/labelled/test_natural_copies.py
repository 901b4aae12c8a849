# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest
import torch

from modelgenerator.long_context.data.examples import COLUMNS
from modelgenerator.long_context.data.labelled import NaturalCopies

PAIRS = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def fasta(write_fasta, random_dna):
    """400 bases of 4,000 stand again at 5,500; 300 of 14,500, complemented, at 16,000."""
    letters = random_dna(20_000, 3)
    letters = letters[:5_500] + letters[4_000:4_400] + letters[5_900:]
    reverse = letters[14_500:14_800].translate(PAIRS)[::-1]
    return str(write_fasta({"x": letters[:16_000] + reverse + letters[16_300:]}))


@pytest.fixture
def data(fasta):
    data = NaturalCopies(fasta, [500, 2_000, 4_000], mask_rate=0.5, pin_memory=False)
    data.setup("test")
    return data


def test_sets_and_columns(data):
    assert data.test_sets == [
        (kind, length) for length in (500, 2_000, 4_000) for kind in ("natural", "copies")
    ]
    assert set(COLUMNS) <= {*data.provided_columns}
    batch = next(iter(data.test_dataloader()[0]))
    assert set(batch) == set(data.provided_columns)
    assert batch["input_ids"].shape == (2, 502)
    assert data.counts["test"]["kept"] == 2
    assert data.counts["test"]["reverse_complement"] == 1


@pytest.mark.parametrize("index", [0, 1])
def test_the_same_bases_are_masked_everywhere(data, index):
    answers = set()
    for dataset in data.test_datasets:
        example = dataset[index]
        masked = torch.nonzero(example["labels"] != -100).flatten()
        middle = (dataset.length + 2) / 2
        assert (masked - middle).abs().max() <= 210
        assert (example["input_ids"][masked] == 1).all()  # [MASK]
        answers.add(tuple((masked - dataset.length // 2).tolist()))
    assert len(answers) == 1
    assert 100 < len(next(iter(answers))) < 250


@pytest.mark.parametrize("index", [0, 1])
def test_the_answer_stands_at_the_distance_that_is_said(data, index):
    """Looked up in the window itself, where the window is long enough to hold the source."""
    pairs = {5: 8, 8: 5, 6: 7, 7: 6}  # A T, G C
    for dataset in data.test_datasets:
        example = dataset[index]
        ids, labels = example["input_ids"].numpy(), example["labels"].numpy()
        masked = np.flatnonzero(labels != -100)
        kind = example["copy_kind"].numpy()[masked]
        if not dataset.keep:
            assert (kind == 0).all()
            continue
        assert (kind == index + 1).all()
        source = masked - example["copy_distance"].numpy()[masked]
        if dataset.length == 4_000:
            found = ids[source]
            expected = [pairs[i] for i in labels[masked]] if index else labels[masked]
            assert found.tolist() == list(expected)
        elif dataset.length == 500:
            assert (source < 1).all()


def test_only_the_source_is_scrambled(data):
    scrambled, kept = data.test_datasets[-2][0], data.test_datasets[-1][0]
    one, other = (np.array(list(example["sequences"])) for example in (scrambled, kept))
    differs = np.flatnonzero(one != other)
    start = int(kept["ids"].split(":")[1].split("-")[0])
    assert start + differs.min() >= 4_000 - 8
    assert start + differs.max() < 4_400 + 8
    assert sorted(one[differs]) == sorted(other[differs])  # the same bases in another order
    assert (scrambled["labels"] == kept["labels"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(lengths=[]), "lengths: none is given."),
        (dict(lengths=[100, 250]), "lengths: 250 is no multiple of 100."),
        (dict(lengths=[100], mask_rate=0.0), "mask_rate: 0.0; give a rate above 0"),
        (dict(lengths=[100], eval_windows=0), "eval_windows: 0; give at least 1."),
    ],
)
def test_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        NaturalCopies("no.fa", **arguments)


def test_no_copies_and_training(write_fasta, random_dna, fasta):
    none = NaturalCopies(str(write_fasta({"y": random_dna(20_000, 8)}, "none.fa")), [4_000])
    with pytest.raises(ValueError, match="of 0 copies of 100 bases or more within 2,000 bases"):
        none.setup("test")
    with pytest.raises(ValueError, match="NaturalCopies is for `mgen test`"):
        NaturalCopies(fasta, [4_000]).setup("fit")
