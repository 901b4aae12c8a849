# SPDX-License-Identifier: Apache-2.0
from functools import partial

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from modelgenerator.backbones import dna_onehot
from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.callbacks import GradientCheckpointing
from modelgenerator.long_context.callbacks.gradient_checkpointing import ATTENTION
from modelgenerator.long_context.installation import base_encoder
from modelgenerator.tasks import Embed

ROPE = partial(rope, original_max_position_embeddings=512)


@pytest.mark.parametrize("use_peft", [False, True])
def test_layers_are_recomputed_even_after_loading_weights(tiny_task, use_peft):
    task = tiny_task(ROPE, use_peft=use_peft).eval()  # as from_pretrained leaves it
    GradientCheckpointing().on_fit_start(None, task)
    calls = []
    for layer in base_encoder(task.backbone).encoder.layer:
        layer.register_forward_pre_hook(lambda *_: calls.append(1))
    ids = torch.randint(5, 9, (1, 40))
    hidden = task.backbone(ids, torch.ones_like(ids)).last_hidden_state
    assert len(calls) == 2
    hidden.sum().backward()
    assert len(calls) == 4


class Counted(TorchDispatchMode):
    """Counts the attention that is computed; what is taken from memory does not come here."""

    attention = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.attention += operation in ATTENTION
        return operation(*args, **(kwargs or {}))


@pytest.mark.parametrize(("keep", "times"), [("attention", 2), ("inputs", 4)])
def test_attention_is_recomputed_only_if_not_kept(tiny_task, keep, times):
    task = tiny_task(ROPE)
    GradientCheckpointing(keep).on_fit_start(None, task)
    ids = torch.randint(5, 9, (1, 40))
    with Counted() as counted:
        task.backbone(ids, torch.ones_like(ids)).last_hidden_state.sum().backward()
    assert counted.attention == times


@pytest.mark.parametrize("keep", ["attention", "inputs"])
def test_loss_and_gradients_stay_the_same(tiny_task, keep):
    ids, outcomes = torch.randint(5, 9, (1, 70)), []
    for checkpointing in (False, True):
        task = tiny_task(ROPE).train()
        if checkpointing:
            GradientCheckpointing(keep).on_fit_start(None, task)
        loss = task.backbone(ids, torch.ones_like(ids)).last_hidden_state.square().mean()
        loss.backward()
        outcomes.append([loss.detach()] + [p.grad for p in task.backbone.encoder.parameters()])
    for plain, recomputed in zip(*outcomes, strict=True):
        torch.testing.assert_close(recomputed, plain)


def test_unknown_choice_is_refused():
    with pytest.raises(ValueError, match="keep='all' is not allowed: give one of attention"):
        GradientCheckpointing("all")


def test_state_dict_keeps_its_names(tiny_task):
    task = tiny_task(ROPE)
    before = list(task.state_dict())
    GradientCheckpointing().on_fit_start(None, task)
    assert list(task.state_dict()) == before


def test_other_backbones_are_refused():
    with pytest.raises(ValueError, match="no rotary position embedding"):
        GradientCheckpointing().on_fit_start(None, Embed(dna_onehot))
