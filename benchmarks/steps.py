# SPDX-License-Identifier: Apache-2.0
"""What is measured: encoders of three shapes, upstream's and ours, and the floor below both.

The floor is the same matrix products and bare `scaled_dot_product_attention`, back to back: no
encoder with this arithmetic can be faster.
"""

from functools import partial
from typing import Callable, NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Shape(NamedTuple):
    """An encoder's size."""

    layers: int
    width: int
    intermediate: int
    heads: int


SHAPES = {
    "tiny": Shape(4, 256, 704, 4),
    "tiny_layer": Shape(1, 256, 704, 4),
    "300m_layer": Shape(1, 1024, 2816, 16),
    "7b_layer": Shape(1, 4352, 11584, 32),
    "300m": Shape(24, 1024, 2816, 16),
}
MODES = ("forward", "forward+backward")


def backbone(shape: Shape, pe: Optional[Callable] = None) -> nn.Module:
    """A backbone from random weights, upstream's own or, with `pe`, ours."""
    from modelgenerator.long_context.backbones import aido_dna_tiny
    from modelgenerator.tasks import Embed

    overwrites = {
        "hidden_size": shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.intermediate,
    }
    task = Embed(partial(aido_dna_tiny, from_scratch=True, config_overwrites=overwrites), pe=pe)
    task.configure_model()
    return task.backbone.train()


class Floor(nn.Module):
    """The products and attention of an encoder, and nothing else."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, wide = shape.width, shape.intermediate
        sizes = 4 * [(width, width)] + 2 * [(wide, width)] + [(width, wide)]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(size) / size[1] ** 0.5)
            for _ in range(shape.layers)
            for size in sizes
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """Hidden states [1, n, width] through all products; every result is used once."""
        heads = (self.shape.heads, -1)
        for first in range(0, len(self.weights), 7):
            query, key, value, out, gate, up, down = self.weights[first : first + 7]
            qkv = (
                F.linear(hidden, w).unflatten(-1, heads).transpose(1, 2)
                for w in (query, key, value)
            )
            context = F.scaled_dot_product_attention(*qkv).transpose(1, 2).flatten(2)
            context = F.linear(context, out)
            hidden = F.linear(_First.apply(F.linear(context, gate), F.linear(context, up)), down)
        return hidden


class _First(torch.autograd.Function):
    """The first of two; both get its gradient, so that backward leaves no product out."""

    @staticmethod
    def forward(ctx, first: Tensor, second: Tensor) -> Tensor:
        return first

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor]:
        return grad, grad


def step_of(
    kind: str, shape: Shape, length: int, mode: str, device: str, dtype: torch.dtype
) -> Callable[[], None]:
    """A function that runs a forward, or forward and backward, of an encoder or the floor.

    Args:
        kind: upstream, ours or floor.
        shape: Size of the encoder.
        length: Tokens of the one sequence.
        mode: One of `MODES`.
        device: cpu or cuda.
        dtype: Type of the products; encoders keep float32 weights and run under autocast.
    """
    from modelgenerator.backbones.positional import yarn

    backward = mode == "forward+backward"
    automatic = torch.autocast(device, dtype, enabled=dtype != torch.float32)
    torch.manual_seed(0)
    if kind == "floor":
        model = Floor(shape).to(device, dtype)
        hidden = torch.randn(1, length, shape.width, device=device, dtype=dtype)
        # As an encoder's first layer, which passes its gradient on to the embeddings.
        forward = partial(model, hidden.requires_grad_(backward))
    else:
        pe = partial(yarn, factor=16.0, original_max_position_embeddings=512)
        model = backbone(shape, pe if kind == "ours" else None).to(device)
        ids = torch.randint(5, 9, (1, length), device=device)

        def forward() -> Tensor:
            with automatic:
                return model(ids, torch.ones_like(ids)).last_hidden_state

    return partial(step, model, forward, backward)


def step(model: nn.Module, forward: Callable[[], Tensor], backward: bool = True) -> None:
    """A forward, and the backward of all that it returned."""
    with torch.set_grad_enabled(backward):
        result = forward()
    if backward:
        result.backward(torch.ones_like(result))
        model.zero_grad(set_to_none=True)


def matrix_flops(shape: Shape, length: int, mode: str) -> float:
    """Floating point operations of the products and of attention, two for each multiplication."""
    products = 4 * shape.width**2 + 3 * shape.width * shape.intermediate
    forward = shape.layers * (2 * length * products + 4 * length**2 * shape.width)
    return forward * (3.0 if mode == "forward+backward" else 1.0)
