# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that are cut, of another model, or hold code: refused, and no code is run."""

import os
import pickle
import shutil
from unittest import mock

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from modelgenerator.long_context import cli
from modelgenerator.long_context.backbones import aido_dna_tiny
from modelgenerator.long_context.depmap.store import MapFolder
from modelgenerator.long_context.load_task import load_task

CONFIGS = ("configs/yarn_16x.yaml", "configs/tiny.yaml")
SMALL = ["--config", CONFIGS[0], "--config", CONFIGS[1]]


class Evil:
    """Makes a folder wherever it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def evil(tmp_path):
    """A function that writes a file with code in it, and one that says whether it was run."""
    mark = tmp_path / "was run"

    def write(name, how):
        path = tmp_path / name
        content = {"state_dict": {"weight": Evil(mark)}, "positional_method": "yarn"}
        if how == "torch":
            torch.save(content, path)
        else:
            path.write_bytes(pickle.dumps(content))
        return path

    with open(write("proof", "pickle"), "rb") as file:  # or the test would prove nothing
        pickle.load(file)
    assert mark.exists()
    mark.rmdir()
    yield write
    assert not mark.exists(), "code in a file was run"


@pytest.fixture
def at_root(root, monkeypatch):
    monkeypatch.chdir(root)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_load_task_runs_no_code(evil, at_root, how):
    with pytest.raises(ValueError, match="holds more than tensors and plain values"):
        load_task(CONFIGS, evil("evil.ckpt", how))


def test_export_runs_no_code(evil, at_root, tmp_path):
    arguments = ["mgen-lc", "export", str(tmp_path / "out"), *SMALL]
    arguments += ["--ckpt_path", str(evil("evil.ckpt", "torch"))]
    with (
        mock.patch("sys.argv", arguments),
        pytest.raises(SystemExit, match="mgen-lc: ckpt: .* holds more than tensors"),
    ):
        cli.main()
    assert not (tmp_path / "out").exists()


@pytest.mark.upstream
@pytest.mark.parametrize("subcommand", ["fit", "test"])
def test_mgen_runs_no_code(evil, mgen, subcommand):
    """Lightning's own loader, as `mgen` calls it."""
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        mgen(
            subcommand, *SMALL, "--ckpt_path", evil("evil.ckpt", "torch"),
            "--data.window", 512, "--data.lengths", "[512]", "--data.copies_per_window", 1,
            "--trainer.logger", "false", "--trainer.enable_progress_bar", "false",
        )  # fmt: skip


def test_calibration_and_test_runs_read_weights_that_cannot_hold_code(evil, at_root, tmp_path):
    """`mgen-lc calibrate` takes no checkpoint; `backbone.weights` is safetensors in any command."""
    shutil.copytree(aido_dna_tiny.model_path, tmp_path / "weights")
    evil("weights/model.safetensors", "pickle")
    with pytest.raises(SafetensorError, match="(?i)header"):
        load_task(CONFIGS, overrides=[f"--model.backbone.weights={tmp_path / 'weights'}"])


def test_maps_run_no_code(evil, tmp_path):
    folder = MapFolder(tmp_path / "map")
    folder.start({"rows": [0], "columns": [1], "strand": "+", "start": 0})
    held = np.array([Evil(tmp_path / "was run")], dtype=object)
    for name in ("blocks/forward_0-0_1-1.npz", "reference_forward.npz"):
        np.savez(folder.path / name, strand="+", rows=held, columns=held, values=held)
    with pytest.raises(ValueError, match="no block of the map is there"):
        folder.load()


@pytest.fixture(scope="module")
def good(root):
    """A checkpoint as `mgen fit` writes it, in bytes, for the shipped encoder."""
    import io

    before = os.getcwd()
    os.chdir(root)
    try:
        weights = load_task(CONFIGS).state_dict()
    finally:
        os.chdir(before)
    file = io.BytesIO()
    torch.save({"state_dict": weights, "positional_method": "yarn"}, file)
    return file.getvalue()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9, 0.9999])
def test_a_cut_checkpoint_is_refused(good, at_root, tmp_path, share):
    (tmp_path / "cut.ckpt").write_bytes(good[: int(share * len(good))])
    with pytest.raises(ValueError, match="cut.ckpt is damaged, holds more than tensors"):
        load_task(CONFIGS, tmp_path / "cut.ckpt")


def test_changed_bytes_are_noticed(good, at_root, tmp_path):
    """A checkpoint is a zip archive, with checksums that torch leaves unread."""
    content = bytearray(good)
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(byte ^ 0xFF for byte in content[middle : middle + 64])
    (tmp_path / "changed.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match="changed.ckpt is damaged"):
        load_task(CONFIGS, tmp_path / "changed.ckpt")


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": 3}, {"state_dict": None}, {}])
def test_what_is_no_checkpoint_is_refused(at_root, tmp_path, content):
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match="is damaged, .* or is no checkpoint"):
        load_task(CONFIGS, tmp_path / "x.ckpt")


def test_another_geometry_is_refused(at_root, tmp_path):
    weights = load_task(CONFIGS).state_dict()
    name = next(name for name in weights if name.endswith("query.weight"))
    weights[name] = weights[name][:, :-8]
    torch.save({"state_dict": weights, "positional_method": "yarn"}, tmp_path / "other.ckpt")
    with pytest.raises(ValueError, match=r"other.ckpt is of another model .*size mismatch for .*q"):
        load_task(CONFIGS, tmp_path / "other.ckpt")
