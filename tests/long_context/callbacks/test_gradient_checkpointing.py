# SPDX-License-Identifier: Apache-2.0
from functools import partial

import pytest
import torch

from modelgenerator.backbones import dna_onehot
from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.callbacks import GradientCheckpointing
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


def test_state_dict_keeps_its_names(tiny_task):
    task = tiny_task(ROPE)
    before = list(task.state_dict())
    GradientCheckpointing().on_fit_start(None, task)
    assert list(task.state_dict()) == before


def test_other_backbones_are_refused():
    with pytest.raises(ValueError, match="no rotary position embedding"):
        GradientCheckpointing().on_fit_start(None, Embed(dna_onehot))
