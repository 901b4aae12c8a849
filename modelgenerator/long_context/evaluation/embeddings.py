# SPDX-License-Identifier: Apache-2.0
"""Embeddings of a frozen encoder, kept in files, so that a probe costs one forward per window.

A file is bound to what made it: the weights, the positional method with its options, the pooling
and the windows themselves, all by content. Another model's embeddings are never taken for these.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_warn
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import RandomSampler
from tqdm import tqdm

from modelgenerator.long_context.adapters.pooling import mean_pool
from modelgenerator.long_context.evaluation.results import check_writable
from modelgenerator.long_context.whole_file import whole_file

FORMAT = "embeddings/1"


class Embeddings(NamedTuple):
    """One row a window: float32 [windows, width], and labels [windows, ...]."""

    features: np.ndarray
    labels: np.ndarray


def embed(
    task: nn.Module,
    loader: Iterable[dict],
    pool: Callable = mean_pool,
    cache: Optional[Union[str, os.PathLike]] = None,
) -> Embeddings:
    """Embed every window of a loader with a task's encoder, in evaluation mode.

    Args:
        task: A task that is set up (`configure_model`), with or without `pe`; its device is used.
        loader: Batches with `input_ids`, `attention_mask` and `labels`, in a fixed order.
        pool: From hidden states [B, S, D] and attention mask [B, S] to [B, D], such as `mean_pool`
            or `functools.partial(centre_pool, width=512)`.
        cache: Folder of embedding files. One that fits is read instead of running the encoder.

    Raises:
        ValueError: If the loader shuffles, is empty, or a file in the cache is another model's.
    """
    if isinstance(getattr(loader, "sampler", None), RandomSampler):
        raise ValueError(
            "loader: it shuffles, and embeddings are kept in order. Give one with shuffle=False."
        )
    if cache is None:
        return _run(task, loader, pool)
    key = {
        "format": FORMAT,
        "encoder": encoder_digest(task),
        "method": _method(task),
        "pool": _name(pool),
        "precision": _precision(task),
        "data": data_digest(loader),
    }
    path = Path(cache) / f"{_digest(json.dumps(key, sort_keys=True).encode())}.safetensors"
    found = load_embeddings(path, key)
    if found is None:
        check_writable(path, "cache")
        found = _run(task, loader, pool)
        _save(path, key, found)
    return found


@torch.inference_mode()
def _run(task: nn.Module, loader: Iterable[dict], pool: Callable) -> Embeddings:
    features, labels = [], []
    device = next(task.parameters()).device
    was_training = task.training
    task.eval()
    try:
        for batch in tqdm(loader, desc="Embedding", unit="batch", mininterval=1, leave=False):
            mask = batch["attention_mask"].to(device)
            hidden = task.backbone(batch["input_ids"].to(device), mask).last_hidden_state
            features.append(pool(hidden, mask).float().cpu())
            labels.append(torch.as_tensor(batch["labels"]))
    finally:
        task.train(was_training)
    if not features:
        raise ValueError("loader: it has no batch. Give one with windows.")
    return Embeddings(torch.cat(features).numpy(), torch.cat(labels).numpy())


def encoder_digest(task: nn.Module) -> str:
    """Hash of every weight of a task's encoder, LoRA and learned frequencies among them."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(task.backbone.encoder.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(_bytes(value))
    return digest.hexdigest()


def data_digest(loader: Iterable[dict]) -> str:
    """Hash of the windows and labels in order; batch size and padding do not count."""
    windows, labels = (hashlib.blake2b(digest_size=16) for _ in range(2))
    for batch in loader:
        for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
            tokens = ids[mask.bool()]
            windows.update(f"{len(tokens)} ".encode())
            windows.update(_bytes(tokens))
        labels.update(_bytes(torch.as_tensor(batch["labels"])))
    return _digest(windows.digest() + labels.digest())


def load_embeddings(path: Union[str, os.PathLike], key: dict) -> Optional[Embeddings]:
    """Embeddings from a file, None if there is no whole one.

    Raises:
        ValueError: If the file was made from anything else than `key` says.
    """
    try:
        with safe_open(path, framework="pt") as file:
            made = json.loads(file.metadata()["key"])
            found = Embeddings(
                file.get_tensor("features").numpy(), file.get_tensor("labels").numpy()
            )
    except FileNotFoundError:
        return None
    except (SafetensorError, KeyError, TypeError, ValueError):
        rank_zero_warn(f"cache: {path} is damaged and is made again.")
        return None
    for part, value in key.items():
        if made.get(part) != value:
            raise ValueError(
                f"cache: {path} holds embeddings of another {part}: {made.get(part)}, where this "
                f"run has {value}. Give another folder, or delete the file."
            )
    return found


def _save(path: Path, key: dict, embeddings: Embeddings) -> None:
    tensors = {name: torch.from_numpy(value) for name, value in embeddings._asdict().items()}
    with whole_file(path) as partial:
        save_file(tensors, partial, metadata={"key": json.dumps(key, sort_keys=True)})


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _bytes(tensor: torch.Tensor) -> memoryview:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return memoryview(flat.view(torch.uint8).numpy()) if flat.numel() else memoryview(b"")


def _method(task: nn.Module) -> dict:
    """Positional method and options: those without weights are not in the encoder's digest."""
    if getattr(task, "pe", None) is None:
        return {"name": None}
    from modelgenerator.long_context.installation import rotary_embedding

    embedding = rotary_embedding(task)
    options = json.loads(json.dumps(embedding.options, default=str))
    original = embedding.original_max_position_embeddings
    return {
        "name": type(embedding).__name__,
        "options": options,
        "original_max_position_embeddings": original,
    }


def _name(pool: Callable) -> str:
    """The pooling in words, its bound arguments included: "centre_pool(width=512)"."""
    arguments = ", ".join(f"{k}={v}" for k, v in sorted(getattr(pool, "keywords", {}).items()))
    return f"{getattr(pool, 'func', pool).__name__}({arguments})"


def _precision(task: nn.Module) -> str:
    device = next(task.parameters()).device.type
    if torch.is_autocast_enabled(device):
        return f"autocast {torch.get_autocast_dtype(device)}"
    return str(next(task.parameters()).dtype)
