# SPDX-License-Identifier: Apache-2.0
"""The count against torch's own tracker of a real training step."""

import weakref
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import is_tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from modelgenerator.backbones.positional import yarn
from modelgenerator.long_context.memory import KEPT, TrainingStep, peak_memory

PE = partial(yarn, factor=16.0, original_max_position_embeddings=512)
TINY = TrainingStep(4, 256, 704, 4, parameters=3_200_000, trained=3_200_000)
AIDO_DNA_300M = TrainingStep(24, 1024, 2816, 16, 310_000_000, 310_000_000, compute_bytes=2)


def test_by_hand():
    step = TrainingStep(2, 8, 16, 2, parameters=100, trained=40)
    # a layer keeps, in numbers a token: 2 x 8 of normalisations, 3 x 8 q k v, 8 attention, 2 sums,
    # 2 x 8 inputs of products, 4 x 16 feed-forward
    expected = {
        "weights": 400,
        "gradients": 160,
        "optimizer": 320,
        "activations": 10 * 4 * (2 * (16 + 24 + 8 + 2 + 16 + 64) + 8),
        "transient": 10 * 4 * (2 * 16 + 8),
    }
    assert peak_memory(step, tokens=10) == expected


@given(tokens=st.integers(1, 100_000))
def test_what_is_kept_less_takes_less(tokens):
    totals = [sum(peak_memory(AIDO_DNA_300M._replace(kept=kept), tokens).values()) for kept in KEPT]
    assert totals == sorted(totals, reverse=True)
    lora = AIDO_DNA_300M._replace(trained=1_600_000, linear_trained=False)
    assert sum(peak_memory(lora, tokens).values()) < totals[0]


def test_sharding_divides_weights_not_activations():
    alone, four = peak_memory(TINY, 64), peak_memory(TINY._replace(processes=4), 64)
    assert four["weights"] * 4 == alone["weights"]
    assert four["optimizer"] * 4 == alone["optimizer"]
    assert four["activations"] == alone["activations"]


def test_weights_in_bfloat16_make_gradients_and_optimiser_half_as_large():
    full, half = (peak_memory(TINY._replace(weight_bytes=n, compute_bytes=n), 64) for n in (4, 2))
    for name in ("weights", "gradients", "optimizer"):
        assert half[name] * 2 == full[name]
    assert peak_memory(TINY._replace(moments=0), 64)["optimizer"] == 0


def test_unknown_kept_is_refused():
    with pytest.raises(ValueError, match="kept='some' is not allowed: give one of everything"):
        peak_memory(TINY._replace(kept="some"), 10)


def encoder_step(task, tokens, precision):
    """One forward pass; the sum of the last hidden states."""
    ids = torch.zeros(1, tokens, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        return task.backbone(ids, None).last_hidden_state.sum()


def step_of(task, precision, kept="everything"):
    parameters = list(task.backbone.parameters())
    return TrainingStep(
        layers=2, width=256, intermediate=704, heads=4,
        parameters=sum(p.numel() for p in parameters),
        trained=sum(p.numel() for p in parameters if p.requires_grad),
        compute_bytes=4 if precision == "float32" else 2,
        kept=kept, linear_trained=all(p.requires_grad for p in parameters),
        differentiated=any(p.requires_grad for p in task.backbone.encoder.parameters()),
    )  # fmt: skip


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("way", ["full", "lora"])
def test_activations_are_what_autograd_keeps(tiny_task, way, precision):
    task = tiny_task(PE, use_peft=way == "lora", lora_dropout=0.0).train()
    weights = {p.untyped_storage().data_ptr() for p in task.parameters()}
    kept = {}

    def keep(tensor):
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = encoder_step(task, 2048, precision)
    assert loss.requires_grad
    step = step_of(task, precision)
    counted = peak_memory(step, 2048)["activations"]
    if precision == "bfloat16":
        counted += 2 * step.parameters  # copies of the weights are kept as well
    print(way, precision, counted / sum(kept.values()))
    assert counted == pytest.approx(sum(kept.values()), rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kept", KEPT)
def test_the_count_is_the_peak_of_a_step(tiny_task, kept, precision):
    """Torch's tracker sees every tensor that is made, also those of the backward pass."""
    from torch.distributed._tools.mem_tracker import MemTracker

    from modelgenerator.long_context.callbacks import GradientCheckpointing

    task = tiny_task(PE).train()
    if kept != "everything":
        GradientCheckpointing(kept).on_fit_start(None, task)
    tracker = MemTracker()
    tracker.track_external(task.backbone)
    with tracker:
        encoder_step(task, 2048, precision).backward()
    peak = tracker.get_tracker_snapshot("peak")[torch.device("cpu")]["Total"]
    counted = peak_memory(step_of(task, precision, kept), 2048)
    counted["optimizer"] = counted["gradients"] = 0  # no optimiser; hardly a gradient at the peak
    assert sum(counted.values()) == pytest.approx(peak, rel=0.15)


class Live(TorchDispatchMode):
    """Bytes of what is made and still there, at most; torch's tracker refuses frozen weights."""

    def __init__(self):
        super().__init__()
        self.now, self.peak, self.storages = 0, 0, {}

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        given = {x.untyped_storage()._cdata for x in tree_leaves((args, kwargs)) if is_tensor(x)}
        for x in filter(is_tensor, tree_leaves(result)):
            storage, key = x.untyped_storage(), x.untyped_storage()._cdata
            if key not in self.storages and key not in given:
                gone = partial(self._gone, key, storage.nbytes())
                self.storages[key] = weakref.ref(storage, gone)
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
        return result

    def _gone(self, key, size, _):
        self.now -= size
        del self.storages[key]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("way", "kept"), [("frozen", "everything"), ("use_peft", "everything"), ("use_peft", "inputs")]
)
def test_frozen_weights_take_no_more_than_is_counted(tiny_task, way, kept, precision):
    """Nothing is kept of a frozen encoder; of LoRA's frozen weights bfloat16 copies come and go."""
    from modelgenerator.long_context.callbacks import GradientCheckpointing

    lora = {"lora_dropout": 0.0} if way == "use_peft" else {}
    overwrites = {"num_hidden_layers": 6, "hidden_size": 512, "num_attention_heads": 8}
    task = tiny_task(PE, config_overwrites=overwrites, **{way: True}, **lora).train()
    if kept != "everything":
        GradientCheckpointing(kept).on_fit_start(None, task)
    head = torch.ones(512, requires_grad=True)
    with Live() as live:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            ids = torch.zeros(1, 1024, dtype=torch.long)
            loss = (task.backbone(ids, None).last_hidden_state * head).sum()
        loss.backward()
    step = step_of(task, precision, kept)._replace(layers=6, width=512, heads=8)
    counted = peak_memory(step, 1024)
    counted["optimizer"] = counted["gradients"] = 0
    counted["weights"] -= 4 * step.parameters  # made before
    assert 0.75 * live.peak < sum(counted.values()) < 1.05 * live.peak
