# SPDX-License-Identifier: Apache-2.0
"""Windows shared by two processes, through the real `mgen`."""

import csv

import pytest

from modelgenerator.long_context.strategies import ContextParallel

SHARED = [
    "--trainer.devices", "2", "--trainer.strategy",
    "modelgenerator.long_context.strategies.ContextParallel",
]  # fmt: skip
SIZE = "--trainer.strategy.context_parallel_size"


def options(folder, *more):
    return [
        "--config", "configs/gene_16x.yaml", "--config", "configs/tiny.yaml",
        "--data.window", "512", "--data.lengths", "[512]", "--data.copies_per_window", "1",
        "--model.lr_scheduler", "modelgenerator.lr_schedulers.ConstantWithWarmup",
        "--model.lr_scheduler.num_warmup_steps", "1", "--model.pe.lr_multiplier", "100",
        "--trainer.max_steps", "3", "--trainer.log_every_n_steps", "1",
        "--trainer.callbacks.dirpath", folder, "--trainer.logger.save_dir", folder,
        "--trainer.logger.name", "log", "--trainer.enable_progress_bar", "false", *more,
    ]  # fmt: skip


def losses(folder):
    (log,) = folder.glob("log/version_*/metrics.csv")
    return [float(row["train_loss"]) for row in csv.DictReader(log.open())]


@pytest.mark.slow
def test_a_shared_window_trains_as_one_process_does(mgen, run, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    mgen("fit", *options(one))
    done = run("mgen", "fit", *options(two, *SHARED, SIZE, "2"))
    assert done.returncode == 0, done.stderr[-3000:]
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    assert len(set(losses(one))) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "size", "message"),
    [
        ("fit", "3", "context_parallel_size=3 does not divide the 1 processes: give a divisor"),
        ("test", "1", "ContextParallel is for `mgen fit`, not for test"),
    ],
)
def test_refused_before_the_first_step(mgen, tmp_path, stage, size, message):
    with pytest.raises(ValueError, match=message):
        mgen(stage, *options(tmp_path, *SHARED, SIZE, size, "--trainer.devices", "1"))


def test_size_is_checked():
    with pytest.raises(ValueError, match="context_parallel_size=0 is not allowed"):
        ContextParallel(0)


def test_processes_that_share_a_window_are_one_to_the_data():
    seen = []
    for rank in range(4):

        class Four(ContextParallel):
            world_size, global_rank = 4, rank

        seen.append(Four(2).distributed_sampler_kwargs)
    assert seen == [{"num_replicas": 2, "rank": r} for r in (0, 0, 1, 1)]
