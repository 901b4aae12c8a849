# SPDX-License-Identifier: Apache-2.0
"""Windows about intervals: where they are cut, what is left out, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.interval_windows import window_start
from modelgenerator.long_context.data.labelled_intervals import IntervalClasses, IntervalValues


@pytest.fixture
def genome(write_fasta, random_dna):
    """Letters by name; chr2 holds a run of N."""
    records = {
        "chr1": random_dna(2000, 1),
        "chr2": random_dna(900, 2) + "N" * 100,
        "3": "ACGT" * 50,
    }
    return records, str(write_fasta(records))


@pytest.fixture
def module(genome, write_table):
    def make(columns, kind=IntervalClasses, name="x.csv", **options):
        table = str(write_table(name, columns) / name)
        options = {"window": 20, "shuffle": False, **options}
        data = kind(table, genome[1], **options)
        data.setup()
        return data

    return make


COLUMNS = {
    "chrom": ["chr1", "1", "chr1", "chr3"],
    "start": [100, 301, 500, 90],
    "stop": [110, 308, 600, 92],
    "label": [0, 1, 1, 0],
    "split": ["train", "validation", "test", "test"],
}


def test_windows_are_centred_whatever_the_interval(genome, module):
    data = module(COLUMNS)
    letters, _ = genome
    sequences = [
        rows[i]["sequences"]
        for rows in (data.train_dataset, data.val_dataset, data.test_dataset)
        for i in range(len(rows))
    ]
    assert (
        sequences
        == [
            letters["chr1"][95:115],  # 5 on either side of ten bases
            letters["chr1"][295:315],  # 6 before seven, and the odd one behind
            letters["chr1"][540:560],  # the middle of a hundred
            letters["3"][81:101],  # chr3 is 3
        ]
    )
    assert data.train_dataset[0]["ids"] == "chr1:95-115"


@given(st.integers(0, 10**6), st.integers(0, 200), st.integers(1, 400))
def test_the_middle_of_the_interval_is_the_middle_of_the_window(start, size, window):
    first = int(window_start(np.array(start), np.array(start + size), window))
    assert abs((first + window / 2) - (start + size / 2)) <= 0.5
    point = int(window_start(np.array(start), np.array(start), window))
    assert start - point == window // 2


def test_the_other_strand_is_turned_around(genome, module):
    data = module({**COLUMNS, "strand": ["-", "+", "+", "+"]})
    forward = genome[0]["chr1"][95:115]
    assert data.train_dataset[0]["sequences"] == forward[::-1].translate(
        str.maketrans("ACGT", "TGCA")
    )
    assert data.train_dataset[0]["ids"] == "chr1:95-115(-)"


@pytest.mark.parametrize("minus", ["-", -1, "-1", -1.0])
def test_strands_by_sign_or_number(genome, module, minus):
    data = module({**COLUMNS, "strand": [minus, 1, None, None]})
    assert data.train_dataset[0]["ids"] == "chr1:95-115(-)"
    assert data.val_dataset[0]["ids"] == "chr1:295-315"
    assert data.test_dataset[0]["ids"] == "chr1:540-560"


@pytest.mark.parametrize("odd", ["minus", "\N{MINUS SIGN}", "reverse", 2])
def test_another_strand_is_refused(module, odd):
    with pytest.raises(ValueError, match=f"strand: '{odd}' in row 0 is not known"):
        module({**COLUMNS, "strand": [odd, "+", "+", "+"]})


def test_rows_that_have_no_window_are_left_out_and_counted(module):
    columns = {
        "chrom": ["chr1", "chr1", "chr9", "chr2", "chr1", "chr1"],
        "start": [3, 1995, 10, 950, 700, 800],
        "stop": [5, 1999, 20, 960, 710, 810],
        "label": [0, 0, 0, 0, None, 1],
        "split": ["test"] * 6,
    }
    data = module(columns)
    assert data.counts["test"] == {
        "rows": 6,
        "kept": 1,
        "left_out": {
            "on sequences that the genome lacks": 1,
            "without a label": 1,
            "whose window leaves its sequence": 2,
            "with more than 50% N": 1,
        },
    }


def test_splits_by_chromosome(module):
    columns = {name: values for name, values in COLUMNS.items() if name != "split"}
    with pytest.raises(ValueError, match="split: .* has no such column"):
        module(columns)
    data = module(columns, test_chromosomes=["3"])
    assert (len(data.train_dataset), len(data.test_dataset)) == (3, 1)
    with pytest.raises(
        ValueError, match="test_chromosomes: no row is on 7; there are rows on chr1"
    ):
        module(columns, test_chromosomes=["7"])
    with pytest.raises(ValueError, match="the table says itself which rows are test"):
        module(COLUMNS, test_chromosomes=["3"])
    with pytest.raises(ValueError, match="split: dve is no split. Known are train, valid, test"):
        module({**COLUMNS, "split": ["train", "dve", "test", "test"]})


def test_windows_that_overlap_training_are_warned_of(module):
    columns = {**COLUMNS, "start": [100, 112, 500, 90], "stop": [110, 118, 600, 92]}
    with pytest.warns(UserWarning, match="1 of 1 valid windows overlap a training window"):
        module(columns)
    with pytest.warns(UserWarning, match="1 of 2 test windows overlap a training window"):
        module({**columns, "start": [100, 300, 105, 90], "stop": [101, 301, 106, 92]})


def test_another_genome_is_refused(module):
    with pytest.raises(
        ValueError, match=r"none of the table's chromosomes \(V, W\) is in the genome"
    ):
        module({**COLUMNS, "chrom": ["V", "V", "W", "W"]})


def test_classes_by_name_and_gff(module, tmp_path, genome):
    gff = tmp_path / "x.gff"
    gff.write_text(
        "chr1\tx\tgene\t101\t110\t.\t+\t.\ta\nchr1\tx\texon\t101\t105\t.\t+\t.\tb\n"
        "3\tx\ttRNA\t91\t92\t.\t-\t.\tc\n"
    )
    data = IntervalClasses(
        str(gff), genome[1], window=20, classes=["tRNA", "gene"], test_chromosomes=["chr3"]
    )
    data.setup()
    assert [row["labels"].item() for row in data.train_dataset] == [1]
    assert [row["labels"].item() for row in data.test_dataset] == [0]
    with pytest.raises(ValueError, match="x.csv: label 'b' is unknown. Allowed are a"):
        module({**COLUMNS, "label": ["a", "a", "b", "a"]}, classes=["a"])


def test_classes_called_na_or_by_numbers(module):
    data = module({**COLUMNS, "label": ["NA", "EU", "NA", "EU"]}, classes=["EU", "NA"])
    assert data.train_dataset[0]["labels"].item() == 1
    assert not data.counts["train"]["left_out"]
    for name in ("x.csv", "x.parquet"):
        columns = {**COLUMNS, "label": [1, 2, 2, None]}
        data = module(columns, name=name, classes=["2", "1"])
        assert data.train_dataset[0]["labels"].item() == 1
        assert data.test_dataset[0]["labels"].item() == 0
        assert data.counts["test"]["left_out"] == {"without a label": 1}


def test_values(module):
    columns = {**COLUMNS, "x": [1.5, 2, None, 4], "y": [0, 0, 0, 1]}
    data = module(columns, IntervalValues, label=["x", "y"])
    assert data.train_dataset[0]["labels"].tolist() == [1.5, 0.0]
    assert data.counts["test"]["left_out"] == {"without a label": 1}
    with pytest.raises(ValueError, match="has no column z"):
        module(columns, IntervalValues, label="z")


def test_nothing_to_train_or_test_on_is_said(module):
    data = module({**COLUMNS, "split": ["test"] * 4})
    with pytest.raises(ValueError, match="there are no training rows"):
        data.train_dataloader()
    data = module({**COLUMNS, "split": ["train"] * 4})
    with pytest.raises(ValueError, match="there are no test rows"):
        data.test_dataloader()


def alleles(letters, shift=0, wrong=0, ref=True):
    """Variants every 20 bases of chr1, each with the next letter as alternative."""
    positions = list(range(40, 1900, 20))
    refs = [letters[p] for p in positions]
    alts = ["ACGT"["ACGT".index(r) - 1] for r in refs]
    shown = [a if i < wrong else r for i, (r, a) in enumerate(zip(refs, alts, strict=True))]
    columns = {"chrom": ["1"] * len(refs), "pos": [p + 1 + shift for p in positions]}
    columns |= {"alt": alts, "label": [0] * len(refs), "split": ["test"] * len(refs)}
    return {**columns, "ref": shown} if ref else columns


def test_alleles_stand_in_the_middle(genome, module):
    data = module(alleles(genome[0]["chr1"]), one_based=True)
    row = data.test_dataset[3]
    differ = (row["input_ids"] != row["pair_ids"]).nonzero().flatten().tolist()
    assert differ == [1 + 20 // 2]
    assert row["sequences"][10] == genome[0]["chr1"][100]


def test_alleles_that_are_not_the_genomes(genome, module):
    letters = genome[0]["chr1"]
    data = module({**alleles(letters), "ref": alleles(letters, wrong=0)["ref"]}, one_based=True)
    assert data.counts["test"]["left_out"] == {}
    with pytest.raises(ValueError, match=r"10 of 93 alleles \(10.8%\) are not .* another assembly"):
        module(alleles(letters, wrong=10), one_based=True)
    with pytest.raises(ValueError, match="One base before they fit: positions are off by one"):
        module(alleles(letters, shift=1), one_based=True)
    with pytest.raises(ValueError, match="One base behind they fit"):
        module(alleles(letters, shift=-1), one_based=True)
    with pytest.raises(ValueError, match="alleles .* are not what the genome says"):
        module(alleles(letters, shift=1, ref=False), one_based=True)


def test_indels_are_left_out(genome, module):
    columns = alleles(genome[0]["chr1"])
    columns["alt"] = ["AC", "<DEL>", None, *columns["alt"][3:]]
    data = module(columns, one_based=True)
    assert data.counts["test"]["left_out"] == {"that are no substitution of one base": 3}
