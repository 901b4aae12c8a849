# SPDX-License-Identifier: Apache-2.0
"""Plain RoPE, the embedding AIDO.DNA was pretrained with."""

from torch import Tensor

from .base import RotaryEmbedding
from .frequencies import rope_frequencies


class rope(RotaryEmbedding):
    """Leave the pretrained frequencies as they are, at any length (RoPE).

        theta_i = b^(-2i/D)

    The baseline to compare with: beyond the original context slow channels meet angles they
    were never trained on. No learned parameters. Su et al. 2021, arXiv:2104.09864, Eq. 15.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If the original context is unknown.
    """

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """b^(-2i/D), float32 [D/2]."""
        return rope_frequencies(self.geometry.rotary_dim, self.geometry.base).float()
