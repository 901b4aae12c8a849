# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.backbones.positional import RotaryTable, apply_rotary


def table_of(angles, dtype=torch.float32):
    angles = torch.as_tensor(angles, dtype=torch.float64)
    return RotaryTable(angles.cos().to(dtype), angles.sin().to(dtype))


def test_quarter_turn_by_hand():
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).reshape(1, 1, 1, 5)
    out = apply_rotary(x, table_of([[math.pi / 2, math.pi / 2]]))
    # (a, b, c, d) -> (-c, -d, a, b); the fifth channel is not rotated
    torch.testing.assert_close(out.flatten(), torch.tensor([-3.0, -4.0, 1.0, 2.0, 5.0]))


def test_equals_multiplication_of_complex_numbers():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64, generator=generator)
    angles = 10 * torch.randn(3, 7, 4, dtype=torch.float64, generator=generator)
    turned = torch.complex(x[..., :4], x[..., 4:]) * torch.exp(1j * angles)
    expected = torch.cat((turned.real, turned.imag), dim=-1)
    torch.testing.assert_close(apply_rotary(x, table_of(angles, torch.float64)), expected)


def test_identical_heads_equal_a_shared_table():
    x = torch.randn(2, 3, 7, 8)
    angles = torch.randn(7, 4)
    shared, per_head = table_of(angles), table_of(angles.expand(3, 7, 4))
    assert torch.equal(apply_rotary(x, shared), apply_rotary(x, per_head))


def test_channels_beyond_the_rotary_dim_pass_through():
    x = torch.randn(2, 3, 7, 10)
    out = apply_rotary(x, table_of(torch.randn(7, 4)))
    assert torch.equal(out[..., 8:], x[..., 8:])
    assert not torch.equal(out[..., :8], x[..., :8])


def test_rotation_keeps_norms():
    x = torch.randn(2, 3, 7, 8)
    out = apply_rotary(x, table_of(100 * torch.randn(7, 4)))
    torch.testing.assert_close(out.norm(dim=-1), x.norm(dim=-1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_type_and_shape_of_x_are_kept(dtype):
    x = torch.randn(2, 3, 7, 10, dtype=dtype)
    out = apply_rotary(x, table_of(torch.randn(7, 4)))
    assert out.dtype == dtype
    assert out.shape == x.shape


def test_strided_queries():
    x = torch.randn(2, 7, 3, 8).transpose(1, 2)  # as they come out of the projection
    table = table_of(torch.randn(7, 4))
    assert torch.equal(apply_rotary(x, table), apply_rotary(x.contiguous(), table))


def test_gradients_of_x_and_of_the_table():
    x = torch.randn(1, 2, 3, 6, dtype=torch.float64, requires_grad=True)
    angles = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)

    def rotate(x, angles):
        return apply_rotary(x, RotaryTable(angles.cos(), angles.sin()))

    assert torch.autograd.gradcheck(rotate, (x, angles))


def test_refuses_narrow_heads():
    with pytest.raises(ValueError, match="heads of width 6, the rotary table rotates 8 channels"):
        apply_rotary(torch.zeros(1, 1, 7, 6), table_of(torch.zeros(7, 4)))


@pytest.mark.parametrize("tokens", [1, 8])  # one row would broadcast without a word
def test_refuses_another_length(tokens):
    with pytest.raises(ValueError, match=f"x has 7 tokens, the rotary table {tokens}"):
        apply_rotary(torch.zeros(1, 1, 7, 8), table_of(torch.zeros(tokens, 4)))


def test_what_is_compiled_gives_the_same():
    x, table = torch.randn(2, 3, 7, 10), table_of(torch.randn(3, 7, 4))
    compiled = torch.compile(apply_rotary, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, table), apply_rotary(x, table))


def test_gradients_of_a_shared_table_are_summed_over_heads():
    x = torch.randn(2, 3, 4, 6, dtype=torch.float64, requires_grad=True)
    angles = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x, a: apply_rotary(x, RotaryTable(a.cos(), a.sin())), (x, angles)
    )
