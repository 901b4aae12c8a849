# SPDX-License-Identifier: Apache-2.0
"""Tasks with labels, through the real trainer on a small encoder."""

from functools import partial

import lightning.pytorch as pl
import pytest
import torch
from torch.utils.data import DataLoader

from modelgenerator.adapters import LinearMeanPoolAdapter
from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.adapters import LinearCentrePoolAdapter
from modelgenerator.long_context.tasks import (
    BinClassification,
    BinRegression,
    PairClassification,
    WindowClassification,
    WindowRegression,
)
from modelgenerator.long_context.tasks.bin_labels import bin_hidden

pytestmark = pytest.mark.filterwarnings("ignore")
ROPE = partial(rope, original_max_position_embeddings=512)
A, G, C, T = 5, 6, 7, 8


def window(ids):
    return torch.tensor([2, *ids, 3])


def rows(make, count=16, length=32):
    """Windows of A and C with a middle base that says the label, and labels from `make`."""
    generator = torch.Generator().manual_seed(0)
    out = []
    for i in range(count):
        ids = torch.where(torch.rand(length, generator=generator) < 0.5, A, C)
        ids[length // 2 :] = G if i % 2 else T
        row = {"input_ids": window(ids.tolist()), "attention_mask": torch.ones(length + 2)}
        row["attention_mask"] = row["attention_mask"].long()
        out.append({**row, **make(i, ids)})
    return out


class Data(pl.LightningDataModule):
    """Any rows as a data module, tested at one or several lengths."""

    def __init__(self, data, lengths=None):
        super().__init__()
        self.data, self.lengths = data, lengths
        if lengths:
            self.test_sets = [("windows", length) for length in lengths]

    def _loader(self):
        return DataLoader(self.data, batch_size=4)

    train_dataloader = _loader
    val_dataloader = _loader

    def test_dataloader(self):
        return [self._loader() for _ in self.lengths] if self.lengths else self._loader()


def train_and_test(task, data, steps=30):
    trainer = pl.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, limit_val_batches=1,
    )  # fmt: skip
    trainer.fit(task, datamodule=data)
    trainer.test(task, datamodule=data, verbose=False)
    return {name: float(value) for name, value in trainer.callback_metrics.items()}


@pytest.fixture
def make_task(tiny_task):
    def make(kind, **options):
        options = {"optimizer": partial(torch.optim.AdamW, lr=3e-3), **options}
        return tiny_task(ROPE, kind, options=options, config_overwrites={"num_hidden_layers": 1})

    return make


def test_window_classification_learns_and_reports(make_task):
    data = Data(rows(lambda i, ids: {"labels": i % 2}))
    found = train_and_test(make_task(WindowClassification), data)
    assert found["test_accuracy"] == 1.0
    assert found["test_auroc"] == 1.0
    assert found["test_auprc"] == 1.0
    assert found["test_loss"] < 0.3


def test_auprc_by_hand(make_task):
    """Ranked 1, 0, 1 from the top: precision is 1 at the first positive, 2 / 3 at the second."""
    task = make_task(WindowClassification)
    logits = torch.tensor([[0.0, 3.0], [0.0, 2.0], [0.0, 1.0]])
    task.evaluate(logits, {"labels": torch.tensor([1, 0, 1])}, "test")
    found = task.metrics["test_metrics"]["auprc"].compute().item()
    assert found == pytest.approx((1 + 2 / 3) / 2)


def test_several_lengths_are_told_apart(make_task):
    data = Data(rows(lambda i, ids: {"labels": i % 2}), lengths=[16, 32])
    found = train_and_test(make_task(WindowClassification), data, steps=2)
    assert found["test_accuracy/16"] == found["test_accuracy/32"]
    assert "test_accuracy" not in found


def test_multilabel(make_task):
    data = Data(rows(lambda i, ids: {"labels": torch.tensor([i % 2, 1 - i % 2, 1])}))
    task = make_task(WindowClassification, n_classes=3, multilabel=True)
    found = train_and_test(task, data)
    assert found["test_accuracy_0"] == found["test_accuracy_1"] == 1.0
    assert found["test_auprc"] == 1.0


def test_window_regression_learns_and_reports(make_task):
    data = Data(rows(lambda i, ids: {"labels": torch.tensor([3.0 * (i % 2), -1.0])}))
    found = train_and_test(make_task(WindowRegression, num_outputs=2), data, steps=60)
    assert found["test_pearson_0"] > 0.95
    assert found["test_mse"] < 0.3


def test_pairs_are_told_by_how_they_differ(make_task):
    def pair(i, ids):
        other = ids.clone()
        other[16] = ids[16] if i % 4 < 2 else A
        return {"pair_ids": window(other.tolist()), "labels": int(i % 4 < 2)}

    task = make_task(PairClassification, adapter=partial(LinearCentrePoolAdapter, width=4))
    assert task.adapter.linear.in_features == 2 * 256
    assert train_and_test(task, Data(rows(pair)), steps=60)["test_accuracy"] == 1.0


@pytest.mark.parametrize("bin_size", [1, 4])
def test_bins_are_labelled_and_what_is_ignored_does_not_count(make_task, bin_size):
    def label(i, ids):
        labels = ((ids == G) | (ids == T)).long()[::bin_size].clone()
        labels[: len(labels) // 4] = -100  # the first quarter has none
        return {"labels": labels}

    task = make_task(BinClassification, bin_size=bin_size)
    found = train_and_test(task, Data(rows(label)), steps=20)
    assert found["test_accuracy"] == 1.0
    assert found["test_auprc"] == pytest.approx(1.0, abs=1e-3)


def test_multiclass_bins_report_every_class(make_task):
    def label(i, ids):
        return {"labels": torch.where(ids == G, 1, torch.where(ids == T, 2, 0))}

    found = train_and_test(make_task(BinClassification, n_classes=3), Data(rows(label)), steps=20)
    assert {f"test_auprc_{c}" for c in range(3)} <= set(found)
    assert found["test_mcc"] > 0.9


def test_the_loss_of_bins_is_that_of_the_labelled_ones(make_task):
    task = make_task(BinClassification, n_classes=3)
    logits = torch.randn(2, 8, 3)
    labels = torch.full((2, 8), -100)
    labels[0, 3], labels[1, 7] = 2, 0
    found = task.evaluate(logits, {"labels": labels}, loss_only=True)["loss"]
    log_p = logits.log_softmax(-1)
    assert found.item() == pytest.approx(-(log_p[0, 3, 2] + log_p[1, 7, 0]).item() / 2, rel=1e-5)
    nothing = task.evaluate(logits, {"labels": torch.full((2, 8), -100)}, "train")["loss"]
    assert nothing.item() == 0.0


def test_bin_regression_ignores_bins_without_a_value(make_task):
    def label(i, ids):
        tracks = torch.stack([(ids == G).float(), (ids == T).float()], dim=-1)
        binned = tracks.view(8, 4, 2).mean(1)
        binned[0] = float("nan")
        return {"labels": binned}

    task = make_task(BinRegression, num_outputs=2, bin_size=4)
    found = train_and_test(task, Data(rows(label)), steps=60)
    assert found["test_pearson_1"] > 0.9
    assert not any("spearman" in name for name in found)


def test_bins_by_hand():
    hidden = torch.arange(8.0).view(1, 8, 1)  # [CLS] is 0, [SEP] is 7
    assert bin_hidden(hidden, 1).flatten().tolist() == [1, 2, 3, 4, 5, 6]
    assert bin_hidden(hidden, 2).flatten().tolist() == [1.5, 3.5, 5.5]
    assert bin_hidden(hidden, 4).flatten().tolist() == [2.5], "5 and 6 fill no bin"


def test_bad_options_and_labels_of_other_bins_are_refused(make_task):
    with pytest.raises(ValueError, match="bin_size: 0; give at least 1"):
        make_task(BinClassification, bin_size=0)
    with pytest.raises(ValueError, match="multilabel: true"):
        make_task(BinClassification, multilabel=True)
    task = make_task(BinClassification, bin_size=4)
    labels = {"labels": torch.zeros(1, 32, dtype=torch.long)}
    with pytest.raises(ValueError, match=r"bin_size: 4 gives 8 bins a window, and labels are"):
        task.evaluate(torch.zeros(1, 8, 2), labels, "train")
    task = make_task(WindowRegression, num_outputs=3)
    with pytest.raises(ValueError, match=r"num_outputs: the model gives 3 .* labels are \(2,\)"):
        task.evaluate(torch.zeros(4, 3), {"labels": torch.zeros(4, 2)}, "train")


def test_upstreams_adapter_sees_no_padding(make_task):
    """A row of a padded batch gets the logits it gets alone."""
    task = make_task(WindowClassification, adapter=LinearMeanPoolAdapter)
    short = window([A, C, G, T] * 5)[None]
    padded = torch.cat([short, torch.zeros(1, 10, dtype=torch.long)], dim=1)
    mask = (padded > 0).long()
    with torch.inference_mode():
        alone = task({"input_ids": short, "attention_mask": torch.ones_like(short)})
        both = task({"input_ids": padded, "attention_mask": mask})
    torch.testing.assert_close(alone, both, rtol=1e-4, atol=1e-5)
