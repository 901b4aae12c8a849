# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.data.labelled import SoftMasked
from modelgenerator.long_context.data.labelled.soft_masked import lower_case

OPTIONS = dict(block=4_000, test_share=0.9, valid_share=0.0, max_shared=1.0)


def test_runs_over_records_and_pieces(write_fasta, monkeypatch):
    path = write_fasta({"a": "ACgtNnAC", "b": "tgCA" * 100})
    expected = [[2, 4], [5, 6], *([8 + at, 10 + at] for at in range(0, 400, 4))]
    assert lower_case(path).tolist() == expected
    monkeypatch.setattr("modelgenerator.long_context.data.fasta.PIECE", 30)
    assert lower_case(path).tolist() == expected


def test_repeats_are_lower_case_and_sequences_upper(write_fasta, random_dna):
    sequence = random_dna(4_000, 1)
    masked = sequence[:1_000] + sequence[1_000:1_500].lower() + sequence[1_500:]
    data = SoftMasked(str(write_fasta({"chr": masked})), 500, **OPTIONS)
    data.setup("test")
    for index in range(8):
        example = data.test_datasets[0][index]
        repeat = example["ids"].startswith("chr:1000-")
        assert example["labels"].tolist() == [int(repeat)] * 500
        assert example["sequences"].isupper()


def test_upper_case_alone_is_refused(write_fasta, random_dna):
    data = SoftMasked(str(write_fasta({"chr": random_dna(4_000, 1)})), 500, **OPTIONS)
    with pytest.raises(ValueError, match="fasta: genome.fa has no lower case"):
        data.setup("test")
