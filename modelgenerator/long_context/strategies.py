# SPDX-License-Identifier: Apache-2.0
"""Lightning strategy for windows too long for one GPU."""

from typing import Any

import torch.distributed as dist
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.trainer.states import TrainerFn

from modelgenerator.long_context.installation import base_encoder, rotary_backbone


class ContextParallel(DDPStrategy):
    """DDP in which neighbouring processes share every window, each with a part of its tokens.

    Activations of the encoder are divided by `context_parallel_size`; weights, gradients and the
    optimiser are not (that is FSDP's part). Attention gets all tokens by an all-to-all over heads,
    so results are those of one process to rounding. With N processes, N / `context_parallel_size`
    windows are trained on at a time. For training only: evaluation needs far less memory.

    Args:
        context_parallel_size: Processes that share a window. It must divide the number of processes
            and the number of attention heads.
        **kwargs: Of Lightning's DDPStrategy.

    Raises:
        ValueError: If `context_parallel_size` does not divide what it must, the task has no
            `model.pe`, or anything but training is asked for.
    """

    def __init__(self, context_parallel_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if context_parallel_size < 1:
            raise ValueError(
                f"context_parallel_size={context_parallel_size} is not allowed: give the number of "
                "processes that share a window, at least 1."
            )
        self.context_parallel_size = context_parallel_size

    @property
    def distributed_sampler_kwargs(self) -> dict[str, Any]:
        """Processes that share a window are one to the data."""
        size = self.context_parallel_size
        return {"num_replicas": self.world_size // size, "rank": self.global_rank // size}

    def setup(self, trainer: Trainer) -> None:
        """Form the groups and give the encoder its own, before DDP wraps the task."""
        size, task = self.context_parallel_size, self.lightning_module
        if trainer.state.fn != TrainerFn.FITTING:
            raise ValueError(
                f"trainer.strategy: ContextParallel is for `mgen fit`, not for "
                f"{trainer.state.fn.value}. Leave it out: evaluation keeps no activations."
            )
        if getattr(task, "pe", None) is None:
            raise ValueError(
                "trainer.strategy: ContextParallel needs the encoder that comes with `model.pe`. "
                "Set model.pe (rope leaves the embedding as it is)."
            )
        encoder = base_encoder(rotary_backbone(task))
        divided = {
            "processes": self.world_size,
            "attention heads": encoder.config.num_attention_heads,
        }
        for name, number in divided.items():
            if number % size:
                raise ValueError(
                    f"context_parallel_size={size} does not divide the {number} {name}: give a "
                    "divisor."
                )
        for first in range(0, self.world_size, size):
            ranks = list(range(first, first + size))
            group = dist.new_group(ranks)  # every process takes part in making every group
            if self.global_rank in ranks:
                encoder.context_parallel_group = group
        super().setup(trainer)
