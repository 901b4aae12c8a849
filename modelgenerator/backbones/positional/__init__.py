# SPDX-License-Identifier: Apache-2.0
"""Rotary position embeddings that carry a pretrained encoder to longer sequences.

Needs torch alone; CLEX also torchdiffeq, when it first solves. `base` holds the contract,
`frequencies` the maths, `registry` the table of methods; each method, or close family, has a file.
"""

from .base import SPECIAL_TOKENS, RotaryEmbedding, RotaryGeometry, RotaryTable
from .clex import clex
from .gene import gene
from .helix import helix
from .llama3 import llama3
from .longrope import longrope
from .ntk import ntk
from .pi import pi
from .registry import POSITIONAL, get_positional, list_positional, register_positional
from .rope import rope
from .rotation import apply_rotary
from .yarn import yarn

__all__ = [
    "POSITIONAL",
    "SPECIAL_TOKENS",
    "RotaryEmbedding",
    "RotaryGeometry",
    "RotaryTable",
    "apply_rotary",
    "clex",
    "gene",
    "get_positional",
    "helix",
    "list_positional",
    "llama3",
    "longrope",
    "ntk",
    "pi",
    "register_positional",
    "rope",
    "yarn",
]
