# SPDX-License-Identifier: Apache-2.0
import json
from functools import partial

import numpy as np
import pytest
import torch
from lightning import Trainer

from modelgenerator.backbones.positional import RotaryGeometry, helix, rope, yarn
from modelgenerator.long_context.callbacks import LogitCalibration
from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.installation import base_encoder

ROPE = partial(rope, original_max_position_embeddings=64)


@pytest.fixture
def measure(tiny_task, tmp_path):
    """Validate random weights on windows of a random sequence; what the file says."""
    letters = np.random.default_rng(0).choice(list("ACGT"), 4096)
    (tmp_path / "genome.fa").write_text(">a\n" + "".join(letters) + "\n")

    def measure(
        pe=ROPE, window=64, path="calibration.json", batches=None, valid_share=0.3, **options
    ):
        data = GenomeWindows(
            str(tmp_path / "genome.fa"), window=window, block=1024, valid_share=valid_share,
            test_share=0.3, batch_size=3, pin_memory=False,
        )  # fmt: skip
        options = {"windows": 4, **options}
        callback = LogitCalibration(str(tmp_path / path), **options)
        trainer = Trainer(
            accelerator="cpu", logger=False, callbacks=[callback], enable_progress_bar=False,
            enable_model_summary=False, enable_checkpointing=False, default_root_dir=tmp_path,
            limit_val_batches=batches,
        )  # fmt: skip
        task = tiny_task(pe)
        trainer.validate(task, datamodule=data, verbose=False)
        return json.loads((tmp_path / path).read_text()), task, data

    return measure


def test_as_upstreams_own_attention(measure, tiny_task):
    """Log-probabilities of upstream's attention matrix spread within a row as the logits do."""
    found, _, data = measure(queries=64)
    encoder = base_encoder(tiny_task(None).backbone)
    expected = torch.zeros(2, 4)
    for index in range(4):
        window = data.val_dataset[index]
        ids, mask = window["input_ids"][None], window["attention_mask"][None]
        with torch.no_grad():
            output = encoder(ids, attention_mask=mask, output_attentions=True, return_dict=True)
        for layer, p in enumerate(output.attentions):
            spread = p[0, :, 1:-1].log().std(-1, correction=0)  # [H, queries]
            expected[layer] += spread.mean(-1) / 4
    assert torch.tensor(found["logit_std"]).shape == (2, 4)
    torch.testing.assert_close(torch.tensor(found["logit_std"]), expected, rtol=1e-3, atol=2e-5)
    assert found["windows"] == 4


def test_helix_reads_what_was_written(measure, tmp_path):
    found, task, _ = measure()
    geometry = base_encoder(task.backbone).rotary_pos_emb.geometry
    options = {"temperature": "calibrated", "calibration": str(tmp_path / "calibration.json")}
    pe = helix(geometry, original_max_position_embeddings=64, **options)
    variance = torch.tensor(found["logit_std"]).square()
    torch.testing.assert_close(pe.logit_std.square(), 1 / (1 / variance).mean(0))
    other = RotaryGeometry(16, 8, original_max_position_embeddings=64)
    with pytest.raises(ValueError, match="num_heads=4, this one has 8"):
        helix(other, **options)


def test_the_seed_decides_the_queries(measure):
    first, again, other = (measure(queries=8, seed=seed)[0]["logit_std"] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 128}, "windows of 128 nt, the original context is 64. Give a window of 64"),
        ({"windows": 900}, "900 windows of 64 nt are asked for, validation has .*fewer windows"),
        (
            {"pe": partial(yarn, original_max_position_embeddings=64)},
            "model.pe is yarn; give `model.pe: rope`",
        ),
        ({"valid_share": 0.0}, "4 windows of 64 nt are asked for, validation has 0"),
        ({"batches": 1}, "4 windows are asked for, this process has seen 3. Leave trainer.limit"),
        ({"windows": 0}, "LogitCalibration.windows: 0; give at least 1"),
        ({"path": "genome.fa/a.json"}, "LogitCalibration.path: cannot write in"),
    ],
)
def test_refused_and_nothing_is_written(measure, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        measure(**options)
    assert not (tmp_path / "calibration.json").exists()
