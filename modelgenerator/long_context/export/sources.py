# SPDX-License-Identifier: Apache-2.0
"""Which files of the positional package a method needs."""

import ast
import inspect
from pathlib import Path

from modelgenerator.backbones import positional
from modelgenerator.backbones.positional import RotaryEmbedding

FOLDER = Path(positional.__file__).parent
ALWAYS = ("base", "rotation")


def method_sources(method: type[RotaryEmbedding]) -> dict[str, Path]:
    """Module name and file of a method and of all that it imports from beside it.

    Args:
        method: The method's class.

    Raises:
        ValueError: If the method is not one of this package: its file may need anything.
    """
    file = Path(inspect.getfile(method))
    if file.parent != FOLDER:
        raise ValueError(
            f"model.pe: {method.__name__} is defined in {file}, outside of this package, and "
            f"cannot be exported. Move its file to {FOLDER.name}/ first."
        )
    found, waiting = {}, [file.stem, *ALWAYS]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = FOLDER / f"{name}.py"
            waiting += _siblings(found[name])
    return found


def _siblings(file: Path) -> list[str]:
    tree = ast.parse(file.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [node.module for node in imports if node.level == 1]
