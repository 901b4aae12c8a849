# SPDX-License-Identifier: Apache-2.0
"""What the methods that are set up for one factor share."""

from typing import Optional

from .base import RotaryEmbedding, RotaryGeometry, extended_context
from .checks import check_number
from .temperature import Temperature, check_temperature


class ScaledRotaryEmbedding(RotaryEmbedding):
    """A method set up for one factor, which it applies at every length unless it says otherwise.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        factor: Extended over original context, s. At least 1.
        temperature: Sharpening of attention: none, yarn, log_n or sqrt_log_n.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's.

    Raises:
        ValueError: If `factor < 1`, `temperature` is no known rule or the original context unknown.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        factor: float,
        temperature: Temperature,
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, original_max_position_embeddings)
        self.factor = check_number("factor", factor, 1.0)
        self.temperature = check_temperature(temperature)

    @property
    def max_position_embeddings(self) -> int:
        """Extended context L' = s * L in nucleotides."""
        return extended_context(self.factor, self.original_max_position_embeddings)

    def applied_factor(self, seq_len: int) -> float:
        """`factor` at every length."""
        return self.factor
