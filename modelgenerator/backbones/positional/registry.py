# SPDX-License-Identifier: Apache-2.0
"""The table of methods: a new method is a file and a row here."""

import difflib

from .base import RotaryEmbedding
from .clex import clex
from .gene import gene
from .helix import helix
from .llama3 import llama3
from .longrope import longrope
from .ntk import ntk
from .pi import pi
from .rope import rope
from .yarn import yarn

POSITIONAL: dict[str, type[RotaryEmbedding]] = {
    "rope": rope,
    "pi": pi,
    "ntk": ntk,
    "yarn": yarn,
    "llama3": llama3,
    "longrope": longrope,
    "gene": gene,
    "clex": clex,
    "helix": helix,
}


def list_positional() -> list[str]:
    """Names of all known methods, sorted."""
    return sorted(POSITIONAL)


def get_positional(name: str) -> type[RotaryEmbedding]:
    """Class of the method called `name`.

    Raises:
        ValueError: If there is none; the message names the nearest and all known ones.
    """
    if name in POSITIONAL:
        return POSITIONAL[name]
    nearest = difflib.get_close_matches(str(name), POSITIONAL, n=1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(
        f"Unknown positional embedding {name!r}.{hint} Known: {', '.join(list_positional())}."
    )


def register_positional(name: str, cls: type[RotaryEmbedding]) -> None:
    """Add a method from outside this package under `name`, for `model.pe`.

    Args:
        name: The name of the class, by which configurations find it.
        cls: A method.

    Raises:
        ValueError: If `name` is taken or is not the class's, or `cls` is not a RotaryEmbedding.
    """
    if not (isinstance(cls, type) and issubclass(cls, RotaryEmbedding)):
        raise ValueError(
            f"cls={cls!r} cannot be registered as positional embedding {name!r}: "
            "give a subclass of RotaryEmbedding."
        )
    if name != cls.__name__:
        raise ValueError(
            f"name={name!r} is not the name of the class, {cls.__name__}, and `model.pe: {name}` "
            "would not find it: give the name of the class."
        )
    if name in POSITIONAL:
        raise ValueError(
            f"name={name!r} is taken by {POSITIONAL[name].__module__}.{POSITIONAL[name].__name__}: "
            "choose another name."
        )
    POSITIONAL[name] = cls
