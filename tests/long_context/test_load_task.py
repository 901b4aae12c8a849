# SPDX-License-Identifier: Apache-2.0
"""A task from configurations and a checkpoint."""

import pickle

import pytest
import torch

from modelgenerator.long_context.load_task import load_task

CONFIGS = ("configs/yarn_16x.yaml", "configs/tiny.yaml")


@pytest.fixture
def load(root, monkeypatch):
    monkeypatch.chdir(root)
    return lambda *arguments, **options: load_task(CONFIGS, *arguments, **options)


def test_the_configured_task(load):
    task = load(overrides=["--model.pe.factor=8"])
    assert type(task).__name__ == "MaskedLM"
    assert task.backbone.encoder.rotary_pos_emb.factor == 8.0
    assert not task.training


def test_weights_of_a_checkpoint(load, tmp_path):
    weights = {name: value + 1 for name, value in load().state_dict().items()}
    torch.save({"state_dict": weights, "positional_method": "yarn"}, tmp_path / "last.ckpt")
    task = load(tmp_path / "last.ckpt")
    torch.testing.assert_close(task.state_dict(), weights)


def test_what_does_not_fit_is_refused(load, tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        load(tmp_path / "no.ckpt")
    weights = load().state_dict()
    torch.save({"state_dict": weights, "positional_method": "pi"}, tmp_path / "pi.ckpt")
    with pytest.raises(ValueError, match="trained with model.pe pi, this task has yarn"):
        load(tmp_path / "pi.ckpt")
    weights.popitem()
    torch.save({"state_dict": weights}, tmp_path / "less.ckpt")
    with pytest.raises(ValueError, match="of another model .* 1 weights missing"):
        load(tmp_path / "less.ckpt")
    (tmp_path / "cut.ckpt").write_bytes((tmp_path / "pi.ckpt").read_bytes()[:1000])
    with pytest.raises(ValueError, match="cut.ckpt is damaged"):
        load(tmp_path / "cut.ckpt")


def test_weights_that_the_task_does_not_know_are_refused_with_lora_too(load, tmp_path):
    """Else nothing of a checkpoint of full fine-tuning would be loaded, without a word."""
    torch.save({"state_dict": load().state_dict(), "positional_method": "yarn"}, tmp_path / "full")
    lora = ["--model.backbone.use_peft=true", "--model.strict_loading=false"]
    with pytest.raises(ValueError, match="of another model .* unknown, such as"):
        load(tmp_path / "full", overrides=lora)


class Evil:
    def __reduce__(self):
        return (print, ("code was run",))


def test_code_in_a_checkpoint_is_not_run(load, tmp_path, capsys):
    with (tmp_path / "evil.ckpt").open("wb") as file:
        pickle.dump({"state_dict": Evil()}, file)
    with pytest.raises(ValueError, match="holds more than tensors"):
        load(tmp_path / "evil.ckpt")
    assert "code was run" not in capsys.readouterr().out
