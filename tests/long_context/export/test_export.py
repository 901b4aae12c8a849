# SPDX-License-Identifier: Apache-2.0
"""Exported folders, loaded by plain transformers and back into ModelGenerator."""

import json
import subprocess
import sys
from functools import partial

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file

from modelgenerator.backbones.positional import POSITIONAL, clex, gene, ntk, rope, yarn
from modelgenerator.long_context.export import export_folder
from modelgenerator.long_context.export.sources import method_sources
from modelgenerator.long_context.installation import rotary_embedding

SMALL = {"original_max_position_embeddings": 64}
CHANNELS, HEADS = 32, 4
# Every method, and options that matter to what it computes.
METHODS = {
    "rope": partial(rope, **SMALL),
    "pi": partial(POSITIONAL["pi"], factor=4.0, temperature="log_n", **SMALL),
    "ntk": partial(ntk, factor=4.0, dynamic=True, **SMALL),
    "yarn": partial(yarn, factor=4.0, ramp="turns", attention_factor=1.2, **SMALL),
    "llama3": partial(POSITIONAL["llama3"], factor=4.0, high_freq_factor=8.0, **SMALL),
    "longrope": partial(
        POSITIONAL["longrope"],
        long_factor=[1 + 0.1 * i for i in range(CHANNELS)],
        factor=4.0,
        **SMALL,
    ),
    "gene": partial(gene, factor=4.0, learnable=True, num_rotations=5.0, **SMALL),
    "clex": partial(clex, max_factor=4.0, log_scale=True, positions="random", **SMALL),
    "helix": partial(
        POSITIONAL["helix"], factor=4.0, path="gene", delta="per_head", kappa="per_head", **SMALL
    ),
}
SEQUENCES = ["ACGTTGCANNacgt" * 14, "GATTACA"]


@pytest.fixture
def trained(tiny_task):
    """A task whose learned rotary parameters are not at their start."""

    def trained(method, **options):
        task = tiny_task(METHODS[method], **options)
        with torch.no_grad():
            for parameter in rotary_embedding(task).parameters():
                parameter.add_(0.01 * torch.randn_like(parameter))
        return task

    return trained


def ours(task):
    """Logits of the test sequences, [2, S, vocab], and their mask."""
    upper = [sequence.upper() for sequence in SEQUENCES]
    batch = task.backbone.process_batch({"sequences": upper}, "cpu")
    with torch.no_grad():
        hidden = task.backbone(batch["input_ids"], batch["attention_mask"]).last_hidden_state
        return task.adapter(hidden), batch


SCRIPT = """
import sys, torch
from transformers import AutoModelForMaskedLM, AutoTokenizer
sequences = sys.argv[1].split()
for folder in sys.argv[2:]:
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
    model = AutoModelForMaskedLM.from_pretrained(folder, trust_remote_code=True).eval()
    tied = model._tied_weights_keys  # a mapping, as transformers 5 needs it
    assert {*tied.keys(), *tied.values()} <= set(model.state_dict())
    batch = tokenizer(sequences, padding=True, return_tensors="pt")
    with torch.no_grad():
        out = model(**batch, output_hidden_states=True)
    found = {**batch, "logits": out.logits, "states": len(out.hidden_states)}
    model.train()(**batch)
    found["step"] = model.bert.rotary_pos_emb.step
    torch.save(found, folder + "/out.pt")
assert not any(name.startswith("modelgenerator.") for name in sys.modules)
"""


def theirs(folders, tmp_path):
    """The same by plain transformers, in a process that never sees this package."""
    environment = {
        "MGEN_LC_DISABLE": "1",
        "HF_MODULES_CACHE": str(tmp_path / "modules"),
        "HF_HUB_OFFLINE": "1",
        "PATH": "",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, " ".join(SEQUENCES), *map(str, folders)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / "out.pt", weights_only=True) for folder in folders]


def check_plain_transformers(tasks, tmp_path, file=None):
    folders = [export_folder(task, tmp_path / name) for name, task in tasks.items()]
    if file is not None:
        file.unlink()  # who loads the folder has no such file
    for task, found in zip(tasks.values(), theirs(folders, tmp_path), strict=True):
        expected, batch = ours(task)
        assert torch.equal(found["input_ids"], batch["input_ids"])
        own = batch["attention_mask"].bool()
        torch.testing.assert_close(found["logits"][own], expected[own], rtol=1e-5, atol=1e-5)
        assert (found["logits"][~own] == 0).all()
        assert found["states"] == 3  # two layers and the embedding
        assert found["step"] == 2  # each row by itself; what draws at random draws anew


def test_plain_transformers_gives_the_same_logits(trained, tmp_path):
    check_plain_transformers({"yarn": trained("yarn")}, tmp_path)


@pytest.mark.slow
def test_plain_transformers_gives_the_same_logits_for_every_method(trained, tmp_path):
    check_plain_transformers({name: trained(name) for name in METHODS}, tmp_path)


def test_a_calibration_goes_along_in_the_weights(tiny_task, tmp_path):
    path = tmp_path / "calibration.json"
    measured = {"schema": "calibration/1", "num_heads": HEADS, "rotary_dim": 2 * CHANNELS}
    measured |= SMALL | {"logit_std": [[0.7, 1.0, 2.0, 4.0]] * 2}
    path.write_text(json.dumps(measured))
    task = tiny_task(
        partial(POSITIONAL["helix"], temperature="calibrated", calibration=str(path), **SMALL)
    )
    check_plain_transformers({"helix": task}, tmp_path, path)
    check_back(task, tmp_path / "helix", temperature="calibrated", calibration="calibration.json")


def test_calibrated_heads_go_along_in_the_weights(tiny_task, tmp_path):
    path = tmp_path / "heads.json"
    measured = {"schema": "head_calibration/1", "num_heads": HEADS, "rotary_dim": 2 * CHANNELS}
    measured |= SMALL | {"kappa": [[0.0, 1.0, 2.0, 0.5], [1.5, 0.0, 0.3, 0.0]]}
    path.write_text(json.dumps(measured))
    plain, task = (
        tiny_task(partial(POSITIONAL["helix"], **options, **SMALL))
        for options in ({}, {"kappa": "per_layer", "kappa_start": str(path)})
    )
    assert not torch.allclose(ours(task)[0], ours(plain)[0], atol=1e-4)
    check_plain_transformers({"helix": task}, tmp_path, path)
    check_back(task, tmp_path / "helix", kappa="per_layer", kappa_start="kappa_start.json")


def check_back(task, folder, **options):
    """The folder loads back with the file that lies in it, as the model card says."""
    name = next(x for x in ("calibration", "kappa_start") if x in options)
    written = json.loads((folder / "config.json").read_text())["positional"]["options"]
    assert written[name] == options[name]
    assert f'"{name}": "FOLDER/{options[name]}"' in (folder / "README.md").read_text()
    options[name] = str(folder / options[name])
    found = logits_of(folder, pe=partial(POSITIONAL["helix"], **options, **SMALL))
    torch.testing.assert_close(found, ours(task)[0], rtol=1e-5, atol=1e-5)


def logits_of(folder, change=lambda encoder: encoder, pe=METHODS["yarn"]):
    """What `ours` gives of a folder loaded back, after a change to the encoder."""
    from modelgenerator.long_context.backbones import aido_dna_exported
    from modelgenerator.long_context.tasks import MaskedLM

    task = MaskedLM(partial(aido_dna_exported, folder=str(folder)), pe=pe)
    task.configure_model()
    task.backbone.encoder = change(task.backbone.encoder)
    return ours(task.eval())[0]


def test_every_method_is_exported_with_its_options():
    assert set(METHODS) == set(POSITIONAL)


@pytest.mark.parametrize("method", METHODS)
def test_back_into_modelgenerator(trained, tmp_path, method):
    task = trained(method)
    folder = export_folder(task, tmp_path / "folder")
    torch.testing.assert_close(
        logits_of(folder, pe=METHODS[method]), ours(task)[0], rtol=1e-5, atol=1e-5
    )


def test_another_method_is_refused_on_the_way_back(trained, tmp_path):
    from modelgenerator.long_context.backbones import aido_dna_exported
    from modelgenerator.long_context.tasks import MaskedLM

    folder = export_folder(trained("yarn"), tmp_path / "folder")
    task = MaskedLM(partial(aido_dna_exported, folder=str(folder)), pe=METHODS["rope"])
    with pytest.raises(ValueError, match="model.pe: rope .* was written with yarn"):
        task.configure_model()
    with pytest.raises(ValueError, match="is no folder of `mgen-lc export`"):
        aido_dna_exported(None, None, folder=str(tmp_path))


def test_lora_is_merged_or_kept_beside(trained, tmp_path):
    task = trained("yarn", use_peft=True)
    with torch.no_grad():
        for name, parameter in task.backbone.encoder.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    before = {n: p.clone() for n, p in task.state_dict().items()}
    merged_folder = export_folder(task, tmp_path / "merged")
    merged = load_file(merged_folder / "model.safetensors")
    beside = export_folder(task, tmp_path / "beside", merge_lora=False)
    assert all(torch.equal(before[n], p) for n, p in task.state_dict().items())
    plain = load_file(beside / "model.safetensors")
    assert merged.keys() == plain.keys()
    assert not any("lora" in name for name in plain)
    torch.testing.assert_close(logits_of(merged_folder), ours(task)[0], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits_of(beside), ours(task)[0], atol=1e-2)
    adapted = partial(PeftModel.from_pretrained, model_id=beside / "adapter")
    torch.testing.assert_close(logits_of(beside, adapted), ours(task)[0], rtol=1e-5, atol=1e-5)
    changed = {name for name in plain if not torch.allclose(plain[name], merged[name])}
    assert changed == {
        f"bert.encoder.layer.{i}.attention.self.{part}.weight"
        for i in range(2)
        for part in ("query", "value")
    }
    assert (beside / "adapter" / "adapter_config.json").exists()


def test_the_folder(trained, tmp_path):
    results = {
        "method": "yarn",
        "data": {"fasta": ["a.fa"]},
        "steps": 7,
        "results": [{"length": 512, "metric": "perplexity", "value": 3.14159}],
    }
    folder = export_folder(trained("yarn"), tmp_path / "folder", results)
    card = (folder / "README.md").read_text()
    assert "64 to 256 nt" in card
    assert "| 512 | perplexity | 3.142 |" in card
    config = json.loads((folder / "config.json").read_text())
    assert config["positional"]["options"]["factor"] == 4.0
    assert config["extended_max_position_embeddings"] == 256
    assert not list(folder.glob("clex.py"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder"]  # nothing half written


def test_a_method_brings_all_it_imports():
    assert set(method_sources(rope)) >= {"rope", "base", "checks", "rotation", "skip"}
    for cls in (yarn, gene, clex, ntk):
        names = method_sources(cls)
        assert all(file.exists() for file in names.values())
    with pytest.raises(ValueError, match="defined in .*test_export.py, outside of this package"):
        method_sources(type("draft", (rope,), {"__module__": __name__}))


def test_what_cannot_be_exported(tiny_task, trained, tmp_path):
    with pytest.raises(ValueError, match="the task has no model.pe"):
        export_folder(tiny_task(None), tmp_path / "folder")
    with pytest.raises(ValueError, match="results: they are of clex, and model.pe is yarn"):
        export_folder(trained("yarn"), tmp_path / "folder", {"method": "clex"})
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("")
    with pytest.raises(ValueError, match="used is in use"):
        export_folder(trained("yarn"), tmp_path / "used")
