# SPDX-License-Identifier: Apache-2.0
"""The curves as pictures in wandb and TensorBoard, beside the scalars those get from Lightning."""

from collections.abc import Iterable

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from matplotlib.figure import Figure

TITLES = {
    "perplexity_by_length": ("Perplexity by length", "window, nt", "perplexity"),
    "loss_by_position": ("Loss by position", "place in the window", "loss, nats"),
    "recall_by_distance": ("Recall by distance", "distance to the source, nt", "recall"),
    "entropy_by_length": ("Entropy of attention by length", "window, nt", "share of the most"),
}
LOGARITHMIC = ("perplexity_by_length", "recall_by_distance", "entropy_by_length")


def draw(name: str, points: list[dict]) -> Figure:
    """A curve as a figure, belonging to no window system.

    Args:
        name: One of `TITLES`.
        points: With `x`, `y` (None is a gap) and, of several lines, `line`.
    """
    title, x_label, y_label = TITLES[name]
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axis = figure.subplots()
    for line in dict.fromkeys(point.get("line") for point in points):
        part = [(p["x"], p["y"]) for p in points if p.get("line") == line and p["y"] is not None]
        axis.plot(*zip(*part, strict=True), marker="o", markersize=3, label=line)
        if line is not None:
            axis.legend(frameon=False, fontsize=7)
    if name in LOGARITHMIC:
        axis.set_xscale("log", base=2)
    axis.set(title=title, xlabel=x_label, ylabel=y_label)
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def log_pictures(loggers: Iterable[Logger], curves: dict[str, list[dict]], step: int) -> None:
    """Hand the curves as pictures to the loggers that take pictures.

    Args:
        loggers: Those of the trainer.
        curves: Points by curve.
        step: Optimiser steps so far.
    """
    loggers = [x for x in loggers if isinstance(x, (WandbLogger, TensorBoardLogger))]
    if not loggers:
        return
    for name, points in curves.items():
        if not any(point["y"] is not None for point in points):
            continue
        figure = draw(name, points)
        for logger in loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(name, [_picture(figure)], step=step)
            else:
                logger.experiment.add_figure(name, figure, step)


def _picture(figure: Figure):
    """A figure as an image, which wandb would else have to make through a window system."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return Image.open(buffer)
