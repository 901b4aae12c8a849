# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc new-method`: the files of a positional method of your own, to fill in."""

import re
from keyword import iskeyword
from pathlib import Path
from string import Template

from jsonargparse import ArgumentParser, Namespace

HELP = "Write a draft positional method: class, test, configuration and a row in the documentation."
TEMPLATES = Path(__file__).parents[1] / "assets/new_method"
METHODS = "modelgenerator/backbones/positional"
CONFIG = "configs/pi_16x.yaml"
HEAD = """\
# Draft $name of $member, 16x: AIDO.DNA-300M from 4,000 to 64,000 nt.
#
#   mgen fit --config $path --data.fasta GENOME.fa
#   mgen fit --config $path --config configs/tiny.yaml      # small, on a CPU
#
# Needs what configs/pi_16x.yaml needs, of which this was a copy.
"""
ROWS = {
    "docs/methods.md": "| `$name` (draft) | θᵢ / s | 1 | – | same | slowed as well |",
    "docs/methods.zh-CN.md": "| `$name`（草稿） | θᵢ / s | 1 | – | 相同 | 同样被放慢 |",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("name", help="name of the method, as in model.pe; lower case, e.g. my_ramp")
    parser.add_argument(
        "--member", required=True, help="whose draft it is: the folder in configs/members"
    )
    parser.add_argument("--root", default=".", help="root of the git checkout")


def run(options: Namespace) -> None:
    """Write all files, or none.

    Raises:
        ValueError: If the name or the member cannot be used, a file is there already, or `root` is
            not a checkout of this project.
    """
    root = Path(options.root)
    check_name(options.name)
    check_member(options.member)
    files = drafts(root, options.name, options.member)
    for path in files:
        if path.exists() and str(path.relative_to(root)) not in ROWS:
            raise ValueError(f"name: {options.name!r}; {path} is there already. Choose another.")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path)
    method, test, config, *_ = files
    print(
        f"\nPut your formula into {method.name}, numbers worked out by hand into the test, then:\n"
        f"  pytest {test}\n"
        f"  mgen fit --config {config} --config configs/tiny.yaml\n"
        "CONTRIBUTING.md says how it gets to main."
    )


def check_name(name: str) -> None:
    """Refuse what cannot be a method's name.

    Raises:
        ValueError: If `name` is no lower-case Python name, or taken.
    """
    from modelgenerator.backbones import positional

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise ValueError(
            f"name: {name!r}; give a Python name in lower case: letters, digits and _, "
            "with a letter first, and no keyword."
        )
    if name in positional.list_positional():
        known = ", ".join(positional.list_positional())
        raise ValueError(f"name: {name!r} is a known method. Choose another name than {known}.")
    if hasattr(positional, name):
        raise ValueError(f"name: {name!r} is used within {positional.__name__}. Choose another.")


def check_member(member: str) -> None:
    """Refuse what cannot be a folder's name.

    Raises:
        ValueError: If `member` is anything but lower-case letters, digits and hyphens.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", member):
        raise ValueError(f"member: {member!r}; give lower-case letters, digits and hyphens.")


def drafts(root: Path, name: str, member: str) -> dict[Path, str]:
    """Every file of the draft and its text: method, test, configuration, documentation.

    Raises:
        ValueError: If `root` has not the files that drafts are made beside.
    """
    path = f"configs/members/{member}/{name}_16x.yaml"

    def fill(text: str) -> str:
        return Template(text).substitute(name=name, member=member, path=path)

    return {
        root / METHODS / f"{name}.py": fill((TEMPLATES / "method.py.tmpl").read_text()),
        root / f"tests/backbones/positional/test_{name}.py": fill(
            (TEMPLATES / "test.py.tmpl").read_text()
        ),
        root / path: fill(HEAD) + own_config(read(root / CONFIG), name),
        **{root / page: with_row(read(root / page), fill(row)) for page, row in ROWS.items()},
    }


def read(path: Path) -> str:
    """Text of a file of the checkout.

    Raises:
        ValueError: If it is not there.
    """
    if not path.is_file():
        raise ValueError(
            f"root: {path} is missing. Give the root of a git checkout of this project."
        )
    return path.read_text()


def own_config(config: str, name: str) -> str:
    """The configuration of `pi` without its head, for the class `name` and run folders of its own.

    The class is given by its path, so that it needs no row in the table of methods.
    """
    body = re.sub(r"\A(#.*\n)*", "", config)
    own = f"modelgenerator.backbones.positional.{name}.{name}"
    return body.replace("class_path: pi\n", f"class_path: {own}\n").replace("pi_16x", f"{name}_16x")


def with_row(page: str, row: str) -> str:
    """The page with `row` at the end of its first table."""
    (first_table,) = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)[:1]
    return page.replace(first_table, f"{first_table}{row}\n", 1)
