# SPDX-License-Identifier: Apache-2.0
"""Shows the API pages our folders of `modelgenerator` alone, and as a package of their own.

Our folders have no `__init__.py` above them, so that they do not hide upstream's package; read
where they are, upstream's package would hide them. Nothing is imported to make the pages.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("backbones/positional", "long_context")


def on_startup(command, dirty):
    """Link our folders into a package under build/api, where mkdocstrings looks for sources."""
    package = ROOT / "build/api/modelgenerator"
    for folder in OURS:
        link = package / folder
        for parent in (link.parent, package):
            parent.mkdir(parents=True, exist_ok=True)
            (parent / "__init__.py").touch()
        if not link.is_symlink():
            link.symlink_to(ROOT / "modelgenerator" / folder, target_is_directory=True)
