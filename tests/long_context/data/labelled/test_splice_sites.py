# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from modelgenerator.long_context.data.labelled import SpliceSites

GENES = """#NAME\tCHROM\tSTRAND\tTX_START\tTX_END\tEXON_START\tEXON_END
A\t1\t+\t2000\t4000\t2000,2500,3900,\t2100,2600,4000,
B\t1\t-\t6000\t7000\t6000,6900,\t6100,7000,
"""


@pytest.fixture
def data(tmp_path, write_fasta, random_dna):
    (tmp_path / "genes.txt").write_text(GENES)
    letters = list(random_dna(12_000, 1))
    for start, stop in ((2_100, 2_500), (2_600, 3_900)):
        letters[start : start + 2], letters[stop - 2 : stop] = "GT", "AG"
    letters[6_100:6_102], letters[6_898:6_900] = "CT", "AC"
    fasta = write_fasta({"chr1": "".join(letters)})
    return SpliceSites(
        str(fasta), str(tmp_path / "genes.txt"), 400, block=12_000, test_share=0.9,
        valid_share=0.0, max_shared=1.0,
    )  # fmt: skip


def test_sites_of_the_strand_that_is_read(data):
    data.setup("test")
    # The last base of an exon before an intron is a donor, the first after it an acceptor.
    forward, reverse = np.zeros(12_000, dtype=int), np.zeros(12_000, dtype=int)
    forward[[2_099, 2_599]], forward[[2_500, 3_900]] = 2, 1
    reverse[6_900], reverse[6_099] = 2, 1
    dataset, seen = data.test_datasets[0], 0
    for index in range(len(dataset)):
        example = dataset[index]
        start, stop = map(int, example["ids"].removesuffix("(-)").split(":")[1].split("-"))
        if example["ids"].endswith("(-)"):
            expected = reverse[start:stop][::-1]
        else:
            expected = forward[start:stop]
        assert example["labels"].tolist() == expected.tolist()
        seen += int(expected.any())
    assert seen >= 2


def test_annotation_that_does_not_fit_the_sequence(data, tmp_path):
    path = tmp_path / "genes.txt"
    path.write_text(GENES.replace("2100", "2101").replace("3900", "3901").replace("6900", "6899"))
    with pytest.raises(ValueError, match="annotation: only 0.0% of 3 introns begin with GT"):
        data.setup("test")


def test_one_exon_has_no_splice_site(data, tmp_path):
    (tmp_path / "genes.txt").write_text(GENES.splitlines()[0] + "\nA\t1\t+\t5\t9\t5,\t9,\n")
    with pytest.raises(ValueError, match="annotation: no transcript has two exons"):
        data.setup("test")


def test_windows_are_where_genes_are(data):
    data.setup("test")
    counts = data.counts["test"]
    assert counts["dropped"]["no or several labels"] > 10
    # Genes and 200 bases on each side, 1,800 to 4,200 and 5,800 to 7,200, hold windows from 2,000,
    # 2,400, 2,800, 3,200 and 3,600, and from 6,000, 6,400 and 6,800.
    assert counts["kept"] == 8
