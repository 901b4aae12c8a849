# SPDX-License-Identifier: Apache-2.0
"""Which dataloaders of a test run hold windows as they are, and of what length."""

from lightning.pytorch import Trainer


def natural_test_sets(trainer: Trainer, callback: str) -> dict[int, int]:
    """Window length of each dataloader whose windows hold no planted copies.

    Args:
        trainer: The trainer of the test run.
        callback: Who asks, for the message.

    Raises:
        ValueError: If the data module does not say what its dataloaders hold.
    """
    sets = getattr(trainer.datamodule, "test_sets", None)
    if sets is None:
        raise ValueError(
            f"{callback} compares windows of several lengths, and "
            f"{type(trainer.datamodule).__name__} has no `test_sets` that say which are which. "
            "Test on modelgenerator.long_context.data.GenomeWindows."
        )
    return {index: length for index, (kind, length) in enumerate(sets) if kind == "natural"}
