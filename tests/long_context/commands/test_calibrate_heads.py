# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc calibrate-heads`, really run; what it trains is tested with its callback."""

import json
import math

import pytest

from modelgenerator.backbones.positional import RotaryGeometry, helix
from modelgenerator.long_context.commands.calibrate_heads import bent

TINY = RotaryGeometry(64, 4, original_max_position_embeddings=512, num_layers=4)


@pytest.mark.slow
def test_calibrates_the_shipped_encoder_for_helix(run, root, tmp_path):
    path = tmp_path / "heads.json"
    configs = f"[{root}/configs/helix_16x.yaml, {root}/configs/tiny.yaml]"
    done = run("mgen-lc", "calibrate-heads", "--config", configs, "--window", "[2048, 1024]",
               "--spacing", 340, "--steps", 3,
               "--output", path, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Calibration: {path}" in done.stdout
    assert {p.name for p in tmp_path.iterdir()} <= {"heads.json", "config.yaml"}  # no checkpoint
    found = json.loads(path.read_text())
    assert found["backbone"] == "aido_dna_tiny"
    assert (found["steps"], found["windows"]) == (3, 36)
    used = [(x["window"], x["copies_per_window"]) for x in found["data"]]
    assert used == [(1024, 3), (2048, 6)]
    kappa = helix(TINY, kappa="per_layer", kappa_start=str(path)).kappa
    assert kappa[0].any()
    assert kappa[1].any()


def test_a_line_through_two_windows():
    short, long = (
        {
            "kappa": [[kappa], [[0.0, 0.0]]],
            "original_max_position_embeddings": 512,
            "windows": 64,
            "data": {"window": window},
        }
        for window, kappa in ((1024, [0.5, 0.3]), (8192, [0.2, 0.3]))
    )
    found = bent(short, long)
    slope = round(-0.1 / math.log(2), 4)  # 0.3 less at 3 ln 2 more
    assert found["kappa"] == [[[0.6, 0.3]], [[slope, 0.0]]]
    assert found["windows"] == 128
    assert [x["window"] for x in found["data"]] == [1024, 8192]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--window", "[1024, 2048, 4096]"], "give one window, or two that differ"),
        (["--window", "[1024, 1024]"], "give one window, or two that differ"),
        (["--window", "[1024]", "--spacing", 2000], "give 1 to 1024, the shortest window"),
        (["--window", "[512, 2048]"], "Give windows beyond the original context, 512 nt"),
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


@pytest.mark.slow
def test_a_config_of_another_method(run, tmp_path):
    path = tmp_path / "heads.json"
    done = run("mgen-lc", "calibrate-heads", "--config",
               "[configs/yarn_16x.yaml, configs/tiny.yaml]", "--window", "[2048]",
               "--output", path)  # fmt: skip
    assert done.returncode != 0
    assert "kappa" in done.stderr
    assert "Traceback" not in done.stderr
    assert not path.exists()
