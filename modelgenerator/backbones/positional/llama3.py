# SPDX-License-Identifier: Apache-2.0
"""Llama 3's frequency scaling."""

from typing import Optional

from torch import Tensor

from .base import RotaryGeometry
from .checks import check_number
from .frequencies import llama3_frequencies, rope_frequencies
from .scaled import ScaledRotaryEmbedding
from .temperature import Temperature


class llama3(ScaledRotaryEmbedding):
    """Slow channels by how often they turn in the original context, within narrow bounds (Llama 3).

        u_i = clip((r_i - low_freq_factor) / (high_freq_factor - low_freq_factor), 0, 1)
        theta'_i = (1 - u_i) * theta_i / s + u_i * theta_i

    r_i is the number of turns of channel i within L. YaRN's paper ramp with bounds 1 and 4 instead
    of 1 and 32, no temperature: more channels are kept. Scales at every length. No learned
    parameters. Transformers' `llama3` (4.48, where factor is 8 and L 8192).

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        factor: Extended over original context, s. At least 1; 1 is plain RoPE.
        low_freq_factor: Channels turning less often than this within L are fully slowed.
        high_freq_factor: Channels turning more often than this within L are kept.
        temperature: Sharpening of attention: none (published), yarn, log_n or sqrt_log_n.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If `factor < 1` or `high_freq_factor <= low_freq_factor`.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        factor: float = 16.0,
        low_freq_factor: float = 1.0,
        high_freq_factor: float = 4.0,
        temperature: Temperature = "none",
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, factor, temperature, original_max_position_embeddings)
        self.low_freq_factor = check_number("low_freq_factor", low_freq_factor, 0.0, exclusive=True)
        self.high_freq_factor = check_number(
            "high_freq_factor",
            high_freq_factor,
            self.low_freq_factor,
            exclusive=True,
            advice="That is low_freq_factor.",
        )

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """By-parts mix of theta and theta / s, float32 [D/2]."""
        return llama3_frequencies(
            rope_frequencies(self.geometry.rotary_dim, self.geometry.base),
            self.original_max_position_embeddings,
            self.factor,
            self.low_freq_factor,
            self.high_freq_factor,
        ).float()
