# SPDX-License-Identifier: Apache-2.0
"""Says before the first step whether training fits the device."""

import re
from typing import Any, Optional

import psutil
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import FSDPStrategy
from lightning.pytorch.utilities import rank_zero_info

from modelgenerator.backbones.positional import SPECIAL_TOKENS
from modelgenerator.long_context.callbacks.gradient_checkpointing import GradientCheckpointing
from modelgenerator.long_context.installation import base_encoder, rotary_backbone
from modelgenerator.long_context.memory import FLOAT32, TrainingStep, peak_memory

SPECIAL_TOKEN = re.compile(r"\[[A-Z]+\]")  # one token, such as [MASK]


class MemoryCheck(Callback):
    """Compares the memory that a training step will take with what the device has.

    Counted for the first batch of a run, also of a resumed one; see
    `modelgenerator.long_context.memory`. The count leaves out what it cannot know, so whatever it
    finds too large cannot be trained. Batches of neither token ids nor `sequences`, as of tasks
    with several backbones, are not counted.

    Raises:
        ValueError: If the step cannot fit; the message says what to change.
    """

    def __init__(self) -> None:
        self._counted = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._counted = False

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self._counted:
            return
        self._counted = True
        lengths = row_lengths(batch, rotary_backbone(pl_module).max_length)
        if not lengths:
            return
        step, rows, longest = training_step(trainer, pl_module), len(lengths), max(lengths)
        tokens = sum(lengths) // getattr(trainer.strategy, "context_parallel_size", 1)
        parts = peak_memory(step, tokens)
        needed, there = sum(parts.values()), device_memory(pl_module.device)
        text = ", ".join(f"{name} {gib(value)}" for name, value in parts.items())
        message = (
            f"A training step on {rows} x {longest:,} tokens takes about {gib(needed)} GiB "
            f"({text}); {pl_module.device} has {gib(there)} GiB."
        )
        if needed > there:
            raise ValueError(f"{message} {advice(step, rows)}")
        rank_zero_info(message)


def training_step(trainer: Trainer, task: LightningModule) -> TrainingStep:
    """The encoder of a task and the way a trainer trains it."""
    encoder = base_encoder(rotary_backbone(task))
    checkpointing = [c for c in trainer.callbacks if isinstance(c, GradientCheckpointing)]
    kept = checkpointing[-1].keep if checkpointing else "everything"
    sharded = isinstance(trainer.strategy, FSDPStrategy)
    parameters = list(task.parameters())
    processes = trainer.world_size if sharded else 1
    # FSDP has cut the parameters by now, the others have not.
    return TrainingStep(
        layers=encoder.config.num_hidden_layers,
        width=encoder.config.hidden_size,
        intermediate=encoder.config.intermediate_size,
        heads=encoder.config.num_attention_heads,
        parameters=processes * sum(p.numel() for p in parameters),
        trained=processes * sum(p.numel() for p in parameters if p.requires_grad),
        weight_bytes=parameters[0].dtype.itemsize,
        compute_bytes=2 if "16" in str(trainer.precision) else FLOAT32,
        kept=kept,
        linear_trained=any(
            p.requires_grad for n, p in encoder.named_parameters() if "mlp.down_proj" in n
        ),
        differentiated=any(p.requires_grad for p in encoder.parameters()),
        moments=2 if all(isinstance(o, torch.optim.Adam) for o in trainer.optimizers) else 0,
        processes=processes,
    )


def row_lengths(batch: Any, max_length: Optional[int] = None) -> list[int]:
    """Tokens of each row of a batch, padding left out.

    Args:
        batch: What the dataloader gives: token ids, or sequences that are still to be tokenised.
        max_length: Tokens that sequences are cut at, special ones included; None for no limit.

    Returns:
        As many as rows; none for a batch of something else.
    """
    if not isinstance(batch, dict):
        return []
    if "input_ids" in batch:
        mask, (rows, longest) = batch.get("attention_mask"), batch["input_ids"].shape
        return [longest] * rows if mask is None else mask.sum(dim=1).tolist()
    given = batch.get("sequences", [])
    rows = [row for item in given for row in ([item] if isinstance(item, str) else item)]
    lengths = [len(SPECIAL_TOKEN.sub("N", row)) + SPECIAL_TOKENS for row in rows]
    return lengths if max_length is None else [min(n, max_length) for n in lengths]


def device_memory(device: torch.device) -> int:
    """Bytes that this process can have on a device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return psutil.virtual_memory().total


def gib(value: int) -> str:
    """Bytes as GiB, to a tenth."""
    return f"{value / 2**30:.1f}"


def advice(step: TrainingStep, rows: int) -> str:
    """What would make a training step smaller, most useful first."""
    attention_kept = step.kept == "attention" and step.differentiated
    ways = {
        "data.batch_size: 1": rows > 1,
        "the callback GradientCheckpointing": step.kept == "everything" and step.differentiated,
        "GradientCheckpointing with keep: inputs (configs/keep_inputs.yaml)": attention_kept,
        "trainer.precision: bf16-mixed": step.compute_bytes == FLOAT32,
        "LoRA (backbone.use_peft: true)": step.linear_trained,
        "more GPUs (configs/fsdp.yaml shares weights, configs/context_parallel.yaml windows)": True,
        "a smaller data.window": True,
    }
    return "Try " + "; ".join(way for way, helps in ways.items() if helps) + "."
