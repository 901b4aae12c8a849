# SPDX-License-Identifier: Apache-2.0
"""The rotation itself."""

from typing import Optional

import torch
from torch import Tensor

from .base import RotaryTable


def apply_rotary(x: Tensor, table: RotaryTable) -> Tensor:
    """Rotate queries or keys by the angles of `table`.

    Channel i turns with channel i + D/2 (half-split): at an angle of 90 degrees, and D = 4,
    (a, b, c, d) becomes (-c, -d, a, b). Channels from D on pass through.

    Args:
        x: Queries or keys [B, H, n, head width], head width at least D.
        table: Cos and sin [n, D/2] or [H, n, D/2]; cast to the type of `x`.

    Returns:
        As `x`, in its type.

    Raises:
        ValueError: If heads are narrower than D, or `x` has another length than `table`.
    """
    half = table.cos.shape[-1]
    if x.shape[-1] < 2 * half:
        raise ValueError(
            f"x has heads of width {x.shape[-1]}, the rotary table rotates {2 * half} channels: "
            "make the table with rotary_dim of at most the head's width."
        )
    if x.shape[-2] != table.cos.shape[-2]:
        raise ValueError(
            f"x has {x.shape[-2]} tokens, the rotary table {table.cos.shape[-2]}: "
            "make the table with the seq_len of x."
        )
    if torch.compiler.is_compiling():  # which fuses plain arithmetic, and cannot follow `out=`
        return _plain(x, table.cos.to(x.dtype), table.sin.to(x.dtype))
    return _Rotation.apply(x, table.cos, table.sin)


def _plain(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = cos.shape[-1]
    first, second, rest = x.split([half, half, x.shape[-1] - 2 * half], dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin, rest), dim=-1)


class _Rotation(torch.autograd.Function):
    """Writes each half of the result once; plain arithmetic makes four products and a copy.

    Backward turns the other way. The table is kept as it came, one for all layers, not as cast for
    each; `x` is kept only where the table is learned.
    """

    @staticmethod
    def forward(ctx, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(x if cos.requires_grad else None, cos, sin)
        cos, sin = cos.to(x.dtype), sin.to(x.dtype)
        half = cos.shape[-1]
        first, second = x[..., :half], x[..., half : 2 * half]
        out = torch.empty_like(x)
        torch.mul(first, cos, out=out[..., :half]).addcmul_(second, sin, value=-1)
        torch.mul(second, cos, out=out[..., half : 2 * half]).addcmul_(first, sin)
        if x.shape[-1] > 2 * half:
            out[..., 2 * half :] = x[..., 2 * half :]
        return out

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Optional[Tensor], ...]:
        x, cos, sin = ctx.saved_tensors
        grad_cos = grad_sin = None
        if x is not None:
            half = cos.shape[-1]
            first, second = x[..., :half], x[..., half : 2 * half]
            by_first, by_second = grad[..., :half], grad[..., half : 2 * half]
            grad_cos = (by_first * first + by_second * second).sum_to_size(cos.shape)
            grad_sin = (by_second * first - by_first * second).sum_to_size(sin.shape)
            grad_cos, grad_sin = grad_cos.to(cos.dtype), grad_sin.to(sin.dtype)
        return _Rotation.apply(grad, cos, -sin), grad_cos, grad_sin
