# SPDX-License-Identifier: Apache-2.0
import re

import numpy as np
import pytest

from modelgenerator.long_context.data.labelled import AnnotatedNucleotides, AnnotatedWindows

BED = """chr1\t0\t4000\tgene\t0\t+
chr1\t1000\t1100\texon\t0\t+
chr1\t3900\t4000\texon\t0\t+
chr1\t6000\t10000\tgene\t0\t-
chr1\t3800\t6200\tother\t0\t+
"""


@pytest.fixture
def files(tmp_path, write_fasta, random_dna):
    (tmp_path / "genes.bed").write_text(BED)
    fasta = write_fasta({"1": random_dna(10_000, 1)})
    return dict(fasta=str(fasta), annotation=str(tmp_path / "genes.bed"))


OPTIONS = dict(window=200, block=10_000, test_share=0.9, valid_share=0.0, max_shared=1.0)


def rows(data):
    data.setup("test")
    dataset = data.test_datasets[0]
    for index in range(len(dataset)):
        example = dataset[index]
        start, stop = example["ids"].removesuffix("(-)").split(":")[1].split("-")
        yield int(start), int(stop), example["ids"].endswith("(-)"), example["labels"].numpy()


def test_strand_of_a_gene(files):
    data = AnnotatedWindows(**files, features={"gene": "gene"}, stranded=True, **OPTIONS)
    assert data.class_names == ["gene +", "gene -"]
    found = list(rows(data))
    assert len(found) == 40
    for start, _, reverse, label in found:
        assert (start < 4_000) != (start >= 6_000)
        assert int(label) == int((start >= 6_000) != reverse)


def test_features_without_a_strand_are_counted_where_strands_are_classes(files, tmp_path):
    (tmp_path / "genes.bed").write_text(BED + "chr1\t4500\t5000\tgene\n")
    data = AnnotatedWindows(**files, features={"gene": "gene"}, stranded=True, **OPTIONS)
    with pytest.warns(UserWarning, match="annotation: 1 of 3 features chosen have no strand"):
        assert len(list(rows(data))) == 40


def test_bases_of_two_classes_count_for_none_and_the_background_is_a_class(files):
    features = {"gene": ["gene"], "other": ["other"]}
    data = AnnotatedWindows(**files, features=features, background="none", **OPTIONS)
    assert data.class_names == ["none", "gene", "other"]
    found = {start: int(label) for start, _, _, label in rows(data)}
    assert found == {
        **{start: 1 for start in range(0, 3_800, 200)},
        **{start: 2 for start in range(4_000, 6_000, 200)},
        **{start: 1 for start in range(6_200, 10_000, 200)},
    }


def test_every_base_the_last_class_wins_and_strands_change_places(files):
    features = {"intron": "gene", "exon": "exon"}
    data = AnnotatedNucleotides(**files, features=features, stranded=True, **OPTIONS)
    assert data.class_names == ["other", "intron +", "intron -", "exon +", "exon -"]
    track = np.zeros(10_000, dtype=int)
    track[:4_000], track[6_000:] = 1, 2
    track[1_000:1_100] = track[3_900:4_000] = 3
    swap = np.array([0, 2, 1, 4, 3])
    strands = set()
    for start, stop, reverse, labels in rows(data):
        expected = swap[track[start:stop]][::-1] if reverse else track[start:stop]
        assert labels.tolist() == expected.tolist()
        strands.add(reverse)
    assert strands == {True, False}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(features={}), "features: none."),
        (dict(features={"a": "gene"}), "features: ['a'] is one class."),
        (dict(features={"a": "gene"}, stranded=True, join=-1), "join: -1; give at least 0."),
    ],
)
def test_refused_before_data_is_read(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        AnnotatedWindows(fasta="no.fa", annotation="no.bed", window=200, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(annotation="no.bed"), "annotation: no.bed is no file"),
        (dict(annotation="s_pyogenes"), "Fetch it first: mgen-lc genomes fetch s_pyogenes"),
        (dict(features={"a": "CDS"}), "features: CDS fits none of 5 features. Types are gene (2)"),
    ],
)
def test_annotation_that_will_not_do(files, changes, message):
    arguments = {**files, "features": {"a": "gene"}, **changes}
    data = AnnotatedNucleotides(**arguments, **OPTIONS)
    with pytest.raises(ValueError, match=re.escape(message)):
        data.setup("test")


def test_other_genomes_need_their_own_annotation(files, write_fasta, random_dna):
    other = str(write_fasta({"2": random_dna(5_000, 3)}, "other.fa"))
    data = AnnotatedNucleotides(**files, features={"a": "gene"}, test_fasta=other, **OPTIONS)
    with pytest.raises(ValueError, match="test_annotation: none is given for test_fasta"):
        data.setup("test")
