# SPDX-License-Identifier: Apache-2.0
from modelgenerator.backbones.positional import rope


def test_reference_vectors(vectors, geometry_of, assert_frequencies):
    pe = rope(geometry_of(vectors))
    assert_frequencies(pe.inverse_frequencies(vectors["seq_len"]), vectors["rope"])
    assert pe.attention_factor(vectors["seq_len"]) == 1.0


def test_by_hand(small, assert_frequencies):
    # 10000^(-2i/16): every second channel is a power of ten
    assert_frequencies(rope(small).inverse_frequencies(9)[::2], [1.0, 0.1, 0.01, 0.001])
