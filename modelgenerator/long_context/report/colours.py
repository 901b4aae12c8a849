# SPDX-License-Identifier: Apache-2.0
"""One colour a method, in every picture."""

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
