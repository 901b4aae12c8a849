# SPDX-License-Identifier: Apache-2.0
"""The methods as curves: how much each slows every channel, and how it sharpens attention."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes

from modelgenerator.backbones.positional import (
    SPECIAL_TOKENS,
    RotaryEmbedding,
    RotaryGeometry,
    clex,
    gene,
    helix,
    llama3,
    ntk,
    pi,
    rope,
    yarn,
)
from modelgenerator.long_context.report.colours import COLOURS, OTHER

AIDO_DNA_300M = RotaryGeometry(64, 16, 10000.0, 4000)
FACTOR = 16.0
METHODS = (rope, pi, ntk, yarn, gene, clex, helix, llama3)


def plot_methods(path: Path) -> None:
    """Draw frequencies over plain RoPE's, and logit factors by length, for AIDO.DNA-300M at 16x.

    Args:
        path: Picture to write; its suffix says the format.
    """
    methods = {cls.__name__: cls(AIDO_DNA_300M).eval() for cls in METHODS}
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.3), layout="constrained")
    _plot_frequencies(left, methods)
    _plot_factors(right, methods)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *left.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=len(methods),
        frameon=False,
        fontsize=9,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _plot_frequencies(axis: Axes, methods: dict[str, RotaryEmbedding]) -> None:
    original = AIDO_DNA_300M.original_max_position_embeddings
    seq_len = round(FACTOR * original) + SPECIAL_TOKENS
    plain = methods["rope"].inverse_frequencies(seq_len)
    with torch.no_grad():
        for name, method in methods.items():
            ratio = method.inverse_frequencies(seq_len) / plain
            axis.plot(ratio, label=name, color=COLOURS.get(name, OTHER), lw=1.8, alpha=0.9)
    one_turn = int((plain * original > 2 * torch.pi).sum())
    axis.axvline(one_turn, color="#BBBBBB", lw=1, zorder=0)
    axis.text(one_turn + 0.3, 1.05, "fewer than one turn in L", fontsize=8, color="#777777")
    axis.set_yscale("log", base=2)
    axis.set_yticks([1, 1 / 2, 1 / 4, 1 / 8, 1 / 16], ["1", "1/2", "1/4", "1/8", "1/16"])
    axis.set_xlabel("channel pair, fast to slow")
    axis.set_title(f"Frequency over plain RoPE's, at {FACTOR:g}x", loc="left", fontsize=11)


def _plot_factors(axis: Axes, methods: dict[str, RotaryEmbedding]) -> None:
    original = AIDO_DNA_300M.original_max_position_embeddings
    extensions = [2**x for x in torch.linspace(0, 4, 65).tolist()]
    shown = {
        "yarn": methods["yarn"],
        "yarn, dynamic": yarn(AIDO_DNA_300M, dynamic=True),
        "ntk dynamic, log_n": ntk(AIDO_DNA_300M, dynamic=True, temperature="log_n"),
        "all others": methods["rope"],
    }
    styles = {"yarn, dynamic": "--", "ntk dynamic, log_n": "--"}
    for name, method in shown.items():
        factors = [
            float(method.attention_factor(round(x * original) + SPECIAL_TOKENS)) ** 2
            for x in extensions
        ]
        colour = COLOURS.get(name.split(",")[0].split(" ")[0], OTHER)
        axis.plot(extensions, factors, styles.get(name, "-"), label=name, color=colour, lw=1.8)
    axis.set_xscale("log", base=2)
    axis.set_xticks([1, 2, 4, 8, 16], ["1x", "2x", "4x", "8x", "16x"])
    axis.set_xlabel("length over original context")
    axis.set_title("Factor on attention logits", loc="left", fontsize=11)
    axis.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1.0, 0.07))
