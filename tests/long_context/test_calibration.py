# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from modelgenerator.long_context.calibration import logit_std


def test_by_hand():
    # One query (2, 0) against keys with first coordinates 0 and 4: logits 0 and 8 / sqrt(2).
    query = torch.tensor([[[2.0, 0.0]]])
    key = torch.tensor([[[0.0, 7.0], [4.0, 7.0]]])
    assert logit_std(query, key).tolist() == pytest.approx([4 / 2**0.5])


def test_heads_apart_rows_together():
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 3, 50, 16, generator=generator)
    logits = query @ key.transpose(-1, -2) / 4
    expected = ((logits - logits.mean(-1, keepdim=True)) ** 2).mean(-1).sqrt().mean(-1)
    torch.testing.assert_close(logit_std(query, key), expected)
    moved = key + 3.0  # moves every logit of a row alike
    torch.testing.assert_close(logit_std(query, moved), expected, rtol=1e-4, atol=1e-4)


def test_bfloat16_logits_are_formed_in_float32():
    query, key = torch.randn(2, 2, 40, 16, generator=torch.Generator().manual_seed(0)).bfloat16()
    exact = logit_std(query.double().float(), key.double().float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(logit_std(query, key), exact)
