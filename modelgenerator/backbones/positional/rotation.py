# SPDX-License-Identifier: Apache-2.0
"""The rotation itself."""

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
    cos, sin = table.cos.to(x.dtype), table.sin.to(x.dtype)
    first, second, rest = x.split([half, half, x.shape[-1] - 2 * half], dim=-1)
    rotated = (first * cos - second * sin, second * cos + first * sin)
    return torch.cat((*rotated, rest) if rest.shape[-1] else rotated, dim=-1)
