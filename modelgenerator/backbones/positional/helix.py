# SPDX-License-Identifier: Apache-2.0
"""HELIX: a closed path of frequencies in the length, with exponents and sharpness on top."""

from typing import Literal, Optional, Union, get_args

import torch
from torch import Tensor, nn

from .base import RotaryEmbedding, RotaryGeometry, extended_context
from .calibration import calibrated_factor, read_kappa, read_logit_std
from .checks import check_choice, check_flag, check_integer, check_number
from .draw import draw_factor, step_generator
from .frequencies import (
    exponents_at,
    gene_exponents,
    gene_frequencies,
    gene_ramp_end,
    interpolate_by_parts,
    ntk_frequencies,
    pi_frequencies,
    rope_frequencies,
    rotations,
    yarn_ramp_channels,
)
from .temperature import temperature_factor

StartingPath = Literal["yarn", "yarn_exponents", "gene", "ntk", "pi"]
Learned = Literal["none", "shared", "per_head"]
LearnedSharpness = Literal["none", "shared", "per_head", "per_layer"]
HelixTemperature = Literal["none", "yarn", "log_n", "sqrt_log_n", "calibrated"]
GENE_ROTATIONS = 3.0


class helix(RotaryEmbedding):
    """Slow the slow channels by more than the length asks, follow the length (HELIX).

        theta'_{h,i} = path_i(s) * s^(-g_i * (overshoot + delta_{h,i})),   s = max(1, n/L)
        logits times rule(n/L) * max(1, n/L)^kappa_h

    The path is another method's, at the factor of the rows' own length: plain RoPE up to L, bit for
    bit, whatever was learned. g is the square of YaRN's ramp, 0 for the fast channels and 1 for
    those that never finished a turn within L. `overshoot` turns these even less than the trained
    range allows, so that a match looks alike at any distance; learning can make them no faster
    than the path.

    Both learned parts are exponents of the length: delta moves frequencies, kappa sharpens or
    softens attention. All layers share them, but for a kappa `per_layer`; they start at zero, or
    kappa `per_layer` at what `mgen-lc calibrate-heads` found. With neither, nothing is learned and
    nothing needs training.

    Training draws s for each (`seed`, `step`) from n/L to `factor`, 1/4 at each end and else evenly
    in ln s; evaluation takes n/L, whether `factor` was reached or not. The sharpness follows the
    number of tokens, n/L, and not the drawn s.

    Built from YaRN's ramp (arXiv:2309.00071), log-n scaling, GeNE's exponents and random factor
    (2024.findings-acl.249), CLEX's continuity in the length (arXiv:2310.16450) and LongRoPE2's
    finding that slow channels need more than s (arXiv:2502.20082).

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        factor: Largest factor of training, above 1; says which context is aimed at.
        path: Frequencies at s that the exponents start from: those of `yarn`, `gene`, `ntk` or `pi`
            at s, or theta * s^(-w) with w of YaRN at `factor` (`yarn_exponents`).
        overshoot: Exponent of s by which the slow channels are slowed beyond the path, at least 0.
        beta_fast: Channels turning more often than this within L are kept (YaRN: 32).
        beta_slow: Channels turning less often than this are fully slowed.
        delta: What the learned exponents are: `none`, `shared` by all heads (D/2 numbers) or
            `per_head` (H * D/2).
        kappa: What the learned sharpness is: `none`, `shared` (1 number), `per_head` (H) or
            `per_layer` (of each head of each layer).
        kappa_start: File that `mgen-lc calibrate-heads` wrote, for kappa `per_layer` to start from;
            a checkpoint keeps what was in it.
        temperature: Sharpening of attention to start from: yarn, log_n, sqrt_log_n, none, or
            calibrated from the spread of the logits of each head at L.
        calibration: File that `mgen-lc calibrate` wrote. Needed for `temperature: calibrated`, and
            only there; a checkpoint keeps what was in it.
        random_scale: Draw s while training; otherwise it is as in evaluation.
        eval_scale: s in evaluation: what the `length` needs, n/L, or at least `factor` at every
            length, which gives up plain RoPE up to L.
        lr_multiplier: Learning rate of the learned parameters over that of all others.
        seed: Seed of the training draw; the same on all ranks.
        original_max_position_embeddings: Pretraining context in nucleotides, L; by default the
            backbone's. Required for a backbone built `from_scratch`.

    Raises:
        ValueError: If `factor <= 1`, `overshoot < 0`, `beta_fast <= beta_slow`, or the calibration
            or `kappa_start` is missing, not wanted, unreadable or of another encoder.
    """

    def __init__(
        self,
        geometry: RotaryGeometry,
        factor: float = 16.0,
        path: StartingPath = "yarn",
        overshoot: float = 0.25,
        beta_fast: float = 8.0,
        beta_slow: float = 1.0,
        delta: Learned = "none",
        kappa: LearnedSharpness = "none",
        kappa_start: Optional[str] = None,
        temperature: HelixTemperature = "log_n",
        calibration: Optional[str] = None,
        random_scale: bool = True,
        eval_scale: Literal["length", "factor"] = "length",
        lr_multiplier: float = 1.0,
        seed: int = 0,
        original_max_position_embeddings: Optional[int] = None,
    ) -> None:
        super().__init__(geometry, original_max_position_embeddings)
        self.factor = check_number("factor", factor, 1.0, exclusive=True)
        self.path = check_choice("path", path, get_args(StartingPath))
        self.overshoot = check_number("overshoot", overshoot, 0.0)
        self.beta_slow = check_number("beta_slow", beta_slow, 0.0, exclusive=True)
        self.beta_fast = check_number(
            "beta_fast", beta_fast, self.beta_slow, exclusive=True, advice="That is beta_slow."
        )
        self.given_delta = check_choice("delta", delta, get_args(Learned))
        self.given_kappa = check_choice("kappa", kappa, get_args(LearnedSharpness))
        self.kappa_start = kappa_start
        self.temperature = check_choice("temperature", temperature, get_args(HelixTemperature))
        self.calibration = calibration
        self.random_scale = check_flag("random_scale", random_scale)
        self.eval_scale = check_choice("eval_scale", eval_scale, ("length", "factor"))
        self.lr_multiplier = check_number("lr_multiplier", lr_multiplier, 0.0, exclusive=True)
        self.seed = check_integer("seed", seed, 0)
        self._keep_calibration()
        self._start = self._read_start()
        heads, channels, layers = geometry.num_heads, geometry.rotary_dim // 2, geometry.num_layers
        shapes = {
            "delta": {"none": None, "shared": (channels,), "per_head": (heads, channels)}[delta],
            "kappa": {
                "none": None,
                "shared": (1,),
                "per_head": (heads,),
                "per_layer": (layers, heads),
            }[kappa],
        }
        for name, shape in shapes.items():
            start = None if shape is None else nn.Parameter(torch.empty(shape, dtype=torch.float32))
            self.register_parameter(name, start)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the method without training: exponents zero, or what was calibrated."""
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
        if self._start is not None:
            with torch.no_grad():
                self.kappa.copy_(self._start)

    @property
    def max_position_embeddings(self) -> int:
        """Extended context L' = `factor` * L in nucleotides; longer rows are scaled on."""
        return extended_context(self.factor, self.original_max_position_embeddings)

    def drawn(self, seq_len: int) -> float:
        """Factor s that training step `step` uses for rows of `seq_len` tokens."""
        smallest = self.extension(seq_len)
        if not self.random_scale or smallest >= self.factor:
            return self._evaluated(seq_len)
        return draw_factor(smallest, self.factor, step_generator(self.seed, self.step, "factor"))

    def applied_factor(self, seq_len: int) -> float:
        """Factor s of the frequencies: the step's draw in training, in evaluation n/L."""
        return self.drawn(seq_len) if self.training else self._evaluated(seq_len)

    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """Path times s^(-g * (overshoot + delta)), float32 [D/2], or [H, D/2] if `per_head`."""
        factor = self.applied_factor(seq_len)
        inv_freq = rope_frequencies(self.geometry.rotary_dim, self.geometry.base)
        ramp = self._ramp()
        path, gate = self._path(inv_freq, ramp, factor), ramp.square()
        if self.delta is None:
            return (path * factor ** -(gate * self.overshoot)).float()
        unfinished = rotations(inv_freq, self.original_max_position_embeddings) < 1.0
        path, gate, unfinished = (x.to(self.delta.device) for x in (path, gate, unfinished))
        exponents = gate * (self.overshoot + self.delta.double())
        # Held at zero, but not their gradient: a step back into what is allowed takes effect.
        held = exponents + (exponents.clamp(min=0.0) - exponents).detach()
        return (path * factor ** -torch.where(unfinished, held, exponents)).float()

    def attention_factor(self, seq_len: int) -> Union[float, Tensor]:
        """Root of rule(n/L) * (n/L)^kappa, a float, or float32 [] or [H]; multiplies q and k."""
        extension = self.extension(seq_len)
        if self.temperature == "calibrated":
            factor = calibrated_factor(self.logit_std, extension)
        else:
            original = self.original_max_position_embeddings
            factor = temperature_factor(self.temperature, extension, original)
        if self.kappa is None or self.kappa.ndim == 2:
            return factor
        return factor * extension ** (0.5 * self.kappa.squeeze())

    def layer_sharpness(self, seq_len: int) -> Optional[Tensor]:
        """(n/L)^kappa where kappa is `per_layer`, float32 [layers, H]; 1 up to L."""
        if self.kappa is None or self.kappa.ndim < 2:
            return None
        return self.extension(seq_len) ** self.kappa

    def _read_start(self) -> Optional[Tensor]:
        if self.given_kappa == "per_layer" and self.geometry.num_layers is None:
            raise ValueError(
                "kappa='per_layer' needs the number of layers, which this geometry does not say. "
                "Give RotaryGeometry num_layers, or set kappa to per_head."
            )
        if self.kappa_start is None:
            return None
        if self.given_kappa != "per_layer":
            raise ValueError(
                f"kappa_start={self.kappa_start!r} has no effect with kappa={self.given_kappa!r}. "
                "Set kappa to per_layer, or leave kappa_start out."
            )
        return read_kappa(self.kappa_start, self.geometry, self.original_max_position_embeddings)

    def _keep_calibration(self) -> None:
        wanted = self.temperature == "calibrated"
        if wanted and self.calibration is None:
            raise ValueError(
                "temperature='calibrated' needs calibration=FILE, the spread of this encoder's "
                "attention logits: write one with `mgen-lc calibrate`."
            )
        if not wanted and self.calibration is not None:
            raise ValueError(
                f"calibration={self.calibration!r} has no effect with "
                f"temperature={self.temperature!r}. Set temperature to calibrated, or leave "
                "calibration out."
            )
        if wanted:
            original = self.original_max_position_embeddings
            std = read_logit_std(self.calibration, self.geometry, original)
            self.register_buffer("logit_std", std)

    def _evaluated(self, seq_len: int) -> float:
        extension = self.extension(seq_len)
        return max(self.factor, extension) if self.eval_scale == "factor" else extension

    def _ramp(self) -> Tensor:
        dim, base = self.geometry.rotary_dim, self.geometry.base
        original = self.original_max_position_embeddings
        return yarn_ramp_channels(dim, base, original, self.beta_fast, self.beta_slow, True)

    def _path(self, inv_freq: Tensor, ramp: Tensor, factor: float) -> Tensor:
        """Frequencies of `path` at `factor`, float64 [D/2]; plain RoPE at 1."""
        if self.path == "yarn":
            return interpolate_by_parts(inv_freq, ramp, factor)
        if self.path == "ntk":
            return ntk_frequencies(inv_freq, factor)
        if self.path == "pi":
            return pi_frequencies(inv_freq, factor)
        if self.path == "gene":
            original = self.original_max_position_embeddings
            end = gene_ramp_end(inv_freq, original, GENE_ROTATIONS)
            exponents = gene_exponents(inv_freq.numel(), max(end, 1))
        else:
            slowed = interpolate_by_parts(inv_freq, ramp, self.factor)
            exponents = exponents_at(inv_freq, slowed, self.factor)
        return gene_frequencies(inv_freq, exponents, factor)
