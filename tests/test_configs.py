# SPDX-License-Identifier: Apache-2.0
"""Every YAML in configs/ and experiments/ is parsed by the real CLI."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
METHODS = sorted(ROOT.glob("configs/*_16x.yaml"))
WHOLE = {ROOT / "configs/depmap.yaml": "predict", ROOT / "configs/variant_effect.yaml": "test"}
OVERLAYS = sorted({*ROOT.glob("configs/*.yaml")} - {*METHODS, *WHOLE})
STAGES = sorted(ROOT.glob("experiments/long_context/pretrain_tiny/stage*.yaml"))


@pytest.fixture(scope="module")
def parsed():
    """The configuration that stock `mgen` makes of some arguments."""
    import contextlib
    import io
    from unittest import mock

    from modelgenerator.main import cli_main

    def parsed(subcommand, *files):
        arguments = [x for file in files for x in ("--config", str(file))]
        out = io.StringIO()
        with (
            mock.patch("sys.argv", ["mgen", subcommand, *arguments, "--print_config"]),
            contextlib.redirect_stdout(out),
            pytest.raises(SystemExit) as stop,
        ):
            cli_main()
        assert stop.value.code in (None, 0)
        return yaml.safe_load(out.getvalue())

    return parsed


@pytest.mark.parametrize("file", METHODS, ids=lambda f: f.name)
@pytest.mark.parametrize("subcommand", ["fit", "test"])
def test_method(parsed, file, subcommand):
    config = parsed(subcommand, file)
    pe = config["model"]["init_args"]["pe"]["class_path"]
    assert file.name == pe.rsplit(".", 1)[1] + "_16x.yaml"
    data = config["data"]["init_args"]
    # GeNE, CLEX and HELIX train at 4x, for longer lengths than that are drawn at random.
    assert data["window"] == (16000 if pe.endswith(("gene", "clex", "helix")) else 64000)
    assert data["lengths"] == [4000, 8000, 16000, 32000, 64000]
    assert config["trainer"]["profiler"] is None


@pytest.mark.parametrize(("file", "subcommand"), WHOLE.items(), ids=lambda x: getattr(x, "name", x))
def test_whole(parsed, file, subcommand):
    config = parsed(subcommand, file)
    assert config["model"]["init_args"]["pe"]["class_path"].endswith(".yarn")
    assert config["trainer"]["profiler"] is None


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda f: f.name)
@pytest.mark.parametrize("file", METHODS, ids=lambda f: f.name)
def test_overlay(parsed, file, overlay):
    alone, laid_over = parsed("fit", file), parsed("fit", file, overlay)
    assert alone != laid_over
    assert alone["model"]["init_args"]["pe"] == laid_over["model"]["init_args"]["pe"]


@pytest.mark.parametrize("file", STAGES, ids=lambda f: f.name)
def test_pretraining(parsed, file):
    config = parsed("fit", file.parent / "common.yaml", file)
    data = config["data"]["init_args"]
    tiny = parsed("test", METHODS[0], ROOT / "configs/tiny.yaml")["data"]["init_args"]
    for same in ("fasta", "block", "valid_share", "test_share", "random_seed"):
        assert data[same] == tiny[same], "else test blocks of one are training blocks of the other"


@pytest.mark.parametrize("file", [*METHODS, *OVERLAYS], ids=lambda f: f.name)
def test_opens_with_what_it_is_the_command_and_the_hardware(file):
    head = "".join(x for x in file.read_text().splitlines(True) if x.startswith("#"))
    assert "mgen fit --config configs/" in head or "mgen test --config configs/" in head
    assert "Needs" in head


@pytest.mark.parametrize("file", [*METHODS, *OVERLAYS], ids=lambda f: f.name)
def test_the_data_of_its_commands_can_be_made(file, genome_windows):
    lines = [x.removeprefix("#") for x in file.read_text().splitlines() if x.startswith("#")]
    text = "\n".join(line.split("   #")[0] for line in lines).replace("\\\n", " ")
    commands = re.findall(r"mgen (?:fit|test) (--.*)", text)
    assert commands
    for command in commands:
        genome_windows(shlex.split(command, comments=True))
