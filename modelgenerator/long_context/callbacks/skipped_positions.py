# SPDX-License-Identifier: Apache-2.0
"""Train on short windows at far positions (PoSE), with any positional method."""

from lightning.pytorch import Callback, LightningModule, Trainer

from modelgenerator.backbones.positional.checks import check_integer
from modelgenerator.backbones.positional.skip import PositionSkip
from modelgenerator.long_context.installation import rotary_embedding


class SkippedPositions(Callback):
    """Lets training windows stand for two parts of a longer context, a random stretch apart (PoSE).

    A window of the original context then trains distances up to those of the extended one, at the
    cost of the short window. Validation and testing are not touched. Zhu et al. (arXiv 2309.10400).

    Args:
        length: Extended context in nucleotides. By default that of the method, factor times L.
        seed: Decides the draws, with the step: a resumed run draws what an unbroken one would have.

    Raises:
        ValueError: If `length` is below 1 or `seed` below 0, if the task has no `pe`, if the method
            draws positions of its own, or if the training windows are longer than `length`.
    """

    def __init__(self, length: int | None = None, seed: int = 0):
        super().__init__()
        self.length = None if length is None else check_integer("length", length, 1)
        self.seed = check_integer("seed", seed, 0)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if getattr(pl_module, "pe", None) is None:
            raise ValueError(
                "SkippedPositions: the task has no model.pe whose positions could skip. Set "
                "`model.pe` (rope for plain RoPE), or leave the callback out."
            )
        embedding = rotary_embedding(pl_module)
        if getattr(embedding, "given_positions", "arange") != "arange":
            raise ValueError(
                f"SkippedPositions: model.pe draws positions of its own "
                f"(positions={embedding.given_positions!r}). Set its positions to arange, or leave "
                "the callback out."
            )
        window = getattr(trainer.datamodule, "window", None)
        length = embedding.max_position_embeddings if self.length is None else self.length
        if window is not None and window > length:
            raise ValueError(
                f"SkippedPositions: length {length:,} is shorter than the training windows of "
                f"{window:,}. Give the length of the extended context."
            )
        embedding.skip = PositionSkip(length, self.seed)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        rotary_embedding(pl_module).skip = None
