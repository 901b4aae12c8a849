# SPDX-License-Identifier: Apache-2.0
"""GeNE: a geometric ramp, random factors while training, learned per head if wanted."""

from typing import Literal, Optional

import torch
from torch import Tensor, nn

from .base import RotaryGeometry
from .checks import check_choice, check_flag, check_integer, check_number
from .draw import draw_index, gene_probabilities, step_generator
from .frequencies import (
    gene_exponents,
    gene_frequencies,
    gene_ramp_end,
    rope_frequencies,
    rotations,
)
from .scaled import ScaledRotaryEmbedding
from .temperature import Temperature


class gene(ScaledRotaryEmbedding):
    """Slow channel i by a power of the factor; train at many factors (GeNE).

        theta'_i = theta_i * r^(-w_i),   w_i = min(i / beta, 1)

    beta is the first channel with fewer than `num_rotations` turns within L: from there on it is
    PI, and before it the slowing starts at channel 0, earlier than in YaRN.

    `learnable: true` gives every head an inverse angular velocity of its own,
    1/theta'_{h,i} = r^w_i / theta_i * exp(base_coef_{h,i}) + specific_coef_{h,i} * r. Both
    coefficients [H, D/2] start at zero: H * D parameters, which all layers share (the
    release has one set a layer). Mind that `specific_coef` acts on the fast channels above all:
    -0.1 at r = 16 turns channel 0 backwards.

    Training draws r among the multiples of r0 = ceil(n/L) up to `factor`, at random for each
    (`seed`, `step`): the ends with 1/4 each, the rest evenly, or all evenly if four or fewer.
    Evaluation takes r = `factor` or what the length needs if that is more, so short sequences are
    slowed as well. GeNE 2024, ACL Findings, 2024.findings-acl.249; LhLi-QED/GeNE, gene_rope.py.

    The release counts special tokens: a window of L nucleotides with [CLS] and [SEP] has
    r0 = 2 there, and never trains at r = 1. Here it counts as 1 unless `quirks`.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        factor: Largest factor of training, and the factor of evaluation. At least 1; 1 is
            plain RoPE.
        num_rotations: Channels turning less often than this within L are fully slowed.
        learnable: Learn two coefficients for each head and channel.
        random_scale: Draw the factor while training; otherwise it is `factor` at every length.
        eval_scale: In evaluation r = `factor` (released), or what the `length` needs, ceil(n/L).
        quirks: Count special tokens in ceil(n/L), as the release.
        temperature: Sharpening of attention: none (published), yarn, log_n or sqrt_log_n,
            at the factor r.
        lr_multiplier: Learning rate of the learned parameters over that of all others.
        seed: Seed of the training draw; the same on all ranks.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If `factor < 1`, or no channel turns less, or none more, than `num_rotations`
            times within L. In training, if `factor` is below ceil(n/L).
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        factor: float = 16.0,
        num_rotations: float = 3.0,
        learnable: bool = False,
        random_scale: bool = True,
        eval_scale: Literal["factor", "length"] = "factor",
        quirks: bool = False,
        temperature: Temperature = "none",
        lr_multiplier: float = 1.0,
        seed: int = 0,
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, factor, temperature, original_max_position_embeddings)
        self.num_rotations = check_number("num_rotations", num_rotations, 0.0, exclusive=True)
        self.learnable = check_flag("learnable", learnable)
        self.random_scale = check_flag("random_scale", random_scale)
        self.eval_scale = check_choice("eval_scale", eval_scale, ("factor", "length"))
        self.quirks = check_flag("quirks", quirks)
        self.lr_multiplier = check_number("lr_multiplier", lr_multiplier, 0.0, exclusive=True)
        self.seed = check_integer("seed", seed, 0)
        if not random_scale and eval_scale == "length":
            raise ValueError(
                "eval_scale='length' has no effect with random_scale=False, where the factor is "
                "the same at every length. Leave eval_scale out, or set random_scale to true."
            )
        self._ramp_end()
        if learnable:
            shape = (geometry.num_heads, geometry.rotary_dim // 2)
            self.base_coef = nn.Parameter(torch.empty(shape, dtype=torch.float32))
            self.specific_coef = nn.Parameter(torch.empty(shape, dtype=torch.float32))
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the fixed method: all coefficients zero."""
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def drawn(self, seq_len: int) -> float:
        """Factor r that training step `step` uses for rows of `seq_len` tokens.

        Raises:
            ValueError: If `factor` is less than rows of this length need.
        """
        if not self.random_scale:
            return self.factor
        smallest = self._needed(seq_len)
        count = int(self.factor // smallest)
        if count == 0:
            raise ValueError(
                f"factor={self.factor} is too small to train on {seq_len} tokens, which need "
                f"{smallest} original contexts of {self.original_max_position_embeddings}: "
                f"give a factor of at least {smallest}, or train on shorter windows."
            )
        generator = step_generator(self.seed, self.step, "factor")
        return float(smallest * (1 + draw_index(gene_probabilities(count), generator)))

    def applied_factor(self, seq_len: int) -> float:
        """Factor r: the step's draw in training, in evaluation `factor` or what n needs."""
        if self.training:
            return self.drawn(seq_len)
        if not self.random_scale:
            return self.factor
        needed = float(self._needed(seq_len))
        return needed if self.eval_scale == "length" else max(self.factor, needed)

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """Frequencies theta * r^(-w), float32 [D/2], or [H, D/2] if `learnable`."""
        factor = self.applied_factor(seq_len)
        inv_freq = rope_frequencies(self.geometry.rotary_dim, self.geometry.base)
        exponents = gene_exponents(inv_freq.numel(), self._ramp_end())
        inv_freq = gene_frequencies(inv_freq, exponents, factor)
        if not self.learnable:
            return inv_freq.float()
        # Divides theta' instead of inverting 1/theta', so that zero coefficients change no bit.
        inv_freq = inv_freq.to(self.base_coef.device)
        velocity = self.base_coef.double().exp() + self.specific_coef.double() * factor * inv_freq
        return (inv_freq / velocity).float()  # [H, D/2]

    def _needed(self, seq_len: int) -> int:
        return self.whole_extension(seq_len, count_special_tokens=self.quirks)

    def _ramp_end(self) -> int:
        inv_freq = rope_frequencies(self.geometry.rotary_dim, self.geometry.base)
        original = self.original_max_position_embeddings
        end = gene_ramp_end(inv_freq, original, self.num_rotations)
        if 0 < end < inv_freq.numel():
            return end
        turns = rotations(inv_freq, original)
        raise ValueError(
            f"num_rotations={self.num_rotations} is not allowed here: give a number between the "
            f"turns that the slowest and the fastest channel make in {original} positions, "
            f"{float(turns[-1]):.3g} and {float(turns[0]):.3g}."
        )
