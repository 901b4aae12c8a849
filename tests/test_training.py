# SPDX-License-Identifier: Apache-2.0
"""Resuming, several processes and sharding, with the methods that draw and learn."""

import csv
import json
import random
import socket
import subprocess
import sys
import textwrap

import pytest
import torch

pytestmark = pytest.mark.slow
LEARNED = ("gene", "clex")
WAYS = {
    "full": [],
    # No dropout: its generator is torch's, which Lightning's checkpoints do not keep.
    "lora": [
        "--model.backbone.use_peft", "true", "--model.backbone.lora_dropout", "0",
        "--model.strict_loading", "false",
    ],
}  # fmt: skip


def arguments(method, *options):
    """A learned method's config made small, its parameters learning fast enough to be seen."""
    return [
        "--config", f"configs/{method}_16x.yaml", "--config", "configs/tiny.yaml",
        "--model.pe.lr_multiplier", "10",
        "--model.lr_scheduler", "modelgenerator.lr_schedulers.ConstantWithWarmup",
        "--model.lr_scheduler.num_warmup_steps", "1",
        "--data.window", "512", "--data.copies_per_window", "1", "--data.test_copies", "false",
        "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false",
        *options,
    ]  # fmt: skip


def fit(mgen, folder, method, steps, *options):
    """Train with the given `mgen`; the last checkpoint is one of the middle of an epoch."""
    mgen("fit", *arguments(
        method, "--data.lengths", "[512]", "--trainer.max_steps", str(steps),
        "--trainer.callbacks.dirpath", str(folder / "weights"),
        "--trainer.callbacks.every_n_train_steps", "1", "--trainer.log_every_n_steps", "1",
        "--trainer.logger.save_dir", str(folder), "--trainer.logger.name", "log", *options,
    ))  # fmt: skip
    return folder / "weights" / "last.ckpt"


def free_port():
    """A port that is free now and that nobody is given: below those for outgoing connections.

    Lightning's own choice is one of the latter, and now and then taken before it is used.
    """
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("no free port")


@pytest.fixture
def mgen_process(run):
    """`mgen` in a process of its own."""

    def mgen(*arguments):
        done = run("mgen", *arguments, MASTER_PORT=str(free_port()))
        assert done.returncode == 0, done.stderr[-4000:]

    return mgen


def losses(folder):
    """Training loss by step, over all runs that logged there."""
    found = {}
    for log in sorted(folder.glob("log/version_*/metrics.csv")):
        for row in csv.DictReader(log.open()):
            found[int(row["step"])] = float(row["train_loss"])
    return found


def learned(checkpoint):
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    return {name: value for name, value in state.items() if "rotary_pos_emb" in name}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", LEARNED)
def test_a_resumed_run_is_the_unbroken_one_and_is_tested_at_16x(
    mgen, mgen_process, tmp_path, method, way
):
    """The same windows, the same draws, the same losses; resumed in a process of its own."""
    unbroken, broken, way = tmp_path / "unbroken", tmp_path / "broken", WAYS[way]
    last = fit(mgen, unbroken, method, 4, *way)
    first = fit(mgen, broken, method, 2, *way)
    resumed = fit(mgen_process, broken, method, 4, "--ckpt_path", str(first), *way)
    expected, found = losses(unbroken), losses(broken)
    assert sorted(expected) == sorted(found) == [0, 1, 2, 3]
    for step, loss in expected.items():
        assert found[step] == pytest.approx(loss, rel=1e-5), f"step {step}"
    assert len({round(loss, 5) for loss in expected.values()}) == 4
    for name, value in learned(last).items():
        torch.testing.assert_close(learned(resumed)[name], value, rtol=1e-4, atol=1e-7)
        assert value.abs().max() > 0, "trained"

    results = tmp_path / "results.json"
    mgen("test", *arguments(
        method, "--data.lengths", "[512, 8192]", "--data.eval_windows", "1",
        "--trainer.logger", "false", "--ckpt_path", last, "--model.results", results, *way,
    ))  # fmt: skip
    result = json.loads(results.read_text())
    assert (result["method"], result["factor"], result["steps"]) == (method, 16.0, 4)
    assert result["learned_parameters"] == sum(v.numel() for v in learned(last).values())
    values = {(row["metric"], row["length"]): row["value"] for row in result["results"]}
    for length in (512, 8192):
        assert 1.0 < values["perplexity", length] < 4.5, "4 is guessing"


def test_two_processes_are_one_with_the_whole_batch(mgen, mgen_process, tmp_path):
    """Same loss, same learned parameters on both ranks; the checkpoint loads in one process."""
    one, two = tmp_path / "one", tmp_path / "two"
    alone = fit(mgen, one, "gene", 3, "--data.batch_size", "2")
    both = fit(
        mgen_process, two, "gene", 3, "--data.batch_size", "1",
        "--trainer.devices", "2", "--trainer.strategy", "ddp",
    )  # fmt: skip
    expected, found = losses(one), losses(two)
    assert len(expected) == 3
    for step, loss in expected.items():
        assert found[step] == pytest.approx(loss, rel=1e-4), f"step {step}"
    for name, value in learned(alone).items():
        torch.testing.assert_close(learned(both)[name], value, rtol=1e-3, atol=1e-6)
        assert value.abs().max() > 0, "trained"
    fit(mgen, tmp_path / "on", "gene", 4, "--data.batch_size", "2", "--ckpt_path", str(both))


SHARDED = """
import sys
from functools import partial
import torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from modelgenerator.backbones.positional import gene
from modelgenerator.long_context.backbones import aido_dna_tiny
from modelgenerator.long_context.installation import base_encoder, rotary_embedding
from modelgenerator.tasks import Embed

rank, store = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
pe = partial(gene, learnable=True, original_max_position_embeddings=64)


def make():
    torch.manual_seed(0)
    overwrites = {"num_hidden_layers": 2}
    task = Embed(partial(aido_dna_tiny, from_scratch=True, config_overwrites=overwrites), pe=pe)
    task.configure_model()
    return task.train()


def loss_and_gradients(task):
    rotary_embedding(task).step = 3
    ids = torch.randint(5, 9, (1, 130), generator=torch.Generator().manual_seed(0))
    loss = task.backbone(ids, torch.ones_like(ids)).last_hidden_state.square().mean()
    loss.backward()
    found = {}
    for name, parameter in task.backbone.encoder.named_parameters():
        gradient = parameter.grad
        found[name] = gradient.full_tensor() if isinstance(gradient, DTensor) else gradient
    return loss.detach(), found

whole = loss_and_gradients(make())
task = make()
model = base_encoder(task.backbone)
for layer in model.encoder.layer:
    fully_shard(layer)
fully_shard(model)
assert all(isinstance(p, DTensor) for p in model.parameters())
sharded = loss_and_gradients(task)
torch.testing.assert_close(sharded[0], whole[0])
for name, gradient in whole[1].items():
    torch.testing.assert_close(sharded[1][name], gradient, rtol=1e-4, atol=1e-6)
print("equal", len(whole[1]))
dist.destroy_process_group()
"""


def test_a_sharded_encoder_gives_the_same_gradients(tmp_path):
    """Torch's own `fully_shard` over gloo: Lightning refuses FSDP without a GPU."""
    (tmp_path / "sharded.py").write_text(textwrap.dedent(SHARDED))
    ranks = [
        subprocess.Popen(
            [sys.executable, tmp_path / "sharded.py", str(rank), str(tmp_path / "store")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in ranks:
        out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err[-3000:]
        assert "equal" in out
