# SPDX-License-Identifier: Apache-2.0
"""Token ids of AIDO.DNA and AIDO.RNA, as lookup tables over whole arrays.

Upstream's tokenizer gives the same ids, a character at a time in Python; at 64,000 nt a table is
some thousand times faster, and a genome can be stored as ids once and for all.
"""

import numpy as np

# The order of `huggingface_models/rnabert/vocab.txt` in modelgenerator 0.1.3.post0.
PAD, MASK, CLS, SEP, UNK, A, G, C, T, U, N = range(11)
SPECIAL_TOKENS = 2  # a window is [CLS] sequence [SEP]

_LETTERS = {"A": A, "G": G, "C": C, "T": T, "U": U, "N": N}


def _table(values: dict[int, int], default: int) -> np.ndarray:
    table = np.full(256, default, dtype=np.uint8)
    table[list(values)] = list(values.values())
    table.setflags(write=False)
    return table


# Byte of a letter, in either case -> token id; whatever is no base is N.
ID_OF_BYTE = _table(
    {ord(form): i for letter, i in _LETTERS.items() for form in (letter, letter.lower())}, N
)
# Token id -> upper-case letter, as a byte.
BYTE_OF_ID = _table({i: ord(letter) for letter, i in _LETTERS.items()}, ord("N"))
# Token id -> id of the base it pairs with. U pairs with A; A with T, for this is a DNA vocabulary
# first: the reverse complement of RNA comes out in DNA letters.
COMPLEMENT = _table({A: T, T: A, C: G, G: C, U: A}, N)


def encode(sequence: bytes) -> np.ndarray:
    """Token ids of letters: b"acGN" -> uint8 [n], without special tokens."""
    return ID_OF_BYTE.take(np.frombuffer(sequence, dtype=np.uint8))


def decode(ids: np.ndarray) -> str:
    """Upper-case letters of token ids [n]."""
    return BYTE_OF_ID.take(ids).tobytes().decode("ascii")


def reverse_complement(ids: np.ndarray) -> np.ndarray:
    """The other strand, read in its own direction: AACG [n] becomes CGTT."""
    return COMPLEMENT.take(ids[::-1])
