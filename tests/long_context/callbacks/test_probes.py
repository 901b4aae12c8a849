# SPDX-License-Identifier: Apache-2.0
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.callbacks import Probes
from modelgenerator.long_context.data.labelled import Species
from modelgenerator.long_context.data.labelled_windows import NucleotideWindows
from modelgenerator.long_context.evaluation.embeddings import embed
from modelgenerator.long_context.evaluation.probes import probe
from modelgenerator.tasks import Embed

ROPE = partial(rope, original_max_position_embeddings=64)


@pytest.fixture
def species(tmp_path):
    """Two genomes of random letters; those of the second hold more G and C, or not."""

    def make(gc=0.7, **options):
        rng = np.random.default_rng(1)
        for name, share in (("poor", 0.3), ("rich", gc)):
            weights = [(1 - share) / 2, share / 2, share / 2, (1 - share) / 2]
            letters = "".join(rng.choice(list("ACGT"), 20_000, p=weights))
            (tmp_path / f"{name}{gc}.fa").write_text(f">{name}\n{letters}\n")
        options = {
            "window": 256, "lengths": [64, 256], "block": 1024, "test_share": 0.4,
            "train_windows": 60, "eval_windows": 20, "batch_size": 4, "max_shared": 1.0, **options,
        }  # fmt: skip
        return Species({n: str(tmp_path / f"{n}{gc}.fa") for n in ("poor", "rich")}, **options)

    return make


def rows_of(task):
    return {(row["task"], row["length"]): row for row in task.extra_results["probes"]}


def test_a_label_is_read_off_the_encoder_at_every_length(tiny_task, run_test, species):
    """Composition tells the first task; nothing tells the second, two genomes alike."""
    probes = Probes({"gc": species(), "alike": species(gc=0.3)})
    rows = rows_of(run_test(tiny_task(ROPE), probes))
    assert set(rows) == {(task, n) for task in ("gc", "alike") for n in (64, 256)}
    for (task, length), row in rows.items():
        assert (row["metric"], row["n_train"]) == ("accuracy", 60)
        assert 16 <= row["n_test"] <= 20
        if task == "gc" and length == 256:
            assert row["value"] > 0.9
            assert row["baseline"] > 0.9
        if task == "alike":
            assert row["value"] < 0.9
        assert 0.3 < row["majority"] < 0.7


def test_the_windows_of_a_length_are_what_is_embedded(tiny_task, run_test, species):
    """The same number from the parts, put together by hand on a data module of that length."""
    task = tiny_task(ROPE)
    rows = rows_of(run_test(task, Probes({"gc": species()}, strength=1.0)))
    short, both = species(window=64, lengths=[64, 256], valid_share=0.0), species()
    short.setup("fit")
    both.setup("test")
    assert short.train_dataset[3]["input_ids"].shape == (66,)
    train, test = (
        embed(task, DataLoader(dataset, batch_size=5))
        for dataset in (short.train_dataset, both.test_datasets[0])
    )
    assert rows["gc", 64]["value"] == probe(train, test, strength=1.0)["accuracy"]


def test_embeddings_are_kept_where_a_folder_is_given(tiny_task, run_test, species, tmp_path):
    task, cache = tiny_task(ROPE), tmp_path / "cache"
    first = rows_of(run_test(task, Probes({"gc": species()}, cache=str(cache))))
    assert len(list(cache.glob("*.safetensors"))) == 4
    with torch.no_grad():  # the second run reads: nothing runs this encoder
        task.backbone.forward = None
        again = Probes({"gc": species()}, cache=str(cache))
        again.on_test_epoch_end(task.trainer, task)
    assert rows_of(task) == first


def test_bad_input_is_refused(tiny_task, run_test, species):
    class Bases(NucleotideWindows):
        def __init__(self):
            pass

    with pytest.raises(ValueError, match="Probes.tasks: none given"):
        Probes({})
    with pytest.raises(ValueError, match=r"bases \(Bases\) has a label for every base"):
        Probes({"bases": Bases()})
    with pytest.raises(ValueError, match="gc has window 256 above its longest length, 64"):
        Probes({"gc": species(lengths=[64])})
    with pytest.raises(ValueError, match="the task is Embed"):
        Probes({"gc": species()}).on_test_start(None, tiny_task(ROPE, task=Embed))
