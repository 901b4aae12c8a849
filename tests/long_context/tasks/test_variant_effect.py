# SPDX-License-Identifier: Apache-2.0
import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from lightning.pytorch import Trainer
from sklearn.metrics import roc_auc_score

from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.data import Variants
from modelgenerator.long_context.data.vocabulary import encode
from modelgenerator.long_context.tasks import VariantEffect

ROPE = partial(rope, original_max_position_embeddings=64)
SEQUENCE = "".join(np.random.default_rng(0).choice(list("ACGT"), 400))


@pytest.fixture
def data(tmp_path):
    (tmp_path / "g.fa").write_text(f">c\n{SEQUENCE}\n")
    draw = np.random.default_rng(1)
    rows = []
    for pos in sorted(draw.choice(np.arange(40, 360), 24, replace=False)):
        ref = SEQUENCE[pos - 1]
        for alt in draw.choice([x for x in "ACGT" if x != ref], 2, replace=False):
            rows.append(("c", pos, ref, alt, draw.integers(0, 2)))
    rows.append(("c", 200, SEQUENCE[199:202], "".join("ACGT"[3 - "ACGT".index(x)] for x in
                                                      SEQUENCE[199:202]), 1))  # fmt: skip
    frame = pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt", "label"])
    frame.to_csv(tmp_path / "v.tsv", sep="\t", index=False)

    def make(**options):
        options = {"window": 32, "lengths": [32, 64], **options}
        return Variants(str(tmp_path / "v.tsv"), str(tmp_path / "g.fa"), **options)

    return make


@pytest.fixture
def score(tiny_task, tmp_path):
    def run(data, name="run", batches=None, **options):
        files = {"table": str(tmp_path / f"{name}.tsv"), "results": str(tmp_path / f"{name}.json")}
        model = tiny_task(pe=ROPE, task=VariantEffect, options={**files, **options})
        trainer = Trainer(
            accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
            limit_test_batches=batches,
        )  # fmt: skip
        trainer.test(model, datamodule=data, verbose=False)
        frame = pd.read_csv(files["table"], sep="\t")
        run.logged = dict(trainer.callback_metrics)
        return model, frame, json.loads((tmp_path / f"{name}.json").read_text())

    return run


def by_hand(model, variant, length):
    """Both scores of a variant in the middle of a window."""
    start = variant["pos"] - 1 - length // 2
    return in_window(model, SEQUENCE[start : start + length], length // 2, variant)


def in_window(model, window, offset, variant):
    """Both scores of a variant, one pass after the other, straight from the definition."""
    reference = [2, *encode(window.encode()).tolist(), 3]
    at = range(offset + 1, offset + 1 + len(variant["ref"]))
    masked, alternate = list(reference), list(reference)
    for i, letter in zip(at, variant["alt"], strict=True):
        masked[i] = 1
        alternate[i] = int(encode(letter.encode())[0])

    def hidden(ids):
        ids = torch.tensor([ids])
        out = model.backbone(input_ids=ids, attention_mask=torch.ones_like(ids))
        return out.last_hidden_state[0]

    with torch.no_grad():
        log_p = model.adapter(hidden(masked)).log_softmax(-1)
        llr = sum(float(log_p[i, alternate[i]] - log_p[i, reference[i]]) for i in at)
        change = hidden(alternate)[1:-1].mean(0) - hidden(reference)[1:-1].mean(0)
    return llr, float(change.norm())


def test_scores_are_their_definition(score, data):
    model, frame, _ = score(data())
    assert len(frame) == 49
    for length in (32, 64):
        expected = np.array([by_hand(model, v, length) for _, v in frame.iterrows()])
        assert np.ptp(expected[:, 0]) > 1e-3
        np.testing.assert_allclose(frame[f"llr_{length}"], expected[:, 0], atol=2e-5)
        np.testing.assert_allclose(frame[f"distance_{length}"], expected[:, 1], atol=2e-5)


def test_results_rank_the_unlikely_as_harmful(score, data):
    _, frame, result = score(data())
    rows = {(r["length"], r["score"], r["metric"]): r for r in result["results"]}
    assert len(rows) == 2 * 2 * 2
    expected = roc_auc_score(frame["label"], -frame["llr_64"])
    assert rows[64, "llr", "auroc"]["value"] == pytest.approx(expected)
    expected = roc_auc_score(frame["label"], frame["distance_32"])
    assert rows[32, "distance", "auroc"]["value"] == pytest.approx(expected)
    assert 0 < rows[32, "llr", "auroc"]["standard_error"] < 0.5
    assert (result["schema"], result["method"]) == ("variant_effect/1", "rope")
    assert result["data"]["scored"] == 49


def test_those_scored_are_ranked_and_counted(score, data):
    _, frame, result = score(data(lengths=[32], batch_size=10), batches=2)
    part = frame[frame["llr_32"].notna()]
    assert 0 < len(part) < len(frame)
    assert part["label"].nunique() == 2
    rows = {(r["score"], r["metric"]): r for r in result["results"]}
    expected = roc_auc_score(part["label"], -part["llr_32"])
    assert rows["llr", "auroc"]["value"] == pytest.approx(expected)
    assert rows["llr", "auroc"]["variants"] == len(part) == score.logged["test_variants/32"]
    assert result["not_ranked"] == []


def test_one_class_has_no_metric_and_says_why(score, data, tmp_path):
    table = pd.read_csv(tmp_path / "v.tsv", sep="\t")
    table[table["label"] == 1].to_csv(tmp_path / "v.tsv", sep="\t", index=False)
    with pytest.warns(UserWarning, match="llr at 32 nt has no AUROC and no AUPRC: all variants"):
        _, frame, result = score(data(lengths=[32]))
    assert frame["llr_32"].notna().all()
    assert result["results"] == []
    assert result["not_ranked"][0] == {
        "length": 32, "score": "llr", "variants": len(frame), "positives": len(frame),
        "reason": "all variants scored have the label 1",
    }  # fmt: skip
    assert set(score.logged) == {"test_variants/32"}


def test_scores_that_are_no_numbers_have_no_metric(score, data, monkeypatch):
    monkeypatch.setattr(
        VariantEffect, "_llr", lambda self, batch: torch.full((len(batch["index"]),), torch.nan)
    )
    with pytest.warns(UserWarning, match="49 scores are not finite; check the model"):
        _, _, result = score(data(lengths=[32]))
    assert {row["score"] for row in result["results"]} == {"distance"}


def test_sharing_windows_changes_nothing_but_the_centre(score, data):
    _, alone, _ = score(data(batch_size=1), "alone")
    _, together, _ = score(data(batch_size=16), "together")
    columns = [c for c in alone if c.startswith(("llr", "distance"))]
    np.testing.assert_allclose(alone[columns], together[columns], atol=2e-5)


def test_long_window_at_the_end_of_a_chromosome(score, tmp_path, monkeypatch):
    """The definition in 2,048 nt, where sites at the ends are not in the middle."""
    draw = np.random.default_rng(5)
    sequence = "".join(draw.choice(list("ACGT"), 2500))
    (tmp_path / "long.fa").write_text(f">c\n{sequence}\n")
    rows = [
        ("c", pos, sequence[pos - 1], alt, i % 2)
        for pos in (4, 2497)
        for i, alt in enumerate(x for x in "ACGT" if x != sequence[pos - 1])
    ]
    frame = pd.DataFrame(rows, columns=["chrom", "pos", "ref", "alt", "label"])
    frame.to_csv(tmp_path / "long.tsv", sep="\t", index=False)
    seen = []
    hidden = VariantEffect._hidden
    monkeypatch.setattr(
        VariantEffect, "_hidden", lambda self, ids: seen.append(len(ids)) or hidden(self, ids)
    )
    data = Variants(
        str(tmp_path / "long.tsv"), str(tmp_path / "long.fa"), window=64, lengths=[2048]
    )
    model, frame, _ = score(data)
    assert seen == [1, 4, 1, 4], "a mask, then the reference beside its three alternatives"
    for pos, start in ((4, 0), (2497, 2500 - 2048)):
        window = sequence[start : start + 2048]
        part = frame[frame["pos"] == pos]
        expected = [in_window(model, window, pos - 1 - start, v) for _, v in part.iterrows()]
        np.testing.assert_allclose(part[["llr_2048", "distance_2048"]], expected, atol=2e-5)


def test_likelihood_alone_runs_one_pass_a_site(score, data, monkeypatch):
    seen = []
    hidden = VariantEffect._hidden
    monkeypatch.setattr(
        VariantEffect, "_hidden", lambda self, ids: seen.append(len(ids)) or hidden(self, ids)
    )
    _, frame, _ = score(data(lengths=[32]), scores=["llr"])
    assert sum(seen) == frame.groupby([frame["pos"], frame["ref"].str.len()]).ngroups
    assert "distance_32" not in frame


def test_predict_gives_scores_with_their_rows(tiny_task, data):
    model, variants = tiny_task(pe=ROPE, task=VariantEffect), data()
    trainer = Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    batches = trainer.predict(model, datamodule=variants)
    index = torch.cat([batch["index"] for batch in batches])
    assert sorted(index.tolist()) == list(range(49))
    assert set(batches[0]) == {"index", "llr", "distance"}


def test_nothing_to_score_or_to_train(tiny_task):
    with pytest.raises(ValueError, match="scores: none is given"):
        tiny_task(task=VariantEffect, options={"scores": []})
    with pytest.raises(ValueError, match="trains nothing"):
        tiny_task(task=VariantEffect).required_data_columns("fit")
