# SPDX-License-Identifier: Apache-2.0
"""The activation module, in Python processes of its own."""

import json
import subprocess
import sys
import textwrap

import pytest


def python(code, *flags, **environment):
    import os

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
