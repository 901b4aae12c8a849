# SPDX-License-Identifier: Apache-2.0
"""Without `pe` ModelGenerator is as it was: its own tests, and the configuration it prints."""

import importlib.util

import pytest
import yaml

pytestmark = pytest.mark.upstream


@pytest.mark.slow
def test_upstreams_own_tests_have_the_same_outcomes(root, tmp_path):
    spec = importlib.util.spec_from_file_location("tests_of", root / "benchmarks/upstream_tests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = module.fetch(tmp_path)
    if folder is None:
        pytest.skip("the source archive cannot be fetched")
    active, off = module.outcomes(folder, "0"), module.outcomes(folder, "1")
    assert active == off
    assert sum(outcome == "passed" for outcome in active.values()) > 100


def test_the_printed_configuration_is_upstreams_and_pe(run):
    """`--print_config` of a run without `pe`, with the plugin on and off."""
    command = [
        "mgen", "fit", "--model", "MLM", "--model.backbone", "aido_dna_300m",
        "--data", "MLMDataModule", "--data.path", "somewhere", "--print_config",
    ]  # fmt: skip
    printed = []
    for disable in ("0", "1"):
        done = run(*command, MGEN_LC_DISABLE=disable)
        assert done.returncode == 0, done.stderr[-2000:]
        printed.append(yaml.safe_load(done.stdout))
    active, off = printed
    assert active["model"]["init_args"].pop("pe", "absent") is None
    assert active == off
    assert "pe" not in off["model"]["init_args"]
