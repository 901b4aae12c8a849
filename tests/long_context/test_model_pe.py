# SPDX-License-Identifier: Apache-2.0
"""`model.pe` on upstream's tasks, in this process and through the real `mgen`."""

from functools import partial

import pytest
import torch
import yaml

import modelgenerator.tasks as tasks
from modelgenerator.adapters import LinearCLSAdapter
from modelgenerator.backbones import aido_rna_1m_mars, dna_onehot, esm2_8m
from modelgenerator.backbones.positional import rope, yarn
from modelgenerator.long_context.encoder import LongModel
from modelgenerator.long_context.installation import base_encoder, check_pe, rotary_backbone

YARN = partial(yarn, factor=4.0, original_max_position_embeddings=512)
WITH_ADAPTER = {"adapter": LinearCLSAdapter}
TASKS = {
    "MLM": {},
    "Inference": {},
    "SequenceClassification": WITH_ADAPTER,
    "TokenClassification": {},
    "SequenceRegression": WITH_ADAPTER,
    "Embed": {},
    "ZeroshotPredictionDiff": {},
    "ZeroshotPredictionDistance": {},
}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_takes_pe(tiny_task, name):
    task = tiny_task(YARN, getattr(tasks, name), options=TASKS[name])
    model = base_encoder(task.backbone)
    assert isinstance(model, LongModel)
    assert isinstance(model.rotary_pos_emb, yarn)


@pytest.mark.parametrize("name", TASKS)
def test_without_pe_every_task_is_upstreams(tiny_task, name):
    task = tiny_task(None, getattr(tasks, name), options=TASKS[name])
    assert type(base_encoder(task.backbone)).__name__ == "RNABertModel"
    assert not task.backbone._forward_pre_hooks


def test_rna_backbones_share_the_encoder():
    small = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    backbone = partial(aido_rna_1m_mars, from_scratch=True, config_overwrites=small)
    task = tasks.Embed(backbone, pe=YARN)
    task.configure_model()
    batch = task.backbone.process_batch({"sequences": ["ACGU" * 5, "GG"]}, device="cpu")
    assert task.backbone(**batch).last_hidden_state.shape == (2, 22, 64)


@pytest.mark.parametrize("backbone", [dna_onehot, esm2_8m])
def test_a_backbone_without_rotary_embedding_is_refused_before_it_is_set_up(backbone):
    task = tasks.Embed(backbone, pe=YARN)
    with pytest.raises(ValueError, match="has no rotary position embedding that can be swapped"):
        check_pe(task, "fit")


def test_a_backbone_from_scratch_must_be_told_its_context(tiny_task):
    with pytest.raises(ValueError, match="from_scratch .* Give original_max_position_embeddings"):
        tiny_task(yarn)


def test_the_pretrained_config_says_the_original_context():
    from modelgenerator.long_context.backbones import aido_dna_tiny

    task = tasks.Embed(aido_dna_tiny, pe=partial(yarn, factor=16.0))
    task.configure_model()
    embedding = base_encoder(task.backbone).rotary_pos_emb
    assert embedding.original_max_position_embeddings == 512
    assert embedding.max_position_embeddings == 8192
    assert task.backbone.get_max_context() == 8192


def test_odd_rotary_width_is_refused(tiny_task):
    with pytest.raises(ValueError, match="rotary_dim=9 is odd"):
        tiny_task(YARN, config_overwrites={"rotary_percent": 0.15})


def test_rotary_backbone_finds_the_only_one(tiny_task):
    task = tiny_task(YARN)
    assert rotary_backbone(task) is task.backbone


def test_configuring_twice_installs_once(tiny_task):
    task = tiny_task(YARN)
    before = base_encoder(task.backbone).rotary_pos_emb
    task.configure_model()
    assert base_encoder(task.backbone).rotary_pos_emb is before
    assert len(task.backbone._forward_pre_hooks) == 1


def test_bit_for_bit_upstream_without_pe(run, tmp_path):
    """One script, run with the plugin on and off: outputs, state dict and hyperparameters."""
    script = tmp_path / "outputs.py"
    script.write_text(
        """
import sys, torch
from functools import partial
from modelgenerator.tasks import MLM
from modelgenerator.backbones import aido_dna_dummy
small = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
torch.manual_seed(0)
task = MLM(partial(aido_dna_dummy, from_scratch=True, config_overwrites=small))
task.configure_model()
task.eval()
batch = {"sequences": ["ACGTACGT", "GGG"], "target_sequences": ["ACGTACGT", "GGG"]}
collated = task.transform(batch)
torch.save((task(collated), task.state_dict()), sys.argv[1])
"""
    )
    outputs = []
    for disable in ("0", "1"):
        path = tmp_path / disable
        done = run("python", script, path, MGEN_LC_DISABLE=disable)
        assert done.returncode == 0, done.stderr
        outputs.append(torch.load(path))
    (x, first), (y, second) = outputs
    assert torch.equal(x, y)
    assert list(first) == list(second)
    assert all(torch.equal(first[k], second[k]) for k in first)


MGEN = ["mgen", "fit", "--model", "MLM", "--model.backbone", "aido_dna_dummy"]
DATA = ["--data", "MLMDataModule", "--data.path", "."]


def config(process):
    assert process.returncode == 0, process.stderr[-3000:]
    return yaml.safe_load(process.stdout[process.stdout.index("# lightning") :])


def test_short_name_and_nested_options_through_mgen(run):
    out = run(*MGEN, "--model.pe", "yarn", "--model.pe.factor", "8", *DATA, "--print_config")
    pe = config(out)["model"]["init_args"]["pe"]
    assert pe["class_path"] == "modelgenerator.backbones.positional.yarn"
    assert pe["init_args"]["factor"] == 8.0
    assert pe["init_args"]["beta_fast"] == 32.0


@pytest.mark.parametrize(
    "overlay", ["model.pe: yarn", "model: {pe: yarn}", "model: {init_args: {pe: yarn}}"]
)
def test_overlay_with_the_literal_key_through_mgen(run, tmp_path, overlay):
    (tmp_path / "task.yaml").write_text(
        "model: {class_path: MLM, init_args: {backbone: aido_dna_dummy}}\n"
        "data: {class_path: MLMDataModule, init_args: {path: .}}\n"
    )
    (tmp_path / "pe.yaml").write_text(overlay + "\n")
    out = run(
        "mgen",
        "fit",
        "--config",
        "task.yaml",
        "--config",
        "pe.yaml",
        "--print_config",
        cwd=tmp_path,
    )
    pe = config(out)["model"]["init_args"]["pe"]
    assert pe["class_path"] == "modelgenerator.backbones.positional.yarn"


def test_help_of_a_method_through_mgen(run):
    out = run("mgen", "fit", "--model", "MLM", "--model.pe.help", "yarn")
    assert out.returncode == 0, out.stderr[-2000:]
    assert "--pe.factor" in out.stdout
    assert "Extended over original context" in out.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--model.pe", "yern"],
            "Unknown positional embedding 'yern'. Did you mean 'yarn'? Known:",
        ),
        (["--model.pe", "yarn", "--model.pe.fator", "8"], "'fator' is not accepted"),
        (["--model.pe", "yarn", "--model.pe.factor", "eight"], 'Parser key "factor": Expected'),
    ],
)
def test_mistakes_through_mgen(run, options, message):
    out = run(*MGEN, *options, *DATA)
    assert out.returncode != 0
    assert message in " ".join(out.stderr.split())


def test_rope_is_pickled_with_the_task(tiny_task, tmp_path):
    """A strategy that spawns processes pickles the task with everything installed on it."""
    task = tiny_task(partial(rope, original_max_position_embeddings=512))
    torch.save(task.backbone.encoder, tmp_path / "encoder")
    loaded = torch.load(tmp_path / "encoder", weights_only=False)
    assert isinstance(loaded, LongModel)
