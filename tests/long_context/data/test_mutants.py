# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.mutants import Mutants, ReadColumns, mutate
from modelgenerator.long_context.data.vocabulary import decode, encode, reverse_complement


def test_mutate_by_hand():
    ids = encode(b"AAGT")
    assert [decode(m) for m in mutate(ids, 1, 1, 3)] == ["ACGT", "AGGT", "ATGT"]
    assert [decode(m) for m in mutate(ids, 1, 3, 1)] == ["ACTA"]
    assert [decode(m) for m in mutate(encode(b"ANG"), 0, 3, 1)] == ["CNT"]


@given(st.text("ACGT", min_size=1, max_size=30), st.data())
def test_three_substitutions_are_the_three_others(text, data):
    at = data.draw(st.integers(0, len(text) - 1))
    ids = encode(text.encode())
    mutants = [decode(m) for m in mutate(ids, at, 1, 3)]
    assert {m[at] for m in mutants} == set("ACGT") - {text[at]}
    assert all(m[:at] + m[at + 1 :] == text[:at] + text[at + 1 :] for m in mutants)


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "s.fa"
    path.write_text(">s\nACGTTGCANC\n")
    return str(path)


@pytest.mark.filterwarnings("ignore:rows")
def test_batches_cover_every_row_of_either_strand(fasta):
    data = Mutants(fasta, strand="both", batch_size=4)
    data.setup()
    batches = list(data.predict_dataloader())
    assert [b["strand"] for b in batches] == ["+"] * 3 + ["-"] * 3
    rows = np.concatenate([b["rows"] for b in batches])
    assert rows.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 9] * 2
    forward, reverse = batches[0]["mutants"], batches[3]["mutants"]
    assert forward.shape == (4, 3, 12)
    for plus, minus in zip(forward.flatten(0, 1), reverse.flatten(0, 1), strict=True):
        plus, minus = plus[1:-1].numpy().astype(np.uint8), minus[1:-1].numpy().astype(np.uint8)
        assert decode(reverse_complement(plus)) == decode(minus)


@pytest.mark.filterwarnings("ignore:rows")
def test_blocks_hold_the_rows_asked_for(fasta):
    data = Mutants(fasta, rows="5-7", block=3, substitutions=1)
    data.setup()
    assert data.row_offsets.tolist() == [3, 6]


@pytest.mark.filterwarnings("ignore:rows")
def test_columns_of_n_have_no_gradient(fasta):
    data = ReadColumns(fasta, columns="6-10", batch_size=2)
    data.setup()
    assert [b["columns"].tolist() for b in data.predict_dataloader()] == [[6, 7], [9]]


def test_single_bases_take_all_alternatives(fasta):
    with pytest.raises(ValueError, match="substitutions: 1; a map of single bases takes all 3"):
        Mutants(fasta, substitutions=1)
