# SPDX-License-Identifier: Apache-2.0
import torch

from modelgenerator.long_context.monitor.steps import Steps


def test_what_was_not_read_yet_is_counted_too():
    steps = Steps(copies=2)
    batch = {"input_ids": torch.zeros(3, 5, dtype=torch.long)}
    steps.batch_ended(batch, torch.tensor(1.0))
    steps.read(1)
    steps.batch_ended(batch, torch.tensor(float("nan")))
    assert (steps.tokens, steps.nonfinite) == (2 * 15, 0)
    assert steps.so_far() == (2 * 30, 1)
    steps.read(1)
    assert steps.so_far() == (steps.tokens, steps.nonfinite) == (2 * 30, 1)
