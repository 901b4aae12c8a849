# SPDX-License-Identifier: Apache-2.0
import pickle
import re

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from jsonargparse import ArgumentParser
from lightning.pytorch.callbacks import ModelCheckpoint

from modelgenerator.data.base import DataInterface
from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.data.examples import COLUMNS

COPIES = dict(copies_per_window=2, copy_min_length=8, copy_max_length=16)


@pytest.fixture
def module(genome_file):
    """A data module over the small genome; arguments replace the defaults."""

    def make(stage=None, **arguments):
        defaults = dict(
            fasta=str(genome_file), window=256, train_windows=12, batch_size=4, pin_memory=False
        )
        data = GenomeWindows(**{**defaults, **arguments})
        if stage:
            data.prepare_data()
            data.setup(stage)
        return data

    return make


def batches(loader):
    """All batches as plain values, to be compared."""
    return [
        {key: value.tolist() if torch.is_tensor(value) else value for key, value in batch.items()}
        for batch in loader
    ]


def intervals(loader):
    """(record, start, stop) of every window."""
    found = []
    for batch in loader:
        for name in batch["ids"]:
            record, interval = name.removesuffix("(-)").split(":")
            found.append((record, *map(int, interval.split("-"))))
    return found


def test_a_batch(module):
    data = module("fit", **COPIES, copy_share=0.5)
    batch = next(iter(data.train_dataloader()))
    assert tuple(batch) == COLUMNS
    assert data.provided_columns == list(COLUMNS)
    assert isinstance(data, DataInterface)
    for name in ("input_ids", "attention_mask", "labels"):
        assert (batch[name].dtype, batch[name].shape) == (torch.int64, (4, 258))
    assert (batch["copy_kind"].dtype, batch["copy_kind"].shape) == (torch.int8, (4, 258))
    assert (batch["copy_distance"].dtype, batch["copy_distance"].shape) == (torch.int32, (4, 258))
    assert batch["attention_mask"].all()
    assert [len(sequence) for sequence in batch["sequences"]] == [256] * 4


@pytest.mark.parametrize("num_workers", [1, 2])
def test_workers_change_nothing(module, num_workers):
    arguments = dict(**COPIES, copy_share=0.5, lengths=[256, 512], eval_windows=2)
    alone, helped = module(**arguments), module(**arguments, num_workers=num_workers)
    for data in (alone, helped):
        data.setup()
    assert batches(alone.train_dataloader()) == batches(helped.train_dataloader())
    assert batches(alone.val_dataloader()) == batches(helped.val_dataloader())
    for one, two in zip(alone.test_dataloader(), helped.test_dataloader(), strict=True):
        assert batches(one) == batches(two)


class Ranks:
    """As much of a trainer as a data module asks about."""

    current_epoch = 2

    def __init__(self, num_replicas, rank):
        self.distributed_sampler_kwargs = dict(num_replicas=num_replicas, rank=rank)


def test_ranks_share_the_windows_of_one_run(module):
    def ids(num_replicas, rank, batch_size):
        data = module("fit", batch_size=batch_size)
        data.trainer = Ranks(num_replicas, rank)
        return [batch["ids"] for batch in data.train_dataloader()]

    whole = ids(1, 0, 4)
    parts = zip(ids(2, 0, 2), ids(2, 1, 2), strict=True)
    assert [sorted(step) for step in whole] == [sorted(one + two) for one, two in parts]


def test_epochs_differ_and_evaluation_does_not(module):
    data = module("fit")
    data.trainer = Ranks(1, 0)
    third = batches(data.train_dataloader())
    data.trainer.current_epoch = 3
    assert not set(sum((b["ids"] for b in third), [])) & set(
        sum((b["ids"] for b in batches(data.train_dataloader())), [])
    )
    assert batches(data.val_dataloader()) == batches(data.val_dataloader())


def test_splits_lie_a_window_apart(module):
    data = module(window=64, lengths=[64, 512], train_windows=3_000, block=1_024, batch_size=64)
    data.setup()
    used = {
        "train": intervals(data.train_dataloader()),
        "valid": intervals(data.val_dataloader()),
        "test": intervals(data.test_dataloader()[-1]),
    }
    for one, two in (("train", "valid"), ("train", "test"), ("valid", "test")):
        for record in ("chr1", "chr2"):
            first = np.array([w[1:] for w in used[one] if w[0] == record]).reshape(-1, 2)
            second = np.array([w[1:] for w in used[two] if w[0] == record]).reshape(-1, 2)
            after = second[None, :, 0] - first[:, None, 1]
            before = first[:, None, 0] - second[None, :, 1]
            assert np.maximum(after, before).min(initial=10**9) >= 512


def test_test_sets_score_the_same_bases_at_every_length(module):
    data = module("test", lengths=[128, 256, 1_024], **COPIES)
    assert data.test_sets == [
        (kind, length) for length in (128, 256, 1_024) for kind in ("natural", "copies")
    ]
    scored = []
    for (kind, length), loader in zip(data.test_sets, data.test_dataloader(), strict=True):
        found = set()
        for batch in loader:
            assert batch["input_ids"].shape[1] == length + 2
            assert (batch["copy_kind"] > 0).any(dim=1).all() == (kind == "copies")
            for row, name in enumerate(batch["ids"]):
                start = int(name.split(":")[1].split("-")[0])
                masked = torch.nonzero(batch["labels"][row, 1:-1] != -100)[:, 0]
                found |= {(name.split(":")[0], start + at) for at in masked.tolist()}
        if kind == "natural":
            scored.append(found)
    assert scored[0] == scored[1] == scored[2]
    assert len(scored[0]) > 100


def test_copies_scale_with_length_and_batches_hold_as_many_bases(module):
    data = module("test", lengths=[64, 256, 1_024], **COPIES, batch_size=8)
    planted = {d.length: d.planting.count for d in data.test_datasets}
    assert planted == {64: 1, 256: 2, 1_024: 8}  # half a copy still is one
    sizes = {loader.dataset.length: loader.batch_size for loader in data.test_dataloader()}
    assert sizes == {64: 32, 256: 8, 1_024: 2}
    assert module("test", lengths=[8_192], batch_size=8).test_dataloader()[0].batch_size == 1


@pytest.mark.parametrize("arguments", [{}, {**COPIES, "test_copies": False}])
def test_natural_windows_alone(module, arguments):
    assert module(**arguments).test_sets == [("natural", 256)]


def test_eval_windows_is_counted_in_bases_of_the_longest(module):
    data = module(window=128, lengths=[128, 1_024], eval_windows=2)
    data.setup()
    assert [len(dataset) for dataset in data.test_datasets] == [16, 2]
    assert len(data.val_dataset) == 16
    assert len(data.predict_dataset) == 16


def test_predict_runs_over_the_natural_test_windows_of_window(module):
    data = module(window=128, lengths=[128, 1_024], **COPIES)
    data.setup()
    assert batches(data.predict_dataloader()) == batches(data.test_dataloader()[0])
    other = module("predict", window=100, lengths=[1_024])  # 100 does not divide 1,024
    assert {stop - start for _, start, stop in intervals(other.predict_dataloader())} == {100}


def test_other_genomes_to_test_on(module, write_fasta, random_dna):
    other = write_fasta({"phage": random_dna(2_000, 9), "tiny": "ACGT"}, "other.fa")
    data = module("test", test_fasta=str(other), lengths=[512])
    assert intervals(data.test_dataloader()[0]) == [
        ("phage", start, start + 512) for start in (0, 512, 1_024)
    ]


def test_without_validation(module):
    data = module("fit", valid_share=0.0)
    assert data.val_dataloader() == []


def test_describe_names_files_without_their_folders(module, genome_file):
    data = module("fit")
    found = data.describe()
    assert found["fasta"] == ["genome.fa"]
    assert (found["window"], found["copy_mask_rate"]) == (256, 0.15)
    assert found["fasta_bases"] == 70_003 + 30_000 + 80
    assert len(found["fasta_digest"]) == 16
    assert str(genome_file.parent) not in str(found)


def test_a_pickled_module_is_small_and_gives_the_same_batches(module):
    data = module("fit")
    data.trainer = Ranks(1, 0)
    pickled = pickle.dumps(data)
    assert len(pickled) < 20_000
    copy = pickle.loads(pickled)
    data.trainer = None
    assert batches(copy.train_dataloader()) == batches(data.train_dataloader())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(window=0), "window: 0; give at least 1."),
        (dict(lengths=[100, 256]), "lengths: 256 is no multiple of 100."),
        (dict(block=255), "block: 255; give at least 256"),
        (dict(mask_rate=0.0), "mask_rate: 0.0; give a rate above 0"),
        (dict(copy_mask_rate=2.0), "copy_mask_rate: 2.0; give a rate above 0"),
        (dict(valid_share=0.6, test_share=0.5), "sum to 1.1; the sum must stay below 1"),
        (dict(train_windows=0), "train_windows: 0; give at least 1."),
        (dict(eval_windows=0), "eval_windows: 0; give at least 1."),
        (dict(batch_size=0), "batch_size: 0; give at least 1."),
        (dict(random_seed=-1), "random_seed: -1; give at least 0."),
        (dict(copies_per_window=-1), "copies_per_window: -1; give at least 0."),
        (dict(copy_share=0.5), "copy_share: 0.5, but copies_per_window is 0."),
        (dict(copies_per_window=1, copy_max_length=129), "a window of 256 with 1 copies"),
        (dict(copies_per_window=1, lengths=[16, 256]), "a window of 16 with 1 copies"),
    ],
)
def test_arguments_are_refused_before_data_is_read(module, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        module(fasta="no such file", **arguments)


@pytest.mark.parametrize(
    ("stage", "arguments", "message"),
    [
        ("fit", dict(fasta="none/*.fa"), "fasta: none/*.fa fits no file"),
        ("test", dict(test_fasta="none.fa"), "test_fasta: none.fa fits no file"),
        ("fit", dict(window=80_000), "no sequence is as long as the longest window, 80,000 bases"),
        ("test", dict(test_share=0.0), "The test split is empty: none of its blocks holds"),
        ("fit", dict(window=35_000), "split is empty"),
    ],
)
def test_data_that_will_not_do(module, stage, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        module(stage, **arguments)


def test_protein_is_refused_when_data_is_prepared(module, write_fasta):
    data = module(fasta=str(write_fasta({"p53": "MEEPQSDPSV"}, "p53.fa")))
    with pytest.raises(ValueError, match=r"p53.fa, record 'p53' looks like protein: 'E'"):
        data.prepare_data()


def test_the_command_line_knows_every_argument(genome_file, capsys):
    parser = ArgumentParser()
    parser.add_subclass_arguments(DataInterface, "data")
    config = parser.parse_args(
        [
            "--data=modelgenerator.long_context.data.GenomeWindows",
            f"--data.fasta=['{genome_file}']",
            "--data.window=512",
            "--data.lengths=[512, 1024]",
            "--data.copy_share=0.5",
            "--data.copies_per_window=2",
            "--data.batch_size=3",
        ]
    )
    assert "path" not in config.data.init_args  # upstream's loader of tables is not used
    data = parser.instantiate_classes(config).data
    assert (data.lengths, data.batch_size, data.copy_share) == ([512, 1_024], 3, 0.5)
    with pytest.raises(SystemExit):
        parser.parse_args(["--data.help=modelgenerator.long_context.data.GenomeWindows"])
    texts = " ".join(capsys.readouterr().out.split())
    assert "Probability of a base to be masked. (type: float, default: 0.15)" in texts
    for name in config.data.init_args.as_dict():
        assert f"--data.{name} " in texts


class Recorder(pl.LightningModule):
    """Trains nothing, and remembers the windows it saw."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def training_step(self, batch):
        self.seen.append((self.current_epoch, *batch["ids"]))
        return self.weight.sum()

    def validation_step(self, batch):
        pass

    def test_step(self, batch, batch_idx, dataloader_idx=0):
        self.seen.append((dataloader_idx, batch["input_ids"].shape[1] - 2))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def trainer(**arguments):
    return pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"enable_checkpointing": False, **arguments},
    )


@pytest.mark.parametrize(("steps", "num_workers"), [(4, 0), (6, 0), (4, 1)])
def test_an_interrupted_run_goes_on_with_the_windows_it_would_have_seen(
    module, tmp_path, steps, num_workers
):
    unbroken = Recorder()
    trainer(max_epochs=3).fit(unbroken, module())
    assert len(set(unbroken.seen)) == 9  # 3 steps an epoch, no window twice
    saving = ModelCheckpoint(tmp_path, every_n_train_steps=steps, filename="half")
    first, second = Recorder(), Recorder()
    trainer(max_epochs=3, max_steps=steps, enable_checkpointing=True, callbacks=[saving]).fit(
        first, module(num_workers=num_workers)
    )
    trainer(max_epochs=3).fit(
        second, module(num_workers=num_workers), ckpt_path=tmp_path / "half.ckpt"
    )
    assert first.seen + second.seen == unbroken.seen


def test_lightning_runs_the_test_sets_in_order(module):
    model = Recorder()
    data = module(lengths=[128, 512], **COPIES, eval_windows=1)
    trainer().test(model, data)
    lengths = [data.test_sets[index][1] for index, _ in model.seen]
    assert lengths == [length for _, length in model.seen]
    assert sorted({index for index, _ in model.seen}) == [0, 1, 2, 3]


def test_train_seed_changes_training_windows_alone(module):
    def drawn(loader):
        return [batch["input_ids"] for batch in loader]

    one, other = (module("fit", train_seed=seed) for seed in (1, 2))
    assert not torch.equal(drawn(one.train_dataloader())[0], drawn(other.train_dataloader())[0])
    torch.testing.assert_close(drawn(one.val_dataloader()), drawn(other.val_dataloader()))
    assert np.array_equal(one.parts.test, other.parts.test)
    assert module("fit", random_seed=7).train_seed == 7


@pytest.mark.parametrize("name", ["window", "mask_rate", "copies_per_window", "valid_share"])
def test_null_where_it_stands_for_nothing_is_refused_by_name(tmp_path, name):
    """The command line lets null through for any type."""
    options = {"fasta": str(tmp_path / "a.fa"), "window": 64, name: None}
    with pytest.raises(ValueError, match=f"^{name}: null; give a value"):
        GenomeWindows(**options)
