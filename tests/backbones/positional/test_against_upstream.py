# SPDX-License-Identifier: Apache-2.0
"""Plain RoPE beside upstream's own embedding."""

import pytest
import torch

from modelgenerator.backbones.positional import RotaryGeometry, apply_rotary, rope

pytestmark = pytest.mark.upstream


@pytest.mark.parametrize(("head_dim", "percent"), [(64, 1.0), (136, 1.0), (64, 0.5), (16, 1.0)])
def test_queries_turn_as_upstream_turns_them(head_dim, percent):
    from modelgenerator.huggingface_models.rnabert.modeling_rnabert import (
        RotaryEmbedding,
        apply_rotary_pos_emb,
    )

    rotary_dim = int(head_dim * percent)
    pe = rope(RotaryGeometry(rotary_dim, 4, original_max_position_embeddings=4000))
    x = torch.randn(2, 4, 4002, head_dim, generator=torch.Generator().manual_seed(0))
    angles = RotaryEmbedding(head_dim, percent)(4002)  # [n, 1, 1, D]
    upstream = apply_rotary_pos_emb(x.permute(2, 0, 1, 3), angles).permute(1, 2, 0, 3)
    # upstream's frequencies carry the rounding of a float32 power: 1e-7 of an angle of 4000
    torch.testing.assert_close(apply_rotary(x, pe(4002)), upstream, rtol=0, atol=3e-3)
    near = slice(0, 128)
    torch.testing.assert_close(
        apply_rotary(x, pe(4002))[:, :, near], upstream[:, :, near], rtol=0, atol=1e-4
    )
