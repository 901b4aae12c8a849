# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate-heads`, really run; what it trains is tested with its callback."""

import json

import pytest

from modelgenerator.backbones.positional import RotaryGeometry, helix

pytestmark = pytest.mark.slow
TINY = RotaryGeometry(64, 4, original_max_position_embeddings=512, num_layers=4)


def test_calibrates_the_shipped_encoder_for_helix(run, root, tmp_path):
    path = tmp_path / "heads.json"
    configs = f"[{root}/configs/helix_16x.yaml, {root}/configs/tiny.yaml]"
    done = run("mgen-lc", "calibrate-heads", "--config", configs, "--window", 4096, "--steps", 3,
               "--spacing", 1024,
               "--output", path, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Calibration: {path}" in done.stdout
    assert {p.name for p in tmp_path.iterdir()} <= {"heads.json", "config.yaml"}  # no checkpoint
    found = json.loads(path.read_text())
    assert found["backbone"] == "aido_dna_tiny"
    assert (found["steps"], found["windows"]) == (3, 12)
    assert found["data"]["copies_per_window"] == 4
    assert helix(TINY, kappa="per_layer", kappa_start=str(path)).kappa.max() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--window", 1024, "--spacing", 2000], "--spacing 2000 is not allowed: give 1 to 1024"),
        (["--window", 1024, "--spacing", 0], "--spacing 0 is not allowed: give 1 to 1024"),
        (["--window", 512], "Give windows beyond the original context, 512 nt"),
    ],
)
def test_windows_that_are_not_allowed(run, root, tmp_path, options, message):
    configs = f"[{root}/configs/helix_16x.yaml, {root}/configs/tiny.yaml]"
    done = run("mgen-lc", "calibrate-heads", "--config", configs, *options,
               "--output", tmp_path / "heads.json", cwd=tmp_path)  # fmt: skip
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "heads.json").exists()


def test_a_config_of_another_method(run, tmp_path):
    path = tmp_path / "heads.json"
    done = run("mgen-lc", "calibrate-heads", "--config",
               "[configs/yarn_16x.yaml, configs/tiny.yaml]", "--window", 2048,
               "--output", path)  # fmt: skip
    assert done.returncode != 0
    assert "kappa" in done.stderr
    assert "Traceback" not in done.stderr
    assert not path.exists()
