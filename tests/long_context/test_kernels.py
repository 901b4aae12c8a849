# SPDX-License-Identifier: Apache-2.0
import warnings

import pytest
import torch
from torch.nn.attention import SDPBackend

from modelgenerator.long_context.kernels import report_kernel

SHAPE = {"batch": 1, "tokens": 4096, "num_heads": 16, "head_dim": 64}


@pytest.mark.parametrize("head_dim", [64, 136])
def test_cpu_has_flash_attention(head_dim):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kernel = report_kernel(
            **{**SHAPE, "head_dim": head_dim},
            dtype=torch.float32, device=torch.device("cpu"), dropout=0.0,
        )  # fmt: skip
    assert kernel == SDPBackend.FLASH_ATTENTION


def test_stored_scores_are_warned_of():
    with pytest.warns(UserWarning, match="every layer stores 1.0 GiB of scores for 4,096 tokens"):
        kernel = report_kernel(
            **SHAPE, dtype=torch.float32, device=torch.device("cpu"), dropout=0.1
        )
    assert kernel == SDPBackend.MATH
