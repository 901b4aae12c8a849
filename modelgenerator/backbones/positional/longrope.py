# SPDX-License-Identifier: Apache-2.0
"""LongRoPE: a factor for every channel, searched for elsewhere."""

from typing import Optional

import torch
from torch import Tensor

from .base import RotaryGeometry
from .checks import check_number
from .frequencies import rope_frequencies
from .scaled import ScaledRotaryEmbedding
from .temperature import Temperature


class longrope(ScaledRotaryEmbedding):
    """Divide each channel by a factor of its own, found by search (LongRoPE).

        theta'_i = theta_i / long_factor_i    beyond the original context
        theta'_i = theta_i / short_factor_i   up to it

    The search is not part of this class. As in transformers' `longrope`, and unlike the paper,
    the first positions of a long sequence are not left unscaled; and the temperature stays
    on for short sequences too. No learned parameters. Ding et al. 2024,
    arXiv:2402.13753, Eq. 2 and Sec. 3; transformers 4.48, `_compute_longrope_parameters`.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        long_factor: Divisors for sequences beyond the original context, D/2 numbers above 0.
        short_factor: Divisors up to the original context, as `long_factor`; all 1 by default.
        factor: Extended over original context, s; sets the temperature. At least 1.
        temperature: Sharpening of attention: log_n (published), sqrt_log_n, yarn or none.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If `factor < 1`, or a list has not D/2 numbers above 0.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        long_factor: list[float],
        short_factor: Optional[list[float]] = None,
        factor: float = 16.0,
        temperature: Temperature = "log_n",
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, factor, temperature, original_max_position_embeddings)
        channels = geometry.rotary_dim // 2
        if short_factor is None:
            short_factor = [1.0] * channels
        self.long_factor = _check_divisors("long_factor", long_factor, channels)
        self.short_factor = _check_divisors("short_factor", short_factor, channels)

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """Theta over the divisors for this length, float32 [D/2]."""
        divisors = self.short_factor if self.extension(seq_len) == 1.0 else self.long_factor
        inv_freq = rope_frequencies(self.geometry.rotary_dim, self.geometry.base)
        return (inv_freq / torch.tensor(divisors, dtype=torch.float64, device="cpu")).float()


def _check_divisors(name: str, values: list[float], channels: int) -> list[float]:
    if not isinstance(values, (list, tuple)) or len(values) != channels:
        found = f"{len(values)} of them" if isinstance(values, (list, tuple)) else repr(values)
        raise ValueError(
            f"{name} must be a list of {channels} numbers, one for each pair of channels; "
            f"got {found}."
        )
    return [
        check_number(f"{name}[{i}]", value, 0.0, exclusive=True) for i, value in enumerate(values)
    ]
