# SPDX-License-Identifier: Apache-2.0
"""The activation module, in Python processes of its own."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest


def python(code, *flags, **environment):
    return subprocess.run(
        [sys.executable, *flags, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_starts_with_python_and_imports_nothing_heavy():
    out = python(
        """
        import sys, json
        print(json.dumps(sorted(sys.modules)))
        """
    )
    modules = json.loads(out.stdout)
    assert "modelgenerator_long_context" in modules
    heavy = {"torch", "modelgenerator", "importlib.metadata", "jsonargparse"}
    assert not heavy.intersection(modules), out.stderr


def test_cost_of_start_up_is_reported(record_property):
    lines = python("", "-X", "importtime").stderr.splitlines()
    line = next(x for x in lines if x.rstrip().endswith("modelgenerator_long_context"))
    microseconds = int(line.split("|")[1])
    record_property("activation_us", microseconds)
    print(f"activation costs {microseconds / 1000:.2f} ms of Python's start-up")
    imported = [x for x in lines if "modelgenerator" in x]
    assert len(imported) == 1, imported


def test_can_be_switched_off():
    out = python(
        """
        import sys
        import modelgenerator_long_context as m
        print(m.LongContextFinder in sys.meta_path)
        """,
        MGEN_LC_DISABLE="1",
    )
    assert out.stdout.strip() == "False", out.stderr


def test_activates_once():
    out = python(
        """
        import sys
        import modelgenerator_long_context as m
        m.activate(); m.activate()
        print(sum(f is m.LongContextFinder for f in sys.meta_path))
        """
    )
    assert out.stdout.strip() == "1", out.stderr


def test_says_so_when_upstream_is_absent(tmp_path):
    (tmp_path / "modelgenerator").mkdir()  # all that is left is a folder like ours
    out = python(
        f"""
        import sys
        sys.path[:] = [p for p in sys.path if "site-packages" not in p] + [{str(tmp_path)!r}]
        import modelgenerator
        """
    )
    assert "ModelGenerator, which is not installed" in out.stderr
    assert "pip install modelgenerator==" in out.stderr


def test_says_so_when_upstream_is_of_an_untested_version():
    out = python(
        """
        import modelgenerator_long_context as m
        m.TESTED_UPSTREAM = ("0.0.0",)
        import modelgenerator
        """
    )
    assert "was tested with modelgenerator 0.0.0; found 0.1.3.post0" in out.stderr


@pytest.mark.parametrize("disable", ["0", "1"])
def test_tasks_take_pe_only_when_active(disable):
    out = python(
        """
        import inspect
        from modelgenerator.tasks.base import TaskInterface
        print("pe" in inspect.signature(TaskInterface.__init__).parameters)
        """,
        MGEN_LC_DISABLE=disable,
    )
    assert out.stdout.split()[-1] == str(disable == "0"), out.stderr


def test_switched_off_stays_off_when_activated_by_hand():
    out = python(
        """
        import inspect
        from modelgenerator.tasks.base import TaskInterface
        import modelgenerator_long_context as m
        m.activate()
        print("pe" in inspect.signature(TaskInterface.__init__).parameters)
        """,
        MGEN_LC_DISABLE="1",
    )
    assert out.stdout.split()[-1] == "False", "switched off stays off"


def test_activated_late_it_reaches_tasks_that_are_there():
    """Not only the base class: a task that takes `pe` and does nothing with it would be worse."""
    out = python(
        """
        import os
        import modelgenerator.tasks
        os.environ["MGEN_LC_DISABLE"] = "0"
        import modelgenerator_long_context
        modelgenerator_long_context.activate()
        from functools import partial
        from modelgenerator.backbones.positional import yarn
        from modelgenerator.long_context.backbones import aido_dna_tiny
        from modelgenerator.long_context.installation import rotary_embedding
        task = modelgenerator.tasks.Embed(aido_dna_tiny, pe=partial(yarn, factor=16.0))
        task.configure_model()
        print(type(rotary_embedding(task)).__module__)
        """,
        MGEN_LC_DISABLE="1",
    )
    expected = "modelgenerator.backbones.positional.yarn"
    assert out.stdout.splitlines()[-1:] == [expected], out.stderr[-2000:]


@pytest.mark.slow
def test_a_fork_activates_from_its_own_init(tmp_path, root):
    """Our two folders within upstream's, and one import in its `__init__`, in place of the .pth."""
    site = Path(sysconfig.get_path("purelib"))
    upstream, fork = site / "modelgenerator", tmp_path / "modelgenerator"
    (fork / "backbones").mkdir(parents=True)
    for folder in ("", "backbones"):
        for entry in (upstream / folder).iterdir():
            if entry.name not in ("__init__.py", "__pycache__", "backbones"):
                (fork / folder / entry.name).symlink_to(entry)
    shutil.copy(upstream / "backbones" / "__init__.py", fork / "backbones")
    init = (upstream / "__init__.py").read_text() + "\nimport modelgenerator_long_context\n"
    (fork / "__init__.py").write_text(init)
    for ours in ("backbones/positional", "long_context"):
        if not (fork / ours).is_symlink():  # a wheel's files are in upstream's folder already
            (fork / ours).symlink_to(root / "modelgenerator" / ours)
    shutil.copy(root / "modelgenerator_long_context.py", tmp_path)
    out = python(
        """
        import sys
        assert "modelgenerator_long_context" not in sys.modules
        from functools import partial
        import modelgenerator
        from modelgenerator.backbones.positional import yarn
        from modelgenerator.long_context.backbones import aido_dna_tiny
        from modelgenerator.tasks import Embed
        task = Embed(aido_dna_tiny, pe=partial(yarn, factor=16.0))
        task.configure_model()
        from modelgenerator.long_context.installation import rotary_embedding
        print(type(rotary_embedding(task)).__name__, modelgenerator.__path__[0])
        """,
        "-PS",  # neither this folder nor any .pth file
        PYTHONPATH=f"{tmp_path}{os.pathsep}{site}",
    )
    assert out.stdout.splitlines()[-1:] == [f"yarn {fork}"], out.stderr[-2000:]


def test_activation_within_upstreams_own_import(tmp_path, root):
    """By then nothing waits for `modelgenerator` any more: its path must be extended at once."""
    (tmp_path / "modelgenerator").mkdir()
    init = "import modelgenerator_long_context\n"
    (tmp_path / "modelgenerator" / "__init__.py").write_text(init)
    (tmp_path / "plugin" / "modelgenerator" / "long_context").mkdir(parents=True)
    shutil.copy(root / "modelgenerator_long_context.py", tmp_path / "plugin")
    out = python(
        "import modelgenerator.long_context as ours; print(*ours.__path__)",
        "-PS",
        PYTHONPATH=f"{tmp_path}{os.pathsep}{tmp_path / 'plugin'}",
    )
    assert out.stdout.split() == [str(tmp_path / "plugin/modelgenerator/long_context")], out.stderr
