# SPDX-License-Identifier: Apache-2.0
"""The contract of a rotary position embedding: geometry in, cos and sin out.

Letters in shapes: D rotary_dim, H num_heads, n seq_len.
"""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Optional, Union

import torch
from torch import Tensor, nn

from .checks import check_integer, check_number
from .skip import PositionSkip
from .temperature import Temperature, temperature_factor

SPECIAL_TOKENS = 2
"""[CLS] and [SEP], which the tokenizer adds to a window that fills the original context."""


@dataclass(frozen=True)
class RotaryGeometry:
    """What a rotary embedding must know of the encoder it serves.

    Args:
        rotary_dim: Rotated channels of a head, D; even, at most the head's width.
        num_heads: Attention heads, H.
        base: b in theta_i = b^(-2i/D).
        original_max_position_embeddings: Pretraining context in nucleotides, L. None where
            the encoder does not know it.
        num_layers: Layers of the encoder; None where nobody said, and then nothing can differ
            by layer.

    Raises:
        ValueError: If `rotary_dim` is odd or below 2, `num_heads` or `num_layers` below 1, `base`
            not above 1, or the original context below 2.
    """

    rotary_dim: int
    num_heads: int
    base: float = 10000.0
    original_max_position_embeddings: Optional[int] = None
    num_layers: Optional[int] = None

    def __post_init__(self) -> None:
        """Check every field."""
        check_integer("rotary_dim", self.rotary_dim, 2)
        if self.rotary_dim % 2:
            raise ValueError(
                f"rotary_dim={self.rotary_dim} is odd: channels rotate in pairs. Give an even "
                "number; it is the head's width times rotary_percent."
            )
        check_integer("num_heads", self.num_heads, 1)
        check_number("base", self.base, 1.0, exclusive=True)
        if self.num_layers is not None:
            check_integer("num_layers", self.num_layers, 1)
        if self.original_max_position_embeddings is not None:
            check_integer(
                "original_max_position_embeddings", self.original_max_position_embeddings, 2
            )


class RotaryTable(NamedTuple):
    """Cos and sin of every angle, times the attention factor; made once a forward.

    Attributes:
        cos: float32 [n, D/2], or [H, n, D/2] where heads differ.
        sin: As `cos`.

    Half-split layout: channel i rotates with channel i + D/2, so D/2 columns say it all.
    """

    cos: Tensor
    sin: Tensor


class RotaryEmbedding(nn.Module, ABC):
    """A rotary position embedding: a pure function of length, parameters and training draw.

    A method overrides `inverse_frequencies`, and `applied_factor` or `attention_factor` where
    they differ from the defaults. Nothing is cached, so no result depends on earlier calls.
    Learned parameters stay float32 whatever type the model is cast to: at position 65,535 a
    bfloat16 frequency turns an angle wrong by up to a hundred radians.

    Args:
        geometry: Width, heads, base and original context of the rotary embedding.
        original_max_position_embeddings: Pretraining context in nucleotides, L; goes before the
            geometry's. Required for a backbone built `from_scratch`, whose config does not
            say it.

    Attributes:
        step: Training step, set from outside before each training forward; methods that draw
            at random while training draw from (seed, step).
        lr_multiplier: Learning rate of the learned parameters over that of all others.
        skip: Positions to train at, set from outside: in training rows stand for parts of a longer
            context, as far as frequencies and attention factor are concerned. None leaves all
            positions as the method has them.

    Raises:
        ValueError: If the original context is given neither here nor in `geometry`.
    """

    step: int = 0
    lr_multiplier: float = 1.0
    skip: Optional[PositionSkip] = None
    temperature: Temperature = "none"

    def __init__(
        self, geometry: RotaryGeometry, original_max_position_embeddings: Optional[int] = None
    ) -> None:
        super().__init__()
        self.geometry = geometry
        self.original_max_position_embeddings = _original_context(
            geometry, original_max_position_embeddings
        )

    @abstractmethod
    def inverse_frequencies(self, seq_len: int) -> Tensor:
        """Radians per token, float32 [D/2], or [H, D/2] where heads differ.

        Args:
            seq_len: Tokens in this batch's rows: nucleotides, [CLS] and [SEP].
        """

    def applied_factor(self, seq_len: int) -> float:
        """Factor s that a call with `seq_len` tokens extends the original context by."""
        return 1.0

    def attention_factor(self, seq_len: int) -> Union[float, Tensor]:
        """Factor on q and on k, a float or float32 [] or [H]; logits get its square."""
        return temperature_factor(
            self.temperature, self.applied_factor(seq_len), self.original_max_position_embeddings
        )

    def layer_sharpness(self, seq_len: int) -> Optional[Tensor]:
        """Factor on the logits of each layer and head beside the table's, float32 [layers, H].

        None where layers do not differ. It goes by the keys of a row: positions that are skipped
        in training do not count.
        """
        return None

    def positions(self, seq_len: int) -> Tensor:
        """Position of each token, float32 [n] on CPU: 0, 1, 2, ..."""
        return torch.arange(seq_len, dtype=torch.float32, device="cpu")

    @property
    def max_position_embeddings(self) -> int:
        """Extended context L' in nucleotides: what the method was set up for, not a hard limit."""
        return self.original_max_position_embeddings

    @property
    def options(self) -> dict[str, object]:
        """The constructor's options but the geometry, for result files; they make the method again.

        Option `x` is kept as attribute `x`, or as `given_x` where `x` names a method.
        """
        _, *names = inspect.signature(type(self)).parameters
        return {name: vars(self).get(f"given_{name}", getattr(self, name)) for name in names}

    def extension(self, seq_len: int) -> float:
        """How many original contexts `seq_len` tokens are, n / L; 1 up to L + 2.

        The two special tokens must not make a full window of L nucleotides count as longer.
        """
        if seq_len <= self.original_max_position_embeddings + SPECIAL_TOKENS:
            return 1.0
        return seq_len / self.original_max_position_embeddings

    def whole_extension(self, seq_len: int, count_special_tokens: bool = False) -> int:
        """Whole original contexts that hold `seq_len` tokens, ceil(n / L).

        Special tokens are not counted: 1 up to L + 2 tokens, 2 up to 2L + 2. With
        `count_special_tokens` they are, as in released code: 1 up to L, 2 up to 2L.
        """
        counted = seq_len if count_special_tokens else seq_len - SPECIAL_TOKENS
        return max(1, math.ceil(counted / self.original_max_position_embeddings))

    def forward(self, seq_len: int, device: Optional[torch.device] = None) -> RotaryTable:
        """Cos and sin of position times frequency, times the attention factor.

        Float32 even under autocast: frequencies are right to half a unit in the last place, so
        at position 65,535 an angle is wrong by at most 0.004 radians.

        Args:
            seq_len: Tokens in this batch's rows, n.
            device: Where the table goes; by default where the parameters are, CPU without any.

        Raises:
            ValueError: If `seq_len` is below 1.
        """
        if seq_len < 1:
            raise ValueError(f"seq_len={seq_len} is not allowed: give at least 1 token.")
        device = torch.device(device) if device is not None else self._parameter_device()
        if self.training and self.skip is not None:
            reach = self.skip.length + SPECIAL_TOKENS
            positions = self.skip.positions(seq_len, reach, self.step)
        else:
            reach, positions = seq_len, self.positions(seq_len)
        with torch.autocast(device_type=device.type, enabled=False):
            inv_freq = self.inverse_frequencies(reach).to(device)
            positions = positions.to(device)
            angles = positions[:, None] * inv_freq[..., None, :]  # [n, D/2] or [H, n, D/2]
            attention_factor = self.attention_factor(reach)
            if isinstance(attention_factor, Tensor):
                attention_factor = attention_factor.to(device)[..., None, None]
            return RotaryTable(angles.cos() * attention_factor, angles.sin() * attention_factor)

    def _parameter_device(self) -> torch.device:
        return next((p.device for p in self.parameters()), torch.device("cpu"))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        # .to(), .half(), .bfloat16() of any parent module come here: follow moves, refuse casts.
        def move_only(tensor: Tensor) -> Tensor:
            moved = fn(tensor)
            return moved if moved.dtype == tensor.dtype else tensor.to(moved.device)

        return super()._apply(move_only, recurse)


def extended_context(factor: float, original_max_position_embeddings: int) -> int:
    """Extended context L' = s * L, to the nearest nucleotide."""
    return round(factor * original_max_position_embeddings)


def _original_context(geometry: RotaryGeometry, given: Optional[int]) -> int:
    if given is not None:
        return check_integer("original_max_position_embeddings", given, 2)
    if geometry.original_max_position_embeddings is None:
        raise ValueError(
            "original_max_position_embeddings is unknown: a backbone built from_scratch does not "
            "say which context it was pretrained at. Give original_max_position_embeddings, in "
            "nucleotides (4000 for AIDO.DNA)."
        )
    return geometry.original_max_position_embeddings
