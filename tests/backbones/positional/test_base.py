# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.backbones.positional import (
    RotaryEmbedding,
    RotaryGeometry,
    clex,
    gene,
    pi,
    rope,
    yarn,
)


class two_heads(RotaryEmbedding):
    """Heads that differ in frequency and in attention factor: 1 and 2 radians, 1 and 3."""

    def inverse_frequencies(self, seq_len):
        return torch.tensor([[1.0], [2.0]])

    def attention_factor(self, seq_len):
        return torch.tensor([1.0, 3.0])


class by_matmul(RotaryEmbedding):
    """Frequencies that autocast would round to bfloat16: 1.001 becomes 1."""

    def inverse_frequencies(self, seq_len):
        return torch.eye(8) @ torch.full((8,), 1.001)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rotary_dim": 33}, r"rotary_dim=33 is odd"),
        ({"rotary_dim": 0}, r"rotary_dim=0 is not allowed: give an integer of at least 2"),
        ({"rotary_dim": -4}, r"rotary_dim=-4 is not allowed"),
        ({"rotary_dim": 64.0}, r"rotary_dim=64.0 is not allowed: give an integer"),
        ({"rotary_dim": True}, r"rotary_dim=True is not allowed"),
        ({"num_heads": 0}, r"num_heads=0 is not allowed: give an integer of at least 1"),
        ({"base": 1.0}, r"base=1.0 is not allowed: give a finite number above 1"),
        ({"base": math.nan}, r"base=nan is not allowed"),
        ({"base": math.inf}, r"base=inf is not allowed"),
        (
            {"original_max_position_embeddings": 1},
            r"original_max_position_embeddings=1 is not allowed: give an integer of at least 2",
        ),
    ],
)
def test_geometry_refuses(fields, message):
    with pytest.raises(ValueError, match=message):
        RotaryGeometry(**{"rotary_dim": 64, "num_heads": 16, **fields})


def test_original_context_unknown():
    with pytest.raises(ValueError, match="from_scratch.*Give original_max_position_embeddings"):
        rope(RotaryGeometry(16, 4))


def test_original_context_argument_goes_before_the_geometry(small):
    assert rope(small).original_max_position_embeddings == 512
    assert rope(small, 4000).original_max_position_embeddings == 4000
    assert rope(RotaryGeometry(16, 4), 128).original_max_position_embeddings == 128
    with pytest.raises(ValueError, match="original_max_position_embeddings='4000' is not allowed"):
        rope(small, "4000")


def test_extension_special_tokens_do_not_count(aido_dna):
    pe = rope(aido_dna)
    assert [pe.extension(n) for n in (1, 4000, 4002)] == [1.0, 1.0, 1.0]
    assert pe.extension(4003) == 4003 / 4000
    assert pe.extension(64000) == 16.0


@pytest.mark.parametrize(
    ("seq_len", "without", "counted"),
    [(1, 1, 1), (4000, 1, 1), (4002, 1, 2), (4003, 2, 2), (8002, 2, 3), (64002, 16, 17)],
)
def test_whole_extension(aido_dna, seq_len, without, counted):
    pe = rope(aido_dna)
    assert pe.whole_extension(seq_len) == without
    assert pe.whole_extension(seq_len, count_special_tokens=True) == counted


def test_max_position_embeddings(aido_dna):
    assert rope(aido_dna).max_position_embeddings == 4000
    assert pi(aido_dna, 16.0).max_position_embeddings == 64000
    assert yarn(aido_dna, 1.00049, dynamic=True).max_position_embeddings == 4002
    assert gene(aido_dna, 8.0).max_position_embeddings == 32000
    assert clex(aido_dna, max_factor=4.0).max_position_embeddings == 16000


def test_table_by_hand():
    # D = 4, base 16: theta = 1, 1/4
    table = rope(RotaryGeometry(4, 1, 16.0, 512))(3)
    angles = torch.tensor([[0.0, 0.0], [1.0, 0.25], [2.0, 0.5]])
    torch.testing.assert_close(table.cos, angles.cos(), rtol=0, atol=1e-7)
    torch.testing.assert_close(table.sin, angles.sin(), rtol=0, atol=1e-7)
    assert table.cos.dtype == table.sin.dtype == torch.float32


def test_table_of_differing_heads():
    table = two_heads(RotaryGeometry(2, 2), 512)(3)
    assert table.cos.shape == (2, 3, 1)
    torch.testing.assert_close(table.cos[0, :, 0], torch.tensor([0.0, 1.0, 2.0]).cos())
    torch.testing.assert_close(table.sin[1, :, 0], 3 * torch.tensor([0.0, 2.0, 4.0]).sin())


def test_autocast_is_off_inside(small):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert by_matmul(small).inverse_frequencies(2).dtype == torch.bfloat16
        table = by_matmul(small)(2)
    assert table.cos[1].tolist() == pytest.approx([math.cos(1.001)] * 8, rel=1e-6)


def test_attention_factor_is_in_cos_and_in_sin(aido_dna):
    sharp, plain = yarn(aido_dna)(100), yarn(aido_dna, temperature="none")(100)
    factor = 0.1 * math.log(16) + 1
    torch.testing.assert_close(sharp.cos, factor * plain.cos)
    torch.testing.assert_close(sharp.sin, factor * plain.sin)


@pytest.mark.parametrize("rotary_dim", [16, 64, 136])
def test_angle_error_at_the_last_position(rotary_dim):
    pe = rope(RotaryGeometry(rotary_dim, 1, original_max_position_embeddings=4000))
    channels = torch.arange(0, rotary_dim, 2, dtype=torch.float64)
    angle = 65535 * 10000.0 ** (-channels / rotary_dim)
    float32 = torch.tensor(65535.0) * pe.inverse_frequencies(65536)
    assert (float32.double() - angle).abs().max() < 0.005
    table = pe(65536)
    error = torch.hypot(table.cos[-1] - angle.cos(), table.sin[-1] - angle.sin())
    assert error.max() < 0.005


def test_forward_refuses_no_tokens(small):
    with pytest.raises(ValueError, match="seq_len=0 is not allowed: give at least 1 token"):
        rope(small)(0)


def test_learned_parameters_follow_moves_and_refuse_casts(small):
    pe = gene(small, learnable=True)
    torch.nn.init.normal_(pe.base_coef)
    before = pe.base_coef.detach().clone()
    parent = torch.nn.ModuleDict({"pe": pe, "linear": torch.nn.Linear(2, 2)})
    for cast in (parent.bfloat16, parent.half, parent.double):
        cast()
        assert pe.base_coef.dtype == torch.float32
        assert torch.equal(pe.base_coef, before)
    assert parent["linear"].weight.dtype == torch.float64
    assert isinstance(pe.base_coef, torch.nn.Parameter)
    assert parent.to("meta", torch.bfloat16)["pe"].base_coef.is_meta


def test_gradient_keeps_float32_under_casts(small):
    pe = gene(small, learnable=True)
    pe(8).cos.sum().backward()
    gradient = pe.specific_coef.grad.clone()
    pe.bfloat16()
    assert torch.equal(pe.specific_coef.grad, gradient)


def test_options_make_the_method_again(small):
    pe = yarn(small, 8.0, attention_factor=1.5, dynamic=True)
    assert pe.options["attention_factor"] == 1.5
    assert pe.options["beta_fast"] == 32.0
    again = yarn(small, **pe.options)
    assert again.options == pe.options
    assert torch.equal(again(2000).cos, pe(2000).cos)
