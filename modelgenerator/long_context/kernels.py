# SPDX-License-Identifier: Apache-2.0
"""Which of torch's attention kernels runs, said once, and a warning where it stores the scores."""

import warnings

import torch
from lightning.pytorch.utilities import rank_zero_info
from torch.nn.attention import SDPBackend, current_flash_attention_impl


def report_kernel(
    batch: int,
    tokens: int,
    num_heads: int,
    head_dim: int,
    dtype: torch.dtype,
    device: torch.device,
    dropout: float,
) -> SDPBackend:
    """Name the kernel that torch takes for attention like this; warn if it is the unfused one.

    Torch chooses by device, type, width and dropout: cuDNN's or flash attention on GPUs that have
    them, its own flash attention on CPUs. The unfused kernel works everywhere, and stores s x s
    scores.

    Returns:
        The kernel.
    """
    shape = (batch, tokens, num_heads, head_dim)
    query = torch.empty(shape, dtype=dtype, device=device).transpose(1, 2)
    query.requires_grad_(torch.is_grad_enabled())
    kernel = SDPBackend(torch._fused_sdp_choice(query, query, query, None, dropout, False))
    if kernel == SDPBackend.MATH:
        scores = batch * num_heads * tokens**2 * dtype.itemsize
        warnings.warn(
            f"No fused attention kernel takes heads of width {head_dim} in {dtype} with dropout "
            f"{dropout:g} on {device.type}: every layer stores {scores / 2**30:.1f} GiB of scores "
            f"for {tokens:,} tokens. Set attention_probs_dropout_prob to 0, or use another "
            "precision.",
            stacklevel=2,
        )
    else:
        implementation = current_flash_attention_impl()
        chosen = f" ({implementation})" if implementation else ""
        rank_zero_info(f"Attention kernel: {kernel.name.lower()}{chosen}, {dtype} on {device}")
    return kernel
