# SPDX-License-Identifier: Apache-2.0
"""NTK-aware scaling: one change of base, fixed or following the length."""

from typing import Optional

from torch import Tensor

from .base import RotaryGeometry
from .checks import check_flag, check_number
from .frequencies import dynamic_ntk_alpha, ntk_frequencies, rope_frequencies
from .scaled import ScaledRotaryEmbedding
from .temperature import Temperature


class ntk(ScaledRotaryEmbedding):
    """Raise the base: keep the fastest channel, slow the slowest by alpha (NTK-aware).

        b' = b * alpha^(D/(D-2)),    theta'_i = b'^(-2i/D) = theta_i * alpha^(-2i/(D-2))

    Fixed: alpha = `factor` at every length, so the slowest channel equals PI's. With it, channels
    that never completed a turn in the original context leave the angles they were trained on
    by up to 2x; a larger `alpha` prevents that (42 for D = 64, L = 4000, s = 16).

    `dynamic: true`: alpha follows the length n of the batch's rows, alpha(n) = f * n/L - (f - 1)
    with f = `dynamic_factor`, and up to L it is plain RoPE. f = 1 keeps the slowest channel in
    its trained range at each length; f = 2 is CLEX's path before training. Transformers' `dynamic`
    calls f `factor`, and its alpha depends on lengths seen earlier; this one on n alone.

    No learned parameters. bloc97 2023; Peng et al. 2023, arXiv:2309.00071, Eq. 14-16;
    jquesnelle/yarn at 995db5b.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        factor: Extended over original context, s. At least 1; 1 is plain RoPE. With `dynamic` it
            only says which context is aimed at.
        alpha: Slowing of the slowest channel, at least 1; by default `factor`. Not with `dynamic`.
        dynamic: Let alpha follow the length instead.
        dynamic_factor: f, growth of alpha per original context, at least 1. Only with `dynamic`.
        temperature: Sharpening of attention: none (published), yarn, log_n or sqrt_log_n.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If `factor`, `alpha` or `dynamic_factor` is below 1, or goes unused.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        factor: float = 16.0,
        alpha: Optional[float] = None,
        dynamic: bool = False,
        dynamic_factor: float = 1.0,
        temperature: Temperature = "none",
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, factor, temperature, original_max_position_embeddings)
        self.alpha = None if alpha is None else check_number("alpha", alpha, 1.0)
        self.dynamic = check_flag("dynamic", dynamic)
        self.dynamic_factor = check_number("dynamic_factor", dynamic_factor, 1.0)
        if dynamic and alpha is not None:
            raise ValueError(
                f"alpha={alpha} has no effect with dynamic=True, where alpha follows the length. "
                "Leave alpha out, or set dynamic to false."
            )
        if not dynamic and self.dynamic_factor != 1.0:
            raise ValueError(
                f"dynamic_factor={dynamic_factor} has no effect with dynamic=False. "
                "Set dynamic to true, or leave dynamic_factor out."
            )

    def applied_factor(self, seq_len: int) -> float:
        """`factor`, or with `dynamic` the extension of this length."""
        return self.extension(seq_len) if self.dynamic else self.factor

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """Frequencies theta_i * alpha^(-2i/(D-2)), float32 [D/2]."""
        if self.dynamic:
            alpha = dynamic_ntk_alpha(self.extension(seq_len), self.dynamic_factor)
        else:
            alpha = self.factor if self.alpha is None else self.alpha
        inv_freq = rope_frequencies(self.geometry.rotary_dim, self.geometry.base)
        return ntk_frequencies(inv_freq, alpha).float()
