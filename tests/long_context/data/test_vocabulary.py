# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.huggingface_models import rnabert
from modelgenerator.huggingface_models.rnabert import RNABertTokenizer
from modelgenerator.long_context.data import vocabulary
from modelgenerator.long_context.data.vocabulary import decode, encode, reverse_complement


def upstream_tokenizer():
    return RNABertTokenizer(str(Path(rnabert.__file__).parent / "vocab.txt"), version="v2")


def test_ids_are_those_of_upstreams_vocabulary():
    vocab = upstream_tokenizer().get_vocab()
    for name in ("PAD", "MASK", "CLS", "SEP", "UNK"):
        assert getattr(vocabulary, name) == vocab[f"[{name}]"]
    for letter in "AGCTUN":
        assert getattr(vocabulary, letter) == vocab[letter]


def test_encode_equals_upstreams_tokenizer_between_its_special_tokens():
    sequence = "ACGTUNNTTGCA"
    ids = upstream_tokenizer()(sequence)["input_ids"]
    assert ids == [vocabulary.CLS, *encode(sequence.encode()).tolist(), vocabulary.SEP]
    assert len(ids) == len(sequence) + vocabulary.SPECIAL_TOKENS


def test_encode_folds_case_and_reads_other_letters_as_n():
    assert decode(encode(b"acgtunACGTUN")) == "ACGTUNACGTUN"
    assert decode(encode(b"RYSWKMBDHVX-rq")) == "N" * 14


def test_reverse_complement_by_hand():
    assert decode(reverse_complement(encode(b"AACGTN"))) == "NACGTT"


def test_reverse_complement_of_rna_is_dna():
    assert decode(reverse_complement(encode(b"AUG"))) == "CAT"


@given(st.text("ACGTNacgtn"))
def test_reverse_complement_twice_is_identity(sequence):
    ids = encode(sequence.encode())
    assert np.array_equal(reverse_complement(reverse_complement(ids)), ids)
    assert decode(ids) == sequence.upper()
