# SPDX-License-Identifier: Apache-2.0
"""YaRN, and with other ramps NTK-by-parts."""

from typing import Literal, Optional

from torch import Tensor

from .base import RotaryGeometry
from .checks import check_choice, check_flag, check_number
from .frequencies import (
    interpolate_by_parts,
    rope_frequencies,
    yarn_ramp_channels,
    yarn_ramp_turns,
)
from .scaled import ScaledRotaryEmbedding
from .temperature import Temperature


class yarn(ScaledRotaryEmbedding):
    """Slow the slow channels, keep the fast ones, sharpen attention (YaRN).

        theta'_i = ramp_i * theta_i / s + (1 - ramp_i) * theta_i
        attention_factor = 0.1 * ln(s) + 1

    The ramp is linear in the channel index, as in the released code; the paper's Eq. 18 is linear
    in turns (`ramp: turns`), up to 2.5x apart in mid channels. NTK-by-parts is `ramp: turns` with
    `temperature: none`. Scales at every length; with `dynamic: true` (Dynamic-YaRN) s is n/L, and
    up to L it is plain RoPE. No learned parameters. Peng et al. 2023, arXiv:2309.00071,
    Eq. 17-22; jquesnelle/yarn at 995db5b.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        factor: Extended over original context, s. At least 1; 1 is plain RoPE. With `dynamic` it
            only says which context is aimed at.
        beta_fast: Channels turning more often than this within L are kept (paper: beta).
        beta_slow: Channels turning less often than this are fully slowed (paper: alpha).
        ramp: Between them linear in `channels` (released code) or in `turns` (paper).
        truncate: Round the ends of the channel ramp outwards to whole channels, as released;
            no effect on `ramp: turns`.
        temperature: Sharpening of attention: yarn (published), log_n, sqrt_log_n or none.
        attention_factor: Factor on q and k instead of the temperature's, above 0. With `dynamic`
            it acts beyond the original context.
        dynamic: Take s from the length of the batch's rows.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If `factor < 1`, `beta_fast <= beta_slow` or `attention_factor <= 0`.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        factor: float = 16.0,
        beta_fast: float = 32.0,
        beta_slow: float = 1.0,
        ramp: Literal["channels", "turns"] = "channels",
        truncate: bool = True,
        temperature: Temperature = "yarn",
        attention_factor: Optional[float] = None,
        dynamic: bool = False,
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, factor, temperature, original_max_position_embeddings)
        self.beta_slow = check_number("beta_slow", beta_slow, 0.0, exclusive=True)
        self.beta_fast = check_number(
            "beta_fast", beta_fast, self.beta_slow, exclusive=True, advice="That is beta_slow."
        )
        self.ramp = check_choice("ramp", ramp, ("channels", "turns"))
        self.truncate = check_flag("truncate", truncate)
        self.given_attention_factor = attention_factor
        if attention_factor is not None:
            check_number("attention_factor", attention_factor, 0.0, exclusive=True)
        self.dynamic = check_flag("dynamic", dynamic)

    def applied_factor(self, seq_len: int) -> float:
        """`factor`, or with `dynamic` the extension of this length."""
        return self.extension(seq_len) if self.dynamic else self.factor

    def attention_factor(self, seq_len: int) -> float:
        """0.1 * ln(s) + 1, or what the options ask for; multiplies q and k."""
        plain = self.dynamic and self.applied_factor(seq_len) == 1.0
        if self.given_attention_factor is None or plain:
            return super().attention_factor(seq_len)
        return float(self.given_attention_factor)

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """By-parts mix of theta and theta / s, float32 [D/2]."""
        dim, base = self.geometry.rotary_dim, self.geometry.base
        original, betas = self.original_max_position_embeddings, (self.beta_fast, self.beta_slow)
        inv_freq = rope_frequencies(dim, base)
        if self.ramp == "channels":
            ramp = yarn_ramp_channels(dim, base, original, *betas, self.truncate)
        else:
            ramp = yarn_ramp_turns(inv_freq, original, *betas)
        return interpolate_by_parts(inv_freq, ramp, self.applied_factor(seq_len)).float()
