# SPDX-License-Identifier: Apache-2.0
"""What tests share: the real `mgen` in a subprocess, and small models made from scratch."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
import torch
import yaml

ROOT = Path(__file__).parents[1]


def finish(command, timeout, env, **options):
    """Run a command to its end; one that hangs is ended with all its children, and says where.

    Python prints the stacks of all threads on SIGABRT when `PYTHONFAULTHANDLER` is set.
    """
    process = subprocess.Popen(
        command,
        env={**env, "PYTHONFAULTHANDLER": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)
        time.sleep(5)
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        pytest.fail(f"{command} did not end within {timeout} s:\n{out}\n{err}", pytrace=False)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.fixture(scope="session", autouse=True)
def genome_cache(tmp_path_factory):
    """Indexes of genomes, away from the user's own; commands run by tests find it as well."""
    os.environ["MGEN_LC_CACHE"] = str(tmp_path_factory.mktemp("genomes"))


@pytest.fixture(autouse=True)
def environment():
    """Variables that a test sets, or what it calls, end with it.

    Lightning's launcher leaves `LOCAL_RANK` behind; a later `mgen` on two devices then takes itself
    for one of ranks that others start, and waits for them for ever.
    """
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture
def bf16_by_default():
    """What Lightning makes of `precision: bf16-true` within a step."""
    torch.set_default_dtype(torch.bfloat16)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def genome_windows():
    """The data module that arguments of `mgen` ask for, without the seconds that `mgen` takes."""
    from modelgenerator.long_context.data import GenomeWindows

    def genome_windows(arguments):
        options = {}
        names, values = arguments[::2], arguments[1::2]
        for name, value in zip(names, values, strict=True):
            if name == "--config":
                given = yaml.safe_load((ROOT / value).read_text()).get("data", {})
                options |= given.get("init_args", {})
            elif name.startswith("--data."):
                options[name.removeprefix("--data.")] = yaml.safe_load(value)
        return GenomeWindows(**options)

    return genome_windows


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.device(request.param)


@pytest.fixture(scope="session")
def run():
    """Run one of the environment's commands and return the finished process."""

    def run(*command, cwd=ROOT, timeout=600, **environment):
        command = [str(Path(sys.executable).parent / command[0]), *map(str, command[1:])]
        return finish(
            command,
            timeout,
            cwd=cwd,
            env={**os.environ, "COLUMNS": "200", "HF_HUB_OFFLINE": "1", **environment},
        )

    return run


@pytest.fixture
def mgen(root, monkeypatch, tmp_path):
    """Upstream's entry point in this process, from the root of the repository."""
    from modelgenerator.main import cli_main

    monkeypatch.chdir(root)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def mgen(*arguments):
        arguments = [*arguments, "--trainer.default_root_dir", tmp_path]
        with mock.patch("sys.argv", ["mgen", *map(str, arguments)]):
            cli_main()

    return mgen


@pytest.fixture
def tiny_task():
    """A masked language model of 2 layers from random weights, with any positional method."""
    from modelgenerator.long_context.backbones import aido_dna_tiny
    from modelgenerator.long_context.tasks import MaskedLM

    def make(pe=None, task=MaskedLM, seed=0, options=None, **backbone):
        torch.manual_seed(seed)
        overwrites = {"num_hidden_layers": 2, **backbone.pop("config_overwrites", {})}
        backbone = partial(
            aido_dna_tiny, from_scratch=True, config_overwrites=overwrites, **backbone
        )
        task = task(backbone, pe=pe, **(options or {}))
        task.configure_model()
        return task.eval()

    return make
