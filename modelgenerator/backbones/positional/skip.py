# SPDX-License-Identifier: Apache-2.0
"""PoSE: far positions in a short window, so that training at 1x reaches an extended context.

Zhu et al., PoSE: Efficient Context Window Extension of LLMs via Positional Skip-wise Training
(arXiv 2309.10400), section 3.1 with two chunks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .checks import check_integer
from .draw import draw_integer, step_generator


@dataclass(frozen=True)
class PositionSkip:
    """Cuts a window in two and moves the second part up to the end of a longer context.

    Neighbours stay neighbours within each part, which a DNA encoder lives on. As PoSE, but the cut
    may fall anywhere: in an encoder both parts see each other, so none of them is special.

    Args:
        length: Extended context in nucleotides that the positions reach.
        seed: Decides the draws, with the step.

    Raises:
        ValueError: If `length` is below 1 or `seed` below 0.
    """

    length: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        check_integer("length", self.length, 1)
        check_integer("seed", self.seed, 0)

    def positions(self, seq_len: int, reach: int, step: int) -> Tensor:
        """Positions 0, ..., c - 1, c + u, ..., n - 1 + u; float32 [n] on CPU.

        The cut c is drawn from 1..n-1 and the skip u from 0..reach-n.

        Args:
            seq_len: Tokens in a row, n.
            reach: Tokens of the extended context.
            step: Training step; the same step draws the same.

        Raises:
            ValueError: If the rows are longer than the extended context.
        """
        if seq_len > reach:
            raise ValueError(
                f"length={self.length} is too short to skip positions in rows of {seq_len} tokens: "
                "give the length of the extended context, or train on shorter windows."
            )
        positions = torch.arange(seq_len, dtype=torch.float32, device="cpu")
        if seq_len < 2:
            return positions
        generator = step_generator(self.seed, step, "skip")
        cut = draw_integer(1, seq_len - 1, generator)
        positions[cut:] += draw_integer(0, reach - seq_len, generator)
        return positions
