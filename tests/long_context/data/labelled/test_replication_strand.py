# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.labelled import ReplicationStrand
from modelgenerator.long_context.data.labelled.replication_strand import arc, replication_ends
from modelgenerator.long_context.data.vocabulary import encode
from modelgenerator.long_context.evaluation.baselines import gc_skew


def test_origin_and_terminus_by_hand():
    # The skew falls to the end of the C's and rises to the end of the G's.
    assert replication_ends(encode(b"AACCCTTGGGGAA")) == (5, 11)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 30))
def test_arcs_go_forward_round_the_circle(start, stop, margin):
    if start == stop:
        return
    covered = np.zeros(100, dtype=int)
    for begin, end in arc(start, stop, 100, margin):
        covered[begin:end] += 1
    way = [at % 100 for at in range(start, stop if stop > start else stop + 100)]
    expected = np.zeros(100, dtype=int)
    expected[way[margin : len(way) - margin]] = 1
    assert covered.tolist() == expected.tolist()


@pytest.fixture
def chromosome(write_fasta):
    """20 kb, rich in G from 5,000 to 15,000 and in C elsewhere; and a plasmid."""
    rng = np.random.default_rng(0)
    letters = np.array(list("ACGT"))
    rich = rng.choice(letters, 10_000, p=[0.2, 0.2, 0.4, 0.2])
    poor = rng.choice(letters, 10_000, p=[0.2, 0.4, 0.2, 0.2])
    chromosome = "".join([*poor[:5_000], *rich, *poor[5_000:]])
    return str(write_fasta({"chromosome": chromosome, "plasmid": chromosome[:400]}))


def module(fasta, **arguments):
    defaults = dict(window=500, margin=200, block=20_000, valid_share=0.0, max_shared=1.0)
    return ReplicationStrand(fasta, **{**defaults, **arguments})


def test_the_leading_strand_is_rich_in_g(chromosome):
    data = module(chromosome, test_share=0.5)
    with pytest.warns(UserWarning, match=r"1 records are left out, too short .* plasmid \(400"):
        data.setup("test")
    dataset = data.test_datasets[0]
    assert data.counts["test"]["classes"] == {"lagging": 18, "leading": 18}
    assert data.counts["test"]["dropped"]["no or several labels"] == 4
    strands = set()
    for index in range(len(dataset)):
        example = dataset[index]
        start = int(example["ids"].split(":")[1].split("-")[0])
        reverse = example["ids"].endswith("(-)")
        strands.add(reverse)
        assert int(example["labels"]) == int((5_000 <= start < 15_000) != reverse)
        assert (gc_skew(example["input_ids"].numpy()) > 0) == bool(example["labels"])
    assert strands == {True, False}


def test_what_is_no_chromosome(chromosome):
    data = module(chromosome, margin=5_000)
    with pytest.raises(ValueError, match="no record is as long as 10 margins, 50,000 bases"):
        data.setup("test")
    with pytest.raises(ValueError, match="margin: -1; give at least 0."):
        module(chromosome, margin=-1)


def test_one_way_round_may_be_all_margin(write_fasta):
    """Skew that never turns has origin and terminus side by side: one class, and it is said."""
    data = module(str(write_fasta({"chromosome": "ACGTG" * 4_000})))
    with pytest.raises(ValueError, match="The train split has no window of .* bases of lagging"):
        data.setup("fit")


def test_shipped_chromosomes_test_on_another_genus():
    """C. trachomatis' known replication: skew alone says the strand of nearly every 16 kb."""
    data = ReplicationStrand(
        "m_tuberculosis", 16_000, test_fasta="c_trachomatis", max_shared=1.0, valid_share=0.0
    )
    data.prepare_data()
    data.setup("test")
    dataset = data.test_datasets[0]
    hits = [
        (gc_skew(example["input_ids"].numpy()) > 0) == bool(example["labels"])
        for example in (dataset[i] for i in range(len(dataset)))
    ]
    assert len(hits) > 40
    assert np.mean(hits) > 0.9
