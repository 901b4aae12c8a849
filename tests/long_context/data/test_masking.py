# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.data.masking import IGNORED, choose_masked, hide
from modelgenerator.long_context.data.vocabulary import MASK, N, decode, encode


def test_masking_by_hand():
    ids = encode(b"ACNT")
    masked = choose_masked(ids, np.array([0.1, 0.2, 0.1, 0.1]), 0.15)
    assert masked.tolist() == [True, False, False, True]
    input_ids, labels = hide(ids, masked)
    assert input_ids.tolist() == [MASK, ids[1], ids[2], MASK]
    assert labels.tolist() == [ids[0], IGNORED, IGNORED, ids[3]]


def test_a_rate_for_each_base():
    draws = np.full(4, 0.5)
    masked = choose_masked(encode(b"ACGT"), draws, np.array([0.0, 0.4, 0.6, 1.0]))
    assert masked.tolist() == [False, False, True, True]


def test_the_rate_is_met():
    ids = encode(b"ACGT" * 25_000)
    draws = np.random.default_rng(0).random(len(ids), dtype=np.float32)
    assert abs(choose_masked(ids, draws, 0.15).mean() - 0.15) < 0.005


@given(st.text("ACGTN", min_size=1, max_size=200), st.floats(0, 1), st.integers(0, 1_000))
def test_input_and_labels_hold_the_window_between_them(sequence, rate, seed):
    ids = encode(sequence.encode())
    masked = choose_masked(ids, np.random.default_rng(seed).random(len(ids)), rate)
    input_ids, labels = hide(ids, masked)
    assert input_ids.dtype == labels.dtype == np.int64
    assert ((input_ids == MASK) == masked).all()
    assert ((labels != IGNORED) == masked).all()
    assert N not in labels
    assert decode(np.where(masked, labels, input_ids)) == sequence


@given(st.integers(0, 99), st.integers(1, 100))
def test_part_of_a_window_has_the_same_bases_masked(start, length):
    ids = encode(b"ACGTN" * 20)
    draws = np.random.default_rng(3).random(100)
    part = slice(start, start + length)
    whole = choose_masked(ids, draws, 0.3)
    assert (choose_masked(ids[part], draws[part], 0.3) == whole[part]).all()
