# SPDX-License-Identifier: Apache-2.0
"""Methods that draw and learn, on a task: optimiser, checkpoints, every way of training."""

from functools import partial

import pytest
import torch

from modelgenerator.backbones.positional import clex, gene, helix, yarn
from modelgenerator.long_context.installation import base_encoder, rotary_embedding
from modelgenerator.long_context.learned import METHOD, learned_parameters

LEARNED = {
    "gene": partial(gene, learnable=True, original_max_position_embeddings=64),
    "clex": partial(clex, original_max_position_embeddings=64),
    "helix": partial(
        helix, delta="per_head", kappa="per_head", original_max_position_embeddings=64
    ),
}
WAYS = {
    "full": {},
    "lora": {"use_peft": True},
    "frozen": {"frozen": True},
    "lora, all saved": {"use_peft": True, "save_peft_only": False},
    "frozen, all saved": {"frozen": True, "save_peft_only": False},
}


def hidden_of(task, length=130):
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 9, (1, length), generator=generator)
    return task.backbone(ids, torch.ones_like(ids)).last_hidden_state


def loss_of(task, length=130):
    return hidden_of(task, length).square().mean()


def step(task):
    optimizer = task.configure_optimizers()["optimizer"]
    task.train()
    for _ in range(2):  # CLEX's first network has no gradient until its second left zero
        loss_of(task).backward()
        optimizer.step()
        optimizer.zero_grad()
    return task.eval()


def saved(task):
    checkpoint = {"state_dict": dict(task.state_dict()), "global_step": 2}
    task.on_save_checkpoint(checkpoint)
    return checkpoint


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", LEARNED)
def test_trained_saved_and_back(tiny_task, method, way):
    make = partial(tiny_task, LEARNED[method], **WAYS[way])
    task = make()
    start = [p.detach().clone() for p in learned_parameters(task)]
    step(task)
    for before, after in zip(start, learned_parameters(task), strict=True):
        assert not torch.equal(before, after)
        assert after.dtype == torch.float32
    checkpoint = saved(task)
    assert checkpoint[METHOD] == method

    back = make()
    back.on_load_checkpoint(checkpoint)
    only_part = way in ("lora", "frozen")
    back.load_state_dict(checkpoint["state_dict"], strict=not only_part)
    for ours, theirs in zip(learned_parameters(back), learned_parameters(task), strict=True):
        assert torch.equal(ours, theirs)
    with torch.no_grad():
        assert torch.equal(loss_of(back), loss_of(task))


def test_save_peft_only_saves_no_other_part_of_the_encoder(tiny_task):
    task = tiny_task(LEARNED["gene"], use_peft=True)
    names = [n for n in saved(task)["state_dict"] if n.startswith("backbone.encoder.")]
    assert names
    assert all("lora" in n or "rotary_pos_emb" in n for n in names)


def test_a_checkpoint_of_another_method_is_refused(tiny_task):
    checkpoint = saved(tiny_task(LEARNED["gene"]))
    with pytest.raises(ValueError, match="trained with model.pe gene, this task has clex"):
        tiny_task(LEARNED["clex"]).on_load_checkpoint(checkpoint)
    with pytest.raises(ValueError, match="trained with model.pe gene, this task has None"):
        tiny_task(None).on_load_checkpoint(checkpoint)


@pytest.mark.parametrize("way", [{}, {"use_peft": True}])
def test_a_checkpoint_of_other_options_or_another_geometry_is_refused(tiny_task, way):
    """Also with LoRA, where what a checkpoint lacks is else taken for frozen and left out."""
    none, shared = (
        partial(helix, delta=delta, original_max_position_embeddings=64)
        for delta in ("none", "shared")
    )
    heads = {"num_attention_heads": 8}
    cases = [
        (none, shared, {}, r"helix holds nothing learned, this task's delta \[32\]"),
        (shared, none, {}, r"helix holds delta \[32\], this task's nothing learned"),
        (LEARNED["gene"], LEARNED["gene"], heads, r"base_coef \[4, 32\].*'s base_coef \[8, 16\]"),
    ]
    for before, now, overwrites, message in cases:
        checkpoint = saved(tiny_task(before, **way))
        task = tiny_task(now, config_overwrites=overwrites, **way)
        with pytest.raises(ValueError, match=message):
            task.on_load_checkpoint(checkpoint)


def test_a_full_checkpoint_says_what_it_has_learned_to_lora(tiny_task):
    checkpoint = saved(tiny_task(LEARNED["gene"]))
    tiny_task(LEARNED["gene"], use_peft=True).on_load_checkpoint(checkpoint)


def test_an_upstream_checkpoint_loads(tiny_task):
    checkpoint = saved(tiny_task(None))
    assert METHOD not in checkpoint
    task = tiny_task(LEARNED["clex"])
    start = [p.detach().clone() for p in learned_parameters(task)]
    task.on_load_checkpoint(checkpoint)
    task.load_state_dict(checkpoint["state_dict"], strict=True)
    assert all(map(torch.equal, start, learned_parameters(task)))


def test_a_group_of_their_own(tiny_task):
    task = tiny_task(partial(LEARNED["clex"], lr_multiplier=10.0))
    others, learned = task.configure_optimizers()["optimizer"].param_groups
    assert learned["params"] == learned_parameters(task)
    assert learned["lr"] == pytest.approx(10 * others["lr"])
    assert learned["weight_decay"] == 0.0
    assert others["weight_decay"] > 0
    everything = {id(p) for p in task.parameters() if p.requires_grad}
    assert {id(p) for g in (others, learned) for p in g["params"]} == everything


def test_one_group_when_nothing_is_learned(tiny_task):
    task = tiny_task(partial(yarn, original_max_position_embeddings=64))
    assert len(task.configure_optimizers()["optimizer"].param_groups) == 1


def test_only_the_rotary_parameters_train_in_a_frozen_encoder(tiny_task):
    task = tiny_task(LEARNED["gene"], frozen=True)
    encoder = [n for n, p in task.backbone.encoder.named_parameters() if p.requires_grad]
    assert encoder == ["rotary_pos_emb.base_coef", "rotary_pos_emb.specific_coef"]


@pytest.mark.parametrize("method", LEARNED)
def test_no_stale_frequencies_after_a_step(tiny_task, method):
    task = tiny_task(LEARNED[method])
    with torch.no_grad():
        before = hidden_of(task)
        again = hidden_of(task)
    assert torch.equal(before, again), "evaluation never draws"
    for parameter in task.parameters():
        parameter.requires_grad_(False)
    for parameter in learned_parameters(task) or rotary_embedding(task).parameters():
        parameter.requires_grad_(True)
    step(task)
    with torch.no_grad():
        assert not torch.equal(hidden_of(task), before)


@pytest.mark.parametrize("method", LEARNED)
def test_recomputed_layers_see_the_same_draw(tiny_task, method):
    outcomes = []
    for checkpointing in (False, True):
        task = tiny_task(partial(LEARNED[method], seed=3)).train()
        rotary_embedding(task).step = 5
        if checkpointing:
            base_encoder(task.backbone).gradient_checkpointing_enable({"use_reentrant": False})
        loss = loss_of(task)
        loss.backward()
        outcomes.append([loss.detach(), *(p.grad for p in task.backbone.encoder.parameters())])
    for plain, recomputed in zip(*outcomes, strict=True):
        torch.testing.assert_close(plain, recomputed, rtol=1e-6, atol=1e-9)


def test_the_draw_depends_on_seed_and_step(tiny_task):
    task = tiny_task(partial(LEARNED["gene"], seed=3)).train()
    embedding = rotary_embedding(task)
    draws = []
    for number in range(20):
        embedding.step = number
        draws.append(embedding.drawn(66))
    assert len(set(draws)) > 2
    embedding.step = 7
    assert embedding.drawn(66) == draws[7]
