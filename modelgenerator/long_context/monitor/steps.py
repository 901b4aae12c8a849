# SPDX-License-Identifier: Apache-2.0
"""What a training step costs and sees: seconds, waiting, tokens, length, losses that are no number.

Everything is added up on the device and read at logged steps only, so that no step waits for it.
"""

import time
from typing import NamedTuple, Optional, Union

import torch
from torch import Tensor


class Seen(NamedTuple):
    """Tokens of a batch and its longest row; None where the batch does not say.

    Args:
        tokens: How many, padding not counted; a tensor still on its device, or a number.
        longest: Tokens of the longest row.
    """

    tokens: Union[Tensor, int, None] = None
    longest: Optional[int] = None


def look(batch: object) -> Seen:
    """Tokens and length of a batch, from its token ids or, before tokenization, its sequences."""
    if not isinstance(batch, dict):
        return Seen()
    ids = batch.get("input_ids")
    if isinstance(ids, Tensor):
        mask = batch.get("attention_mask")
        tokens = mask.sum() if isinstance(mask, Tensor) else ids.numel()
        return Seen(tokens, ids.shape[-1])
    texts = batch.get("sequences")
    if isinstance(texts, (list, tuple)) and texts and all(isinstance(x, str) for x in texts):
        return Seen(sum(map(len, texts)), max(map(len, texts)))
    return Seen()


class Steps:
    """Adds up batches between two logged steps.

    Attributes:
        tokens: Trained on so far, on all ranks if they see as many as this one.
        nonfinite: Losses so far that were not finite numbers.

    Args:
        copies: Ranks with batches of their own.
    """

    def __init__(self, copies: int = 1):
        self.tokens = 0
        self.nonfinite = 0
        self._copies = copies
        self._clear()
        self.pause_ended()

    def _clear(self) -> None:
        self._batches, self._waited, self._busy = 0, 0.0, 0.0
        self._new_tokens: Union[Tensor, int] = 0
        self._bad: Union[Tensor, int] = 0
        self._longest: Optional[int] = None

    def so_far(self) -> tuple[int, int]:
        """`tokens` and `nonfinite` with what was not read yet; waits for the device."""
        new_tokens = int(self._new_tokens) * self._copies
        return self.tokens + new_tokens, self.nonfinite + int(self._bad)

    def pause_ended(self) -> None:
        """Not counted: validation, measurements, and what this class's owner does."""
        self._mark = time.perf_counter()

    def batch_started(self) -> None:
        """Since the last batch ended, data was waited for."""
        now = time.perf_counter()
        self._waited += now - self._mark
        self._mark = now

    def batch_ended(self, batch: object, loss: Optional[Tensor]) -> None:
        """Count a batch; nothing is read from the device."""
        seen = look(batch)
        if seen.tokens is not None:
            self._new_tokens = self._new_tokens + seen.tokens
            self._longest = max(self._longest or 0, seen.longest)
        if loss is not None:
            self._bad = self._bad + (~torch.isfinite(loss.detach())).sum()
        now = time.perf_counter()
        self._busy += now - self._mark
        self._mark = now
        self._batches += 1

    def read(self, steps: int) -> dict[str, float]:
        """Metrics since the last call, and begin anew.

        Args:
            steps: Optimiser steps since the last call.
        """
        started = time.perf_counter()
        new_tokens = int(self._new_tokens) * self._copies
        self.nonfinite += int(self._bad)
        # Reading waits for the device to finish these batches, which is their own time.
        self._busy += time.perf_counter() - started
        self.tokens += new_tokens
        seconds = self._waited + self._busy
        values = {
            "step_seconds": seconds / max(1, steps),
            "data_wait_share": self._waited / seconds if seconds else 0.0,
            "nonfinite_losses": self.nonfinite,
        }
        if self._longest is not None:
            values["length"] = self._longest
            values["tokens_per_s"] = new_tokens / seconds if seconds else 0.0
        self._clear()
        return values
