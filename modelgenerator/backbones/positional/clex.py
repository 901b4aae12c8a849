# SPDX-License-Identifier: Apache-2.0
"""CLEX: frequencies that follow a learned differential equation in the extension."""

import math
from typing import Literal, Optional

import torch
from torch import Tensor, nn

from .base import SPECIAL_TOKENS, RotaryEmbedding, RotaryGeometry, extended_context
from .checks import check_choice, check_flag, check_integer, check_number
from .draw import draw_integer, draw_sorted, draw_uniform, step_generator
from .frequencies import clex_alpha, ntk_exponents, ntk_frequencies, rope_frequencies
from .temperature import temperature_factor


class clex(RotaryEmbedding):
    """Let a small network steer how frequencies slow down as the context grows (CLEX).

        d log theta / dt = act((log theta + log theta_ntk(t)) W_up) W_down + d log theta_ntk / dt

    t is the extension, theta(1) is plain RoPE, and theta_ntk(t) is NTK with alpha = 2t - 1. W_up
    [D/2, lambda * D] and W_down [lambda * D, D/2] are learned, lambda = `param_factor`:
    lambda * D^2 parameters, one network for all layers. W_down starts at zero, where theta(t) is
    theta_ntk(t). Chen et al. 2024, ICLR, arXiv:2310.16450; DAMO-NLP-SG/CLEX, clex_layer.py.

    Solved for the distance from the NTK path, whose own drift is then exact, by torchdiffeq's
    fixed-step `rk4`. Frequencies are solved for at each forward: the released caches show an
    evaluation during training old weights.

    Training draws t for each (`seed`, `step`), up to `max_factor`. Evaluation takes t = n/L; up to
    L it is plain RoPE bit for bit. The paper's t is continuous; the release draws whole numbers
    and rounds n/L up (`whole_factors`). It also trains at random, sorted positions spread over the
    extended context (`positions: random`), which tears neighbouring nucleotides apart.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        max_factor: Largest extension t, above 1. The release fails at 2 or less.
        param_factor: Width of the network in units of D, lambda.
        time_step: Step of the solver in t; at most 1. The release has 0.01, which takes ten times
            as long as 0.1 for the same frequencies to 1e-6.
        act: Activation of the network: tanh (released configurations) or silu (paper).
        positions: In training, `arange` counts tokens and draws t from n/L on; `random` draws t
            from 1 on and spreads positions over t contexts, as released.
        whole_factors: Draw whole t in training and round n/L up in evaluation, as released.
        log_scale: Multiply attention logits by ln(n) / ln(L) beyond the original context. Off in
            the released training, on in its evaluation, where it also flattens short inputs.
        lr_multiplier: Learning rate of the learned parameters over that of all others.
        seed: Seed of the training draw; the same on all ranks.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If an option is out of range. In a call, if n/L is more than `max_factor`.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        max_factor: float = 16.0,
        param_factor: int = 1,
        time_step: float = 0.1,
        act: Literal["tanh", "silu"] = "tanh",
        positions: Literal["arange", "random"] = "arange",
        whole_factors: bool = False,
        log_scale: bool = False,
        lr_multiplier: float = 1.0,
        seed: int = 0,
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, original_max_position_embeddings)
        self.max_factor = check_number("max_factor", max_factor, 1.0, exclusive=True)
        self.param_factor = check_integer("param_factor", param_factor, 1)
        self.time_step = check_number("time_step", time_step, 0.0, 1.0, exclusive=True)
        self.act = check_choice("act", act, ("tanh", "silu"))
        self.given_positions = check_choice("positions", positions, ("arange", "random"))
        self.whole_factors = check_flag("whole_factors", whole_factors)
        if whole_factors and self.max_factor != int(self.max_factor):
            raise ValueError(
                f"max_factor={max_factor} is not allowed with whole_factors=True: give a whole "
                "number, or set whole_factors to false."
            )
        self.log_scale = check_flag("log_scale", log_scale)
        self.lr_multiplier = check_number("lr_multiplier", lr_multiplier, 0.0, exclusive=True)
        self.seed = check_integer("seed", seed, 0)
        channels, hidden = geometry.rotary_dim // 2, param_factor * geometry.rotary_dim
        self.up_proj = nn.Parameter(torch.empty(channels, hidden, dtype=torch.float32))
        self.down_proj = nn.Parameter(torch.empty(hidden, channels, dtype=torch.float32))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw W_up anew; W_down zero, where the method is dynamic NTK."""
        nn.init.kaiming_uniform_(self.up_proj, a=math.sqrt(5))
        nn.init.zeros_(self.down_proj)

    @property
    def max_position_embeddings(self) -> int:
        """Extended context L' = `max_factor` * L in nucleotides: here a hard limit."""
        return extended_context(self.max_factor, self.original_max_position_embeddings)

    def drawn(self, seq_len: int) -> float:
        """Extension t that training step `step` uses for rows of `seq_len` tokens."""
        generator = step_generator(self.seed, self.step, "factor")
        smallest = 1.0 if self.given_positions == "random" else self._length_factor(seq_len)
        if self.whole_factors:
            return float(draw_integer(int(smallest), int(self.max_factor), generator))
        return draw_uniform(smallest, self.max_factor, generator)

    def applied_factor(self, seq_len: int) -> float:
        """Extension t: the step's draw in training, n/L in evaluation."""
        return self.drawn(seq_len) if self.training else self._length_factor(seq_len)

    def attention_factor(self, seq_len: int) -> float:
        """1, or sqrt(ln(n) / ln(L)) with `log_scale`; logits get its square."""
        rule = "log_n" if self.log_scale else "none"
        original = self.original_max_position_embeddings
        return temperature_factor(rule, self.extension(seq_len), original)

    def positions(self, seq_len: int) -> Tensor:
        """Positions 0, 1, 2, ..., or in training as `positions` says; float32 [n] on CPU."""
        if not self.training or self.given_positions == "arange" or seq_len < 3:
            return super().positions(seq_len)
        # n - 2 of t * n - 2 places between the ends, shrunk to t original contexts; as released,
        # the end is rounded down and the last place before it is not.
        places = int(self.drawn(seq_len) * seq_len)
        contexts = max(1, seq_len // self.original_max_position_embeddings)
        generator = step_generator(self.seed, self.step, "positions")
        inner = (draw_sorted(places - 2, seq_len - 2, generator).double() + 1.0) / contexts
        ends = inner.new_tensor([0.0, places // contexts - 1.0])
        return torch.cat((ends[:1], inner, ends[1:])).float()

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """Theta at extension t, float32 [D/2] with gradients to the network."""
        factor = self.applied_factor(seq_len)
        inv_freq = rope_frequencies(self.geometry.rotary_dim, self.geometry.base)
        ntk = ntk_frequencies(inv_freq, clex_alpha(factor)).to(self.up_proj.device)
        return (ntk * self._log_deviation(inv_freq, factor).exp()).float()

    def _length_factor(self, seq_len: int) -> float:
        limit = self.max_position_embeddings + SPECIAL_TOKENS
        if seq_len > limit:
            needed = self.whole_extension(seq_len)
            raise ValueError(
                f"max_factor={self.max_factor} is too small for {seq_len} tokens: frequencies are "
                f"defined up to {limit} tokens, special tokens included. Give a max_factor of at "
                f"least {needed}, or shorter sequences."
            )
        if self.whole_factors:
            return float(self.whole_extension(seq_len))
        return min(self.extension(seq_len), self.max_factor)  # n/L counts special tokens, too

    def _log_deviation(self, inv_freq: Tensor, factor: float) -> Tensor:
        """Log theta(t) - log theta_ntk(t), float64 [D/2]: the part that the network makes."""
        up, down = self.up_proj.double(), self.down_proj.double()
        log_inv_freq = inv_freq.log().to(up.device)
        exponents = ntk_exponents(self.geometry.rotary_dim).to(up.device)
        act = torch.tanh if self.act == "tanh" else nn.functional.silu

        def velocity(t: Tensor, deviation: Tensor) -> Tensor:
            log_ntk = log_inv_freq - exponents * clex_alpha(t).log()
            return act((deviation + 2.0 * log_ntk) @ up) @ down

        start = torch.zeros_like(log_inv_freq)
        if factor == 1.0:
            # Nothing to solve, but all ranks need a gradient for the same parameters.
            return 0.0 * velocity(torch.ones_like(start[0]), start)
        from torchdiffeq import odeint  # here, as it takes a second to import

        times = start.new_tensor([1.0, factor])
        options = {"step_size": self.time_step}
        return odeint(velocity, start, times, method="rk4", options=options)[-1]
