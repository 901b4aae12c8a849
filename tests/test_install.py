# SPDX-License-Identifier: Apache-2.0
"""Wheel and editable install, each in a fresh virtual environment.

The environment gets upstream's own files and a path to the rest of the packages, so that it takes
seconds; `make setup` on a fresh clone is the whole way.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

pytestmark = [pytest.mark.install, pytest.mark.slow]
SITE = Path(sysconfig.get_path("purelib"))
UPSTREAM = ("modelgenerator", "modelgenerator-0.1.3.post0.dist-info")


def call(*command, **kwargs):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        env={**environment, "COLUMNS": "200"},
        **kwargs,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done


@pytest.fixture(scope="module")
def source(root, tmp_path_factory):
    """What git knows of, as a clone would have it."""
    folder = tmp_path_factory.mktemp("source")
    listed = call("git", "ls-files", "-co", "--exclude-standard", cwd=root).stdout.split("\n")
    for name in filter(None, listed):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    return folder


def fresh_environment(folder):
    """A virtual environment with upstream installed in it and all else on its path."""
    call(sys.executable, "-m", "venv", folder)
    site = Path(
        call(
            folder / "bin/python", "-c", "import sysconfig as s; print(s.get_path('purelib'))"
        ).stdout.strip()
    )
    for name in UPSTREAM:
        shutil.copytree(SITE / name, site / name)
    (site / "rest.pth").write_text(f"{SITE}\n")
    shutil.copy2(SITE.parents[2] / "bin/mgen", folder / "bin/mgen")
    script = (folder / "bin/mgen").read_text().split("\n", 1)[1]
    (folder / "bin/mgen").write_text(f"#!{folder}/bin/python\n{script}")
    return site


def check(folder, elsewhere):
    """The plugin works from another directory, with upstream's files as they were."""
    python = folder / "bin/python"
    where = call(
        python, "-c", "import modelgenerator.long_context as m; print(m.__file__)", cwd=elsewhere
    ).stdout.strip()
    out = call(
        folder / "bin/mgen", "fit", "--model", "MLM", "--model.backbone", "aido_dna_dummy",
        "--model.pe", "yarn", "--data", "MLMDataModule", "--data.path", ".", "--print_config",
        cwd=elsewhere,
    ).stdout  # fmt: skip
    assert "class_path: modelgenerator.backbones.positional.yarn" in out
    methods = call(folder / "bin/mgen-lc", "list", cwd=elsewhere).stdout
    assert "yarn: Slow the slow channels" in methods
    return Path(where)


def unchanged(site):
    """Upstream's own files, byte for byte."""
    for file in (SITE / "modelgenerator").rglob("*.py"):
        assert (site / file.relative_to(SITE)).read_bytes() == file.read_bytes(), file


def test_wheel(source, tmp_path):
    call(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w",
         tmp_path / "dist", source)  # fmt: skip
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for hidden in ("modelgenerator/__init__.py", "modelgenerator/backbones/__init__.py"):
        assert hidden not in names, f"{hidden} would hide upstream's package"
    for needed in (
        "modelgenerator_long_context.pth",
        "modelgenerator_long_context.py",
        "modelgenerator/long_context/assets/aido_dna_tiny/model.safetensors",
        "modelgenerator/long_context/assets/genomes/README.md",
    ):
        assert needed in names
    site = fresh_environment(tmp_path / "venv")
    call(tmp_path / "venv/bin/python", "-m", "pip", "install", "--no-deps", wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = check(tmp_path / "venv", elsewhere)
    assert where.is_relative_to(site), "a wheel's files lie in upstream's own folder"
    unchanged(site)


def test_editable(source, tmp_path):
    site = fresh_environment(tmp_path / "venv")
    call(tmp_path / "venv/bin/python", "-m", "pip", "install", "--no-deps", "--no-build-isolation",
         "-e", source)  # fmt: skip
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = check(tmp_path / "venv", elsewhere)
    assert where.is_relative_to(source), "an editable install runs from the source folder"
    unchanged(site)


def test_lock_takes_every_patch_release_of_python(root):
    """What is locked installs on 3.11.0, so on the Python 3.11 that an old distribution brings."""
    lock = [line.split("==")[0] for line in (root / "constraints.txt").read_text().splitlines()]
    names = [name for name in lock if name and not name.startswith("#")]
    assert len(names) > 100
    refused = {}
    for name in names:
        try:
            wanted = metadata(name)["Requires-Python"]
        except PackageNotFoundError:  # of another platform
            continue
        if wanted and "3.11.0" not in SpecifierSet(wanted):
            refused[name] = wanted
    assert not refused
