# SPDX-License-Identifier: Apache-2.0
"""The maths of every method: inverse frequencies as pure functions.

All take and return float64 on CPU, so that a method rounds once, to float32, at its end.
Each is plain RoPE bit for bit at factor 1: it multiplies by a power with base 1, or mixes two
equal numbers.

Letters: D rotary_dim, i = 0..D/2-1 channel, b base, s factor, L original context,
theta_i = b^(-2i/D), rotations r_i = L * theta_i / (2 pi) of channel i within L.
"""

import math
from typing import Union

import torch
from torch import Tensor


def rope_frequencies(rotary_dim: int, base: float) -> Tensor:
    """theta_i = b^(-2i/D), float64 [D/2]. Su et al. 2021, arXiv:2104.09864, Sec. 3.2.2."""
    channels = torch.arange(0, rotary_dim, 2, dtype=torch.float64, device="cpu")
    return base ** (-channels / rotary_dim)


def rotations(inv_freq: Tensor, original: int) -> Tensor:
    """Turns r_i that a channel makes within the original context."""
    return inv_freq * original / (2 * math.pi)


def pi_frequencies(inv_freq: Tensor, factor: float) -> Tensor:
    """Every channel slowed alike, theta_i / s. Chen et al. 2023, arXiv:2306.15595, Eq. 4."""
    return inv_freq / factor


def ntk_exponents(rotary_dim: int) -> Tensor:
    """How strongly a base change slows channel i: 2i / (D - 2), from 0 to 1."""
    channels = torch.arange(0, rotary_dim, 2, dtype=torch.float64, device="cpu")
    return channels / max(rotary_dim - 2, 1)  # D = 2 has channel 0 alone, which stays


def ntk_frequencies(inv_freq: Tensor, alpha: float) -> Tensor:
    """Frequencies of the base b * alpha^(D/(D-2)), that is theta_i * alpha^(-2i/(D-2)).

    Channel 0 stays and the last is divided by `alpha` exactly. bloc97 2023 ("NTK-aware scaled
    RoPE"); Peng et al. 2023, arXiv:2309.00071, Eq. 14-16.
    """
    return inv_freq * alpha ** -ntk_exponents(2 * inv_freq.numel())


def dynamic_ntk_alpha(extension: float, dynamic_factor: float) -> float:
    """NTK alpha, f * n/L - (f - 1): 1 at the original context, growing with slope f.

    Transformers' `dynamic` (there `factor` is f), `_compute_dynamic_ntk_parameters` in 4.48.
    """
    return dynamic_factor * extension - (dynamic_factor - 1.0)


def correction_channel(num_rotations: float, rotary_dim: int, base: float, original: int) -> float:
    """Channel, as a real number, that makes `num_rotations` turns within the original context."""
    return rotary_dim * math.log(original / (2 * math.pi * num_rotations)) / (2 * math.log(base))


def yarn_ramp_channels(
    rotary_dim: int,
    base: float,
    original: int,
    beta_fast: float,
    beta_slow: float,
    truncate: bool,
) -> Tensor:
    """Weight of interpolation, 0 for fast channels to 1 for slow, linear in the channel index.

    jquesnelle/yarn at 995db5b, `_yarn_linear_ramp_mask`; `truncate` rounds the ramp's ends
    outwards to whole channels. The ends are clamped to [0, D-1], as there, although channels
    end at D/2-1.
    """
    low = correction_channel(beta_fast, rotary_dim, base, original)
    high = correction_channel(beta_slow, rotary_dim, base, original)
    if truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, rotary_dim - 1)
    if high <= low:
        high = low + 0.001  # a step; the release divides by a negative width if `high` is less
    channels = torch.arange(rotary_dim // 2, dtype=torch.float64, device="cpu")
    return ((channels - low) / (high - low)).clamp(0.0, 1.0)


def yarn_ramp_turns(inv_freq: Tensor, original: int, beta_fast: float, beta_slow: float) -> Tensor:
    """Weight of interpolation, 0 for fast channels to 1 for slow, linear in turns within L.

    Peng et al. 2023, arXiv:2309.00071, Eq. 18; its gamma, the weight of
    extrapolation, is 1 - ramp.
    """
    extrapolated = (rotations(inv_freq, original) - beta_slow) / (beta_fast - beta_slow)
    return 1.0 - extrapolated.clamp(0.0, 1.0)


def interpolate_by_parts(inv_freq: Tensor, ramp: Tensor, factor: float) -> Tensor:
    """Mix ramp * theta / s + (1 - ramp) * theta; exact where ramp is 0 or 1, and at s = 1."""
    return torch.lerp(inv_freq, inv_freq / factor, ramp)


def gene_ramp_end(inv_freq: Tensor, original: int, num_rotations: float) -> int:
    """First channel that makes fewer than `num_rotations` turns within L; D/2 if there is none.

    LhLi-QED/GeNE, gene_rope.py (there `beta`).
    """
    return int((rotations(inv_freq, original) >= num_rotations).sum())


def gene_exponents(num_channels: int, ramp_end: int) -> Tensor:
    """Exponent of the factor, w_i = min(i / beta, 1). GeNE, gene_rope.py, with alpha = 0."""
    channels = torch.arange(num_channels, dtype=torch.float64, device="cpu")
    return (channels / ramp_end).clamp(max=1.0)


def gene_frequencies(inv_freq: Tensor, exponents: Tensor, factor: float) -> Tensor:
    """theta_i * s^(-w_i): a geometric mix of RoPE and PI. GeNE (2024.findings-acl.249)."""
    return inv_freq * factor**-exponents


def clex_alpha(factor: Union[float, Tensor]) -> Union[float, Tensor]:
    """NTK alpha of CLEX's path at extension t, 2t - 1; DAMO-NLP-SG/CLEX, clex_layer.py.

    With no learned part the frequencies at t are `ntk_frequencies(inv_freq, clex_alpha(t))`.
    """
    return 2.0 * factor - 1.0


def llama3_frequencies(
    inv_freq: Tensor, original: int, factor: float, low_freq_factor: float, high_freq_factor: float
) -> Tensor:
    """By-parts mix, linear in turns between `low_freq_factor` and `high_freq_factor` turns in L.

    Transformers' `llama3`, `_compute_llama3_parameters` in 4.48; the same as YaRN's turns ramp
    with these bounds.
    """
    ramp = yarn_ramp_turns(inv_freq, original, high_freq_factor, low_freq_factor)
    return interpolate_by_parts(inv_freq, ramp, factor)


def exponents_at(inv_freq: Tensor, slowed: Tensor, factor: float) -> Tensor:
    """How strongly each channel is slowed at `factor`: w_i in slowed_i = theta_i * s^(-w_i).

    Args:
        inv_freq: theta_i [D/2].
        slowed: Frequencies that a method has at `factor` [D/2].
        factor: s, above 1.
    """
    return (inv_freq / slowed).log() / math.log(factor)
