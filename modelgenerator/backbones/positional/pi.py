# SPDX-License-Identifier: Apache-2.0
"""Position interpolation."""

from typing import Optional

from torch import Tensor

from .base import RotaryGeometry
from .frequencies import pi_frequencies, rope_frequencies
from .scaled import ScaledRotaryEmbedding
from .temperature import Temperature


class pi(ScaledRotaryEmbedding):
    """Squeeze the extended context into the original one (position interpolation).

        theta'_i = theta_i / s

    Every channel is slowed alike, at every length: neighbours come s times closer, also in
    sequences that fit the original context, so it needs fine-tuning. No learned parameters.
    Chen et al. 2023, arXiv:2306.15595, Eq. 4; transformers' `linear`.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        factor: Extended over original context, s. At least 1, need not be whole; 1 is plain RoPE.
        temperature: Sharpening of attention: none (published), yarn, log_n or sqrt_log_n.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If `factor < 1` or the original context is unknown.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        factor: float = 16.0,
        temperature: Temperature = "none",
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, factor, temperature, original_max_position_embeddings)

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """PI's theta / s, float32 [D/2]."""
        inv_freq = rope_frequencies(self.geometry.rotary_dim, self.geometry.base)
        return pi_frequencies(inv_freq, self.factor).float()
