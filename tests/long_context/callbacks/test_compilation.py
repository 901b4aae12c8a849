# SPDX-License-Identifier: Apache-2.0
import os
import shutil
from functools import partial

import pytest
import torch

from modelgenerator.backbones.positional import gene
from modelgenerator.long_context.callbacks import CompileLayers
from modelgenerator.long_context.installation import base_encoder

PE = partial(gene, learnable=True, original_max_position_embeddings=64)
needs_compiler = pytest.mark.skipif(
    shutil.which(os.environ.get("CXX", "g++")) is None, reason="no C++ compiler"
)


@needs_compiler
@pytest.mark.slow
def test_compiled_layers_give_the_same_numbers(tiny_task):
    """Loss and gradients, of learned frequencies as well, at two lengths; names stay."""
    plain, compiled = tiny_task(PE).train(), tiny_task(PE).train()
    names = list(compiled.state_dict())
    CompileLayers().on_fit_start(None, compiled)
    assert list(compiled.state_dict()) == names
    for length in (70, 130):
        ids = torch.randint(5, 9, (1, length))
        for task in (plain, compiled):
            task.zero_grad()
            task.backbone(ids, torch.ones_like(ids)).last_hidden_state.square().mean().backward()
        for one, two in zip(plain.parameters(), compiled.parameters(), strict=True):
            torch.testing.assert_close(two.grad, one.grad, rtol=1e-3, atol=1e-6)
    counters = torch._dynamo.utils.counters
    assert counters["stats"]["unique_graphs"] > 0, "something was compiled"


@needs_compiler
@pytest.mark.parametrize("stage", ["fit", "validation", "test", "predict"])
def test_compiled_once_in_every_stage(tiny_task, stage):
    task = tiny_task(PE)
    layers = base_encoder(task.backbone).encoder.layer
    getattr(CompileLayers(), f"on_{stage}_start")(None, task)
    compiled = [layer._compiled_call_impl for layer in layers]
    assert all(callable(call) for call in compiled)
    CompileLayers().on_validation_start(None, task)  # comes within fitting as well
    assert [layer._compiled_call_impl for layer in layers] == compiled


def test_no_compiler_is_said_before_the_first_step(tiny_task, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ValueError, match=r"CompileLayers needs a compiler.*g\+\+.*leave"):
        CompileLayers().on_fit_start(None, tiny_task(PE))
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ValueError, match="none of no-such-compiler is on the PATH"):
        CompileLayers().on_fit_start(None, tiny_task(PE))
