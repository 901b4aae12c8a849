# SPDX-License-Identifier: Apache-2.0
"""Sharpness that was measured on the encoder: from the spread of its logits, or head by head."""

import json
import math
from pathlib import Path

import torch
from torch import Tensor

from .base import RotaryGeometry

SCHEMA = "calibration/1"
KAPPA_SCHEMA = "head_calibration/1"


def read_logit_std(path: str, geometry: RotaryGeometry, original: int) -> Tensor:
    """Spread of the logits of each head over all layers, float32 [H].

    One number stands for a head of every layer, as one rotary table does: the harmonic mean of the
    variances, for which the mean over layers of the sharpening each would get is right to first
    order in ln s.

    Args:
        path: File that `mgen-lc calibrate` wrote.
        geometry: Of the encoder that it is to be used for.
        original: Its original context, in nucleotides.

    Raises:
        ValueError: If the file cannot be read, is none of these, was measured on an encoder with
            another number of heads, another width or another context, or holds spreads that are
            not above 0.
    """
    option, command = f"calibration={path!r}", "mgen-lc calibrate"
    found = _read(path, SCHEMA, option, command)
    _check_encoder(found, geometry, original, option, command)
    std = _numbers(found.get("logit_std"))
    whole = std.ndim == 2 and len(std) > 0 and std.shape[1] == geometry.num_heads
    if not (whole and bool((std.isfinite() & (std > 0)).all())):
        raise ValueError(
            f"{option} does not hold a number above 0 for each of "
            f"{geometry.num_heads} heads of every layer: calibrate again with `{command}`."
        )
    return std.square().reciprocal().mean(0).rsqrt().float()


def read_kappa(path: str, geometry: RotaryGeometry, original: int) -> Tensor:
    """Exponents of the length by which each head of each layer sharpens, float32 [layers, H].

    Args:
        path: File that `mgen-lc calibrate-heads` wrote.
        geometry: Of the encoder that it is to be used for.
        original: Its original context, in nucleotides.

    Raises:
        ValueError: If the file cannot be read, is none of these, was measured on an encoder with
            other layers, heads, width or context, or holds exponents below 0.
    """
    option, command = f"kappa_start={path!r}", "mgen-lc calibrate-heads"
    found = _read(path, KAPPA_SCHEMA, option, command)
    _check_encoder(found, geometry, original, option, command)
    kappa = _numbers(found.get("kappa"))
    shape = (geometry.num_layers, geometry.num_heads)
    if kappa.shape != shape or not bool((kappa.isfinite() & (kappa >= 0)).all()):
        raise ValueError(
            f"{option} does not hold an exponent of at least 0 for each of {shape[1]} heads of "
            f"{shape[0]} layers: calibrate this encoder with `{command}`."
        )
    return kappa.float()


def _read(path: str, schema: str, option: str, command: str) -> dict:
    try:
        found = json.loads(Path(path).read_text())
    except OSError as error:
        raise ValueError(
            f"{option} cannot be read ({error.strerror}): give the file that `{command}` wrote."
        ) from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("schema") != schema:
        raise ValueError(f"{option} is no calibration: give the file that `{command}` wrote.")
    return found


def _check_encoder(
    found: dict, geometry: RotaryGeometry, original: int, option: str, command: str
) -> None:
    for name, ours in (
        ("num_heads", geometry.num_heads),
        ("rotary_dim", geometry.rotary_dim),
        ("original_max_position_embeddings", original),
    ):
        if found.get(name) != ours:
            raise ValueError(
                f"{option} was measured on an encoder with {name}={found.get(name)}, this one has "
                f"{ours}: calibrate this one with `{command}`."
            )


def _numbers(found: object) -> Tensor:
    try:
        return torch.tensor(found, dtype=torch.float64, device="cpu")
    except (TypeError, ValueError, RuntimeError):  # none, no numbers, or rows of differing lengths
        return torch.empty(0)


def calibrated_factor(logit_std: Tensor, extension: float) -> Tensor:
    """Factor on q and k that keeps the entropy of attention as the keys multiply, float32 [H].

    For logits that are normal with standard deviation sigma the entropy over n keys is
    ln n - sigma^2 / 2; multiplied by sqrt(1 + 2 ln(s) / sigma^2) they keep it at s n keys. Exactly
    1 at s = 1. The factor on q and k is the root of that.

    Args:
        logit_std: Sigma of each head at the original context [H].
        extension: s, at least 1.
    """
    return (1.0 + 2.0 * math.log(extension) / logit_std.square()) ** 0.25
