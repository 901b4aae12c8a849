# SPDX-License-Identifier: Apache-2.0
"""What a method is called and how it is drawn: one colour in every picture, a line a variant."""

from typing import NamedTuple, Optional

# Okabe and Ito 2008: told apart by readers with any colour vision.
COLOURS = {
    "rope": "#000000",
    "pi": "#E69F00",
    "ntk": "#56B4E9",
    "yarn": "#009E73",
    "gene": "#CC79A7",
    "clex": "#D55E00",
    "helix": "#0072B2",
}
OTHER = "#777777"
LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


class Style(NamedTuple):
    """How a label is drawn."""

    colour: str
    line: str = "-"
    marker: str = "o"


def styles(methods: dict[str, Optional[str]]) -> dict[str, Style]:
    """A style for each label: its method's colour, a line of its own within it, and a marker.

    Args:
        methods: The method of each label, in the order they are to be shown.
    """
    found: dict[str, Style] = {}
    for place, (label, method) in enumerate(methods.items()):
        colour = COLOURS.get(method, OTHER)
        before = sum(style.colour == colour for style in found.values())
        found[label] = Style(colour, LINES[before % len(LINES)], MARKERS[place % len(MARKERS)])
    return found


def method_order(method: Optional[str]) -> int:
    """Where a method stands in a list: upstream first, then as in `COLOURS`, then the others."""
    names = [None, *COLOURS]
    return names.index(method) if method in names else len(names)


def plain_name(method: Optional[str], factor: float) -> str:
    """What a method with a factor is called in tables and legends."""
    name = {None: "upstream", "rope": "plain RoPE"}.get(method, method)
    return name if factor == 1.0 else f"{name} {factor:g}x"
