# SPDX-License-Identifier: Apache-2.0
"""Perplexity by length, loss by position and recall by distance, measured while a run trains."""

import math
from typing import NamedTuple

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.utils.data import DataLoader

from modelgenerator.long_context.callbacks.attention_statistics import AttentionStatistics
from modelgenerator.long_context.data import GenomeWindows, checks
from modelgenerator.long_context.data.window_sets import find_tiles
from modelgenerator.long_context.evaluation import MaskedBases, RecallByDistance
from modelgenerator.long_context.installation import base_encoder, rotary_backbone

COPY_METRICS = ("copy_perplexity", "recall_direct", "recall_reverse_complement")


class Measured(NamedTuple):
    """What one measurement found.

    Args:
        metrics: Numbers by name; of a length as "eval_perplexity/4000".
        curves: Points of each curve, with `x`, `y` and perhaps `line`.
    """

    metrics: dict[str, float]
    curves: dict[str, list[dict]]


class ByLength:
    """Measures a masked language model on the same validation bases at several lengths.

    Windows of the longest length are cut into shorter ones. Where the data plants copies for its
    tests, recall is measured on windows with copies as well.

    Args:
        data: The data module, set up.
        lengths: Window lengths in nucleotides; each divides the longest.
        windows: Windows of the longest length.
        attention_entropy: Measure the entropy of attention in the first window of each length.

    Raises:
        ValueError: If the validation blocks hold no window of the longest length, or a window has
            no room for copies.
    """

    def __init__(
        self, data: GenomeWindows, lengths: list[int], windows: int, attention_entropy: bool
    ):
        self.lengths = sorted(lengths)
        if data.test_copies:
            checks.check_copies(
                {length: data._planting(length).count for length in self.lengths},
                data.copy_min_length,
                data.copy_max_length,
                data.copy_reverse_complement,
                data.copy_share,
            )
        self.attention_entropy = attention_entropy
        longest = self.lengths[-1]
        args = (data.parts.valid, longest, data.genome.n_runs, data.max_n_fraction, windows)
        tiles = find_tiles("valid", *args)
        kinds = ("natural", "copies") if data.test_copies else ("natural",)
        self._loaders = {
            (kind, length): DataLoader(
                data._fixed_set(data.genome, tiles, longest, length, float(kind == "copies")),
                batch_size=max(1, data.batch_size * data.window // length),
                generator=torch.Generator(),  # else each pass takes a number from training's own
            )
            for kind in kinds
            for length in self.lengths
        }

    @torch.no_grad()
    def measure(self, trainer: Trainer, task: LightningModule) -> Measured:
        """Measure, and leave the task and all random numbers as they were.

        Args:
            trainer: The trainer, for device and precision.
            task: A task with the `evaluate` of `MaskedLM`.
        """
        modes = {module: module.training for module in task.modules()}
        task.eval()
        metrics, curves = {}, {"perplexity_by_length": [], "loss_by_position": []}
        try:
            for kind, length in self._loaders:
                bases, recall = self._count(trainer, task, kind, length)
                add_bases(metrics, curves, "eval", length, kind, bases.compute())
                if kind == "copies":
                    add_recall(curves, length, recall.compute())
            if self.attention_entropy and task.pe is not None:
                self._entropy(trainer, task, metrics, curves)
        finally:
            for module, training in modes.items():
                module.training = training
        return Measured(metrics, curves)

    def _count(
        self, trainer: Trainer, task: LightningModule, kind: str, length: int
    ) -> tuple[MaskedBases, RecallByDistance]:
        bases = MaskedBases(task.position_bins).to(task.device)
        recall = RecallByDistance().to(task.device)
        # Every rank measures all windows, so nothing is to be added up over ranks.
        bases.sync_on_compute = recall.sync_on_compute = False
        for batch in self._loaders[kind, length]:
            collated = task.transform(trainer.strategy.batch_to_device(batch))
            with trainer.precision_plugin.forward_context():
                out = task.evaluate(task.forward(collated), collated)
            bases.update(out["nll"], out["hit"], out["position"], out["kind"])
            copied = out["kind"] > 0
            if copied.any():
                distance = collated["copy_distance"][collated["labels"] != -100]
                recall.update(out["kind"][copied], distance[copied], out["hit"][copied])
        return bases, recall

    def _entropy(
        self, trainer: Trainer, task: LightningModule, metrics: dict, curves: dict
    ) -> None:
        """Mean entropy of all layers, over the most there can be: 1 is attention spread evenly."""
        from modelgenerator.long_context.encoder import LongSelfAttention

        look = AttentionStatistics(windows=1)._look
        encoder = base_encoder(rotary_backbone(task))
        layers = [m for m in encoder.modules() if isinstance(m, LongSelfAttention)]
        points = curves.setdefault("entropy_by_length", [])
        for length in self.lengths:
            found: list = []

            def hook(layer: nn.Module, inputs: tuple, length: int = length, found: list = found):
                spreads: list = []
                look(layer, inputs[0], inputs[-1], spreads)
                found.append(spreads[0].entropy.mean())

            handles = [layer.register_forward_pre_hook(hook) for layer in layers]
            try:
                batch = next(iter(self._loaders["natural", length]))
                collated = task.transform(trainer.strategy.batch_to_device(batch))
                with trainer.precision_plugin.forward_context():
                    task.forward(collated)
            finally:
                for handle in handles:
                    handle.remove()
            entropy = torch.stack(found).mean() / math.log(length + 2)
            metrics[f"attention_entropy/{length}"] = entropy.item()
            points.append({"x": length, "y": entropy.item()})


def add_bases(
    metrics: dict, curves: dict, stage: str, length: int, kind: str, values: dict
) -> None:
    """Enter what `MaskedBases` found in windows of a length.

    Args:
        metrics: Entered in place: "eval_perplexity/4000" and the like.
        curves: Entered in place.
        stage: What the metrics' names begin with.
        length: Window length in nucleotides.
        kind: "natural" or "copies".
        values: From `MaskedBases.compute`.
    """
    if kind == "copies":
        for name in COPY_METRICS:
            if name in values:
                metrics[f"{stage}_{name}/{length}"] = values[name]
        return
    if "perplexity" not in values:
        return
    metrics[f"{stage}_perplexity/{length}"] = values["perplexity"]
    curves["perplexity_by_length"].append({"x": length, "y": values["perplexity"]})
    parts = values["loss_by_position"]
    curves["loss_by_position"] += [
        {"x": (i + 0.5) / len(parts), "y": loss, "line": f"{length} nt"}
        for i, loss in enumerate(parts)
    ]


def add_recall(curves: dict, length: int, rows: list[dict]) -> None:
    """Enter what `RecallByDistance` found in windows of a length: points at the bins' centres."""
    names = {"copy": "direct", "reverse_complement_copy": "reverse complement"}
    curves.setdefault("recall_by_distance", []).extend(
        {
            "x": (row["low"] * row["high"]) ** 0.5,
            "y": row["hits"] / row["bases"],
            "line": f"{length} nt, {names[row['kind']]}",
        }
        for row in rows
    )
