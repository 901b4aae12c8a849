# SPDX-License-Identifier: Apache-2.0
"""Whole runs: the shipped encoder and genomes, the shipped configs, and the real `mgen`."""

import json
from unittest import mock

import pytest
import torch

CONFIG = ["--config", "configs/yarn_16x.yaml", "--config", "configs/tiny.yaml"]
SMALL = [
    "--data.window", "1024", "--data.lengths", "[512, 1024]", "--data.eval_windows", "1",
    "--data.copies_per_window", "2",
    "--trainer.logger", "false", "--trainer.enable_progress_bar", "false",
    "--trainer.enable_model_summary", "false",
]  # fmt: skip


@pytest.fixture(scope="module")
def tuned(run, tmp_path_factory):
    """Two steps of fine-tuning by the README's command, made small."""
    folder = tmp_path_factory.mktemp("tuned")
    done = run(
        "mgen", "fit", *CONFIG, *SMALL, "--trainer.max_steps", "2",
        "--trainer.callbacks.dirpath", folder, "--trainer.default_root_dir", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "last.ckpt"


def test_fit_changes_the_weights_and_keeps_the_config(tuned):
    from safetensors.torch import load_file

    from modelgenerator.long_context.backbones import aido_dna_tiny

    checkpoint = torch.load(tuned, weights_only=True)  # holds nothing but tensors and settings
    pe = checkpoint["hparams"]["pe"]
    assert pe["class_path"] == "modelgenerator.backbones.positional.yarn"
    assert pe["init_args"]["factor"] == 16.0
    before = load_file(f"{aido_dna_tiny.model_path}/model.safetensors")
    state = checkpoint["state_dict"]
    start = "backbone.encoder."
    names = {name.removeprefix(start) for name in state if name.startswith(start)}
    assert names == {n.removeprefix("bert.") for n in before if n.startswith("bert.")}
    name = "encoder.layer.0.attention.self.query.weight"
    change = (state[f"backbone.encoder.{name}"] - before[f"bert.{name}"].float()).abs().max()
    assert 0 < change < 1e-2


def test_test_scores_a_checkpoint_at_every_length(mgen, tuned, tmp_path):
    mgen("test", *CONFIG, *SMALL, "--ckpt_path", tuned, "--model.results", tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["schema"] == "masked_lm/2"
    assert (result["method"], result["factor"], result["steps"]) == ("yarn", 16.0, 2)
    assert result["original_max_position_embeddings"] == 512
    assert result["options"]["beta_fast"] == 32.0
    assert result["versions"]["modelgenerator"] == "0.1.3.post0"
    values = {(row["metric"], row["length"]): row["value"] for row in result["results"]}
    for length in (512, 1024):
        assert 1.0 < values["perplexity", length] < 4.0, "4 is guessing"
        assert 0.25 < values["accuracy", length] < 1.0
        assert 0.25 < values["recall", length] <= 1.0
    bases = {
        row["length"]: row["masked_bases"]["natural"]
        for row in result["results"]
        if row["metric"] == "perplexity"
    }
    assert bases[512] == bases[1024], "the same masked bases at every length"


def test_lora_trains_and_comes_back(mgen, tmp_path):
    lora = ["--model.backbone.use_peft", "true", "--model.strict_loading", "false"]
    mgen("fit", *CONFIG, *SMALL, *lora, "--trainer.max_steps", "1",
         "--trainer.callbacks.dirpath", tmp_path)  # fmt: skip
    state = torch.load(tmp_path / "last.ckpt", weights_only=True)["state_dict"]
    encoder = [name for name in state if name.startswith("backbone.encoder.")]
    assert encoder, "LoRA's weights are saved"
    assert all("lora" in name for name in encoder), "and no others of the encoder"
    mgen("test", *CONFIG, *SMALL, *lora, "--ckpt_path", tmp_path / "last.ckpt",
         "--model.results", tmp_path / "r.json")  # fmt: skip
    assert json.loads((tmp_path / "r.json").read_text())["steps"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data.fasta", "no/such.fa"], "no/such.fa"),
        (["--data.fasta", "SHORT"], "as long as"),
        (["--model.pe.factor", "0.5"], "factor=0.5 is not allowed"),
        (["--model.pe.factor", ".nan"], "factor=nan is not allowed"),
        (["--model.pe.factor", ".inf"], "factor=inf is not allowed"),
        (["--model.backbone.from_scratch", "true"], "from_scratch"),
        (["--model.backbone.weights", "no/such"], "no model.safetensors in 'no/such'"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_before_training_starts(mgen, options, message, tmp_path):
    (tmp_path / "short.fa").write_text(">s\n" + "ACGT" * 100 + "\n")
    options = [str(tmp_path / "short.fa") if option == "SHORT" else option for option in options]
    with (
        mock.patch("modelgenerator.long_context.tasks.MaskedLM.evaluate") as evaluate,
        pytest.raises(ValueError, match=message),
    ):
        mgen("fit", *CONFIG, *SMALL, "--trainer.callbacks.dirpath", tmp_path, *options)
    evaluate.assert_not_called()


def test_a_folder_that_cannot_be_written_is_refused_before_training_starts(mgen, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="ModelCheckpoint.dirpath: cannot write in"):
        mgen("fit", *CONFIG, *SMALL, "--trainer.callbacks.dirpath", tmp_path / "file" / "x")
    with pytest.raises(ValueError, match="model.results: cannot write in"):
        mgen("test", *CONFIG, *SMALL, "--model.results", tmp_path / "file" / "r.json")


def test_windows_beyond_the_factor_are_warned_of(mgen, tmp_path):
    with pytest.warns(UserWarning, match="Windows of 1,024 nt are longer than the 640 nt"):
        mgen("test", *CONFIG, *SMALL, "--model.pe.factor", "1.25")
