# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate`, really run; what it measures is tested with its callback."""

import json

import pytest

from modelgenerator.backbones.positional import RotaryGeometry, helix

pytestmark = pytest.mark.slow
TINY = RotaryGeometry(64, 4, original_max_position_embeddings=512)
CONFIGS = "[configs/helix_16x.yaml, configs/tiny.yaml]"


def test_measures_the_shipped_encoder_for_helix(run, root, tmp_path):
    path = tmp_path / "calibration.json"
    done = run("mgen-lc", "calibrate", "--config", CONFIGS, "--window", 512, "--windows", 5,
               "--output", path)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Calibration: {path}" in done.stdout
    found = json.loads(path.read_text())
    assert found["backbone"] == "aido_dna_tiny"
    assert found["windows"] == 5
    # 5 windows of the committed measurement's 100
    committed = root / "experiments/long_context/helix/calibration_tiny.json"
    expected = json.loads(committed.read_text())["logit_std"]
    for heads, others in zip(found["logit_std"], expected, strict=True):
        assert heads == pytest.approx(others, rel=0.2)
    helix(TINY, temperature="calibrated", calibration=str(path))


def test_too_few_windows(run, tmp_path):
    path = tmp_path / "calibration.json"
    done = run("mgen-lc", "calibrate", "--config", CONFIGS, "--window", 512, "--windows", 9999,
               "--output", path)  # fmt: skip
    assert done.returncode == 1
    assert "LogitCalibration: 9999 windows of 512 nt are asked for" in done.stderr
    assert "Traceback" not in done.stderr
    assert not path.exists()
