# SPDX-License-Identifier: Apache-2.0
"""Two processes that share every sequence, against one that has it whole."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelgenerator.long_context.context_parallel import TokenShards, divide


class Group:
    """As much of a process group as dividing needs."""

    def __init__(self, size, rank):
        self.size, self.rank = lambda: size, lambda: rank


@given(tokens=st.integers(0, 500), processes=st.integers(1, 16))
def test_parts_are_even_and_whole(tokens, processes):
    sizes = divide(tokens, Group(processes, 0)).sizes
    assert sum(sizes) == tokens
    assert len(sizes) == processes
    assert max(sizes) - min(sizes) <= 1


def test_each_process_has_its_own_part():
    import torch

    x = torch.arange(7)
    parts = [TokenShards(Group(3, rank), (3, 2, 2)).own(x, 0).tolist() for rank in range(3)]
    assert parts == [[0, 1, 2], [3, 4], [5, 6]]


TOGETHER = """
import sys
from functools import partial
import torch
import torch.distributed as dist
from modelgenerator.backbones.positional import gene, helix, yarn
from modelgenerator.long_context.backbones import aido_dna_tiny
from modelgenerator.long_context.callbacks import GradientCheckpointing
from modelgenerator.long_context.context_parallel import divide, gather, to_heads, to_tokens
from modelgenerator.long_context.installation import base_encoder
from modelgenerator.tasks import Embed

rank, store = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)

whole = torch.randn(2, 4, 9, 3, generator=torch.Generator().manual_seed(0))
shards = divide(9, dist.group.WORLD)
mine = shards.own(whole, 2)
heads = to_heads(mine, shards)
assert torch.equal(heads, whole[:, 2 * rank : 2 * rank + 2])
assert torch.equal(to_tokens(heads, shards), mine)
assert torch.equal(gather(mine[:, 0], shards), whole[:, 0])


def outcome(pe, padded, checkpointing, group):
    torch.manual_seed(0)
    overwrites = {"num_hidden_layers": 2}
    task = Embed(partial(aido_dna_tiny, from_scratch=True, config_overwrites=overwrites), pe=pe)
    task.configure_model()
    task.train()
    model = base_encoder(task.backbone)
    model.context_parallel_group = group
    if checkpointing:
        GradientCheckpointing().on_fit_start(None, task)
    ids = torch.randint(5, 9, (2, 131), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    if padded:
        mask[1, 90:] = 0
    hidden = task.backbone(ids, mask, all_hidden_states=True)
    loss = (hidden.last_hidden_state * torch.linspace(-1, 1, 256)).square().mean()
    loss.backward()
    gradients = [p.grad for p in model.parameters()]
    if group is not None:  # as DDP does
        for gradient in gradients:
            dist.all_reduce(gradient)
            gradient /= 2
    return [loss.detach(), *(h.detach() for h in hidden.hidden_states), *gradients]


methods = {
    "yarn": partial(yarn, factor=4.0, dynamic=True, original_max_position_embeddings=64),
    "gene": partial(gene, learnable=True, original_max_position_embeddings=64),
    "helix": partial(helix, kappa="per_layer", original_max_position_embeddings=64),
}
for name, pe in methods.items():
    for padded, checkpointing in ((False, False), (True, False), (True, True)):
        alone = outcome(pe, padded, checkpointing, None)
        shared = outcome(pe, padded, checkpointing, dist.group.WORLD)
        for one, two in zip(alone, shared, strict=True):
            torch.testing.assert_close(two, one, rtol=2e-4, atol=1e-6)
    print("equal", name, len(alone))
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_give_what_one_does(tmp_path):
    """Loss, hidden states and gradients, also of learned frequencies, of padded batches and with
    recomputed layers; 131 tokens do not divide evenly."""
    (tmp_path / "together.py").write_text(TOGETHER)
    ranks = [
        subprocess.Popen(
            [sys.executable, tmp_path / "together.py", str(rank), str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in ranks:
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err[-3000:]
        assert [line.split()[:2] for line in out.splitlines()[-3:]] == [
            ["equal", "yarn"],
            ["equal", "gene"],
            ["equal", "helix"],
        ]
