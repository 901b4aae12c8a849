# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from modelgenerator.backbones.positional.calibration import calibrated_factor


def entropy(logits):
    return float(torch.special.entr(logits.softmax(-1)).sum(-1).mean())


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.5])
def test_keeps_the_entropy_of_normal_logits(sigma):
    """16 times the keys would add ln 16 = 2.8 nats; with the factor a tenth of that is left."""
    generator = torch.Generator().manual_seed(0)
    short = sigma * torch.randn(64, 2048, generator=generator)
    long = sigma * torch.randn(64, 16 * 2048, generator=generator)
    logit_factor = calibrated_factor(torch.tensor([sigma]), 16.0) ** 2
    assert entropy(long) - entropy(short) == pytest.approx(math.log(16), abs=0.05)
    assert entropy(logit_factor * long) == pytest.approx(entropy(short), abs=0.4)


def test_grows_with_the_length_and_less_for_peaked_heads():
    sigma = torch.tensor([1.0, 2.0, 4.0, 1e4])
    assert torch.equal(calibrated_factor(sigma, 1.0), torch.ones(4))
    factors = torch.stack([calibrated_factor(sigma, s) for s in (1.0, 2.0, 16.0)])
    assert (factors[:, :3].diff(dim=0) > 0).all()
    assert (factors[1:, :3].diff(dim=1) < 0).all()
    assert float(factors[2, 3]) == pytest.approx(1.0, abs=1e-6)
