# SPDX-License-Identifier: Apache-2.0
"""Attention temperature: how much sharper the logits get as the context grows."""

import math
from typing import Literal, get_args

from .checks import check_choice

Temperature = Literal["none", "yarn", "log_n", "sqrt_log_n"]


def check_temperature(value: str) -> Temperature:
    """Return `value` if it names a rule of `temperature_factor`, else raise ValueError."""
    return check_choice("temperature", value, get_args(Temperature))


def temperature_factor(
    temperature: Temperature, factor: float, original_max_position_embeddings: int
) -> float:
    """Attention factor of a context `factor` times the original; exactly 1 at `factor` 1.

    It multiplies q and k, so attention logits get its square.

    - `none`: 1.
    - `yarn`: 0.1 * ln(s) + 1. Peng et al. 2023, arXiv:2309.00071, Eq. 22.
    - `log_n`: sqrt(1 + ln(s) / ln(L)), so logits get ln(s * L) / ln(L), which is
      log-n scaling (Su 2021, kexue.fm/archives/8823) and LongRoPE's factor
      (Ding et al. 2024, arXiv:2402.13753).
    - `sqrt_log_n`: the root of that, so logits get sqrt(ln(s * L) / ln(L)). The largest of n
      independent normal logits grows as sqrt(2 ln n), and below the temperature that goes with it a
      softmax rests on single keys (Derrida 1981, Phys. Rev. B 24, 2613: the random energy model);
      this keeps the distance to that temperature.

    Args:
        temperature: Name of the rule.
        factor: Extended over original context, s; values below 1 count as 1.
        original_max_position_embeddings: Original context, L.
    """
    if temperature == "none" or factor <= 1.0:
        return 1.0
    if temperature == "yarn":
        return 0.1 * math.log(factor) + 1.0
    log_n = 1.0 + math.log(factor) / math.log(original_max_position_embeddings)
    return log_n ** (0.25 if temperature == "sqrt_log_n" else 0.5)
