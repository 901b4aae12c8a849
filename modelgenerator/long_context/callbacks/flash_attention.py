# SPDX-License-Identifier: Apache-2.0
"""Another implementation of flash attention than torch's own."""

from lightning.pytorch import Callback, LightningModule, Trainer
from torch.nn.attention import (
    activate_flash_attention_impl,
    current_flash_attention_impl,
    list_flash_attention_impls,
    restore_flash_attention_impl,
)


class FlashAttention(Callback):
    """Computes attention by FlashAttention 3 or 4, from their own packages, where torch has 2.

    For NVIDIA Hopper and newer. The log names what runs ("Attention kernel: ..."). When the run
    ends torch's own implementation is back.

    Args:
        implementation: What torch knows by that name, such as FA3 or FA4; see
            `torch.nn.attention.list_flash_attention_impls`.

    Raises:
        ValueError: If torch does not know the name, or its package or the GPU for it is missing;
            before the first step.
    """

    def __init__(self, implementation: str = "FA4"):
        super().__init__()
        known = list_flash_attention_impls()
        if implementation not in known:
            raise ValueError(
                f"FlashAttention.implementation={implementation!r} is not known to this torch; "
                f"give one of {', '.join(known)}."
            )
        self.implementation = implementation

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        try:
            activate_flash_attention_impl(self.implementation)
        except (ImportError, OSError, RuntimeError) as error:
            raise ValueError(
                f"FlashAttention.implementation={self.implementation!r} cannot be used here "
                f"({error}). Install its package (flash_attn_3 for FA3, flash-attn-4 for FA4) on a "
                "GPU that it supports, or leave the callback out."
            ) from error

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if current_flash_attention_impl() is not None:
            restore_flash_attention_impl()
