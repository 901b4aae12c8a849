# SPDX-License-Identifier: Apache-2.0
"""Activation of the long-context plugin for ModelGenerator, and nothing else.

A `.pth` file imports this module whenever Python starts. It puts one finder on `sys.meta_path` that
waits for three imports and otherwise stays out of the way:

- `modelgenerator` and `modelgenerator.backbones`: their `__path__` gains our folders, which an
  editable install keeps elsewhere than upstream's (a wheel puts them in upstream's own folder).
- `modelgenerator.tasks.base`: right after it ran, and before the tasks that derive from it are
  made, its `TaskInterface` gains the keyword `pe`.

No file of upstream is changed. Set `MGEN_LC_DISABLE=1` to leave upstream as it is.
"""

import os
import sys
from importlib.machinery import PathFinder

TESTED_UPSTREAM = ("0.1.3.post0",)
HERE = os.path.dirname(os.path.abspath(__file__))


def _check_upstream(spec):
    """Say so when upstream is absent or of a version this plugin was never run with."""
    if spec is None or spec.loader is None or spec.origin is None:
        raise ModuleNotFoundError(
            "modelgenerator-long-context extends ModelGenerator, which is not installed. Run: "
            f"pip install modelgenerator=={TESTED_UPSTREAM[-1]}",
            name="modelgenerator",
        )
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("modelgenerator")
    except PackageNotFoundError:  # a git checkout of upstream on the path
        found = "unknown"
    if found not in TESTED_UPSTREAM:
        import warnings

        warnings.warn(
            f"modelgenerator-long-context was tested with modelgenerator "
            f"{', '.join(TESTED_UPSTREAM)}; found {found}. If `model.pe` misbehaves, install a "
            "tested version, or set MGEN_LC_DISABLE=1 to run upstream without the plugin.",
            stacklevel=2,
        )


def _extend_path(module):
    ours = os.path.join(HERE, *module.__name__.split("."))
    if os.path.isdir(ours) and ours not in map(os.path.abspath, module.__path__):
        module.__path__.append(ours)


def _add_pe(module):
    from modelgenerator.long_context.model_pe import add_pe

    add_pe(module.TaskInterface)


_AFTER_IMPORT = {
    "modelgenerator": _extend_path,
    "modelgenerator.backbones": _extend_path,
    "modelgenerator.tasks.base": _add_pe,
}


class LongContextFinder:
    """Runs one of our functions right after one of upstream's modules was imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Find the module where Python would, and append our function to its execution."""
        after_import = _AFTER_IMPORT.get(name)
        if after_import is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if name == "modelgenerator":
            _check_upstream(spec)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            after_import(module)

        spec.loader.exec_module = exec_module
        return spec


def activate():
    """Install the finder once, unless `MGEN_LC_DISABLE` is set; extend what is already imported."""
    disabled = os.environ.get("MGEN_LC_DISABLE", "") not in ("", "0")
    if disabled or any(finder is LongContextFinder for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, LongContextFinder)
    # A git fork of ModelGenerator imports this module from its own `__init__`, while that runs.
    for name, after_import in _AFTER_IMPORT.items():
        if name in sys.modules:
            after_import(sys.modules[name])


activate()
