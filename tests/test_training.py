# SPDX-License-Identifier: Apache-2.0
"""Resuming, several processes and sharding, with the methods that draw and learn."""

import csv
import subprocess
import sys
import textwrap

import pytest
import torch

pytestmark = pytest.mark.slow
COMMON = [
    "--config", "configs/gene_16x.yaml", "--config", "configs/tiny.yaml",
    "--data.window", "512", "--data.lengths", "[512]", "--data.copies_per_window", "1",
    "--model.lr_scheduler", "modelgenerator.lr_schedulers.ConstantWithWarmup",
    "--model.lr_scheduler.num_warmup_steps", "1", "--trainer.log_every_n_steps", "1",
    "--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false",
]  # fmt: skip
METHODS = {
    "gene": [
        "--model.pe",
        "gene",
        "--model.pe.learnable",
        "true",
        "--model.pe.lr_multiplier",
        "100",
    ],
    "clex": ["--model.pe", "clex", "--model.pe.lr_multiplier", "10"],
}


def fit(run, folder, steps, *options):
    done = run(
        "mgen", "fit", *COMMON, "--trainer.max_steps", steps,
        "--trainer.callbacks.dirpath", folder / "weights",
        "--trainer.callbacks.every_n_train_steps", "1",  # in the middle of an epoch
        "--trainer.logger.save_dir", folder, "--trainer.logger.name", "log", *options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "weights" / "last.ckpt"


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


@pytest.mark.parametrize("method", METHODS)
def test_a_resumed_run_is_the_unbroken_one(run, tmp_path, method):
    """The same windows, the same draws, the same losses."""
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    fit(run, unbroken, 4, *METHODS[method])
    first = fit(run, broken, 2, *METHODS[method])
    fit(run, broken, 4, *METHODS[method], "--ckpt_path", first)
    expected, found = losses(unbroken), losses(broken)
    assert sorted(expected) == sorted(found) == [0, 1, 2, 3]
    for step, loss in expected.items():
        assert found[step] == pytest.approx(loss, rel=1e-5), f"step {step}"
    assert len({round(loss, 5) for loss in expected.values()}) == 4


def test_two_processes_are_one_with_the_whole_batch(run, tmp_path):
    """Same loss, same learned parameters on both ranks; the checkpoint loads in one process."""
    one, two = tmp_path / "one", tmp_path / "two"
    alone = fit(run, one, 3, *METHODS["gene"], "--data.batch_size", "2")
    both = fit(
        run, two, 3, *METHODS["gene"], "--data.batch_size", "1",
        "--trainer.devices", "2", "--trainer.strategy", "ddp",
    )  # fmt: skip
    expected, found = losses(one), losses(two)
    assert len(expected) == 3
    for step, loss in expected.items():
        assert found[step] == pytest.approx(loss, rel=1e-4), f"step {step}"
    for name, value in learned(alone).items():
        torch.testing.assert_close(learned(both)[name], value, rtol=1e-3, atol=1e-6)
        assert value.abs().max() > 0, "trained"
    fit(run, tmp_path / "on", 4, *METHODS["gene"], "--data.batch_size", "2", "--ckpt_path", both)


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
