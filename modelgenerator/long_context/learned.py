# SPDX-License-Identifier: Apache-2.0
"""What a method learns: its optimiser group, and its way through checkpoints."""

from collections.abc import Iterable
from typing import Callable

from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from modelgenerator.long_context.installation import rotary_embedding
from modelgenerator.lr_schedulers import LazyLRScheduler

METHOD = "positional_method"  # where a checkpoint says which method it was trained with


def method_name(task: nn.Module) -> str:
    """Name of the installed method."""
    return type(rotary_embedding(task)).__name__


def learned_parameters(task: nn.Module) -> list[nn.Parameter]:
    """What the installed method learns; empty without `pe`, and for methods that learn nothing."""
    if task.pe is None:
        return []
    return [p for p in rotary_embedding(task).parameters() if p.requires_grad]


def learned_entries(task: nn.Module, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """The entries of a task's state dict that the installed method learned."""
    if task.pe is None:
        return {}
    return {name: value for name, value in state_dict.items() if ".rotary_pos_emb." in name}


def grouped(
    optimizer: Callable, learned: list[nn.Parameter], lr_multiplier: float, parameters: Iterable
) -> Optimizer:
    """An optimiser with learned rotary parameters in a second group.

    They are frequencies, not weights: no decay pulls them to zero, and their learning rate is a
    multiple of the others'.

    Args:
        optimizer: Makes an optimiser of parameter groups.
        learned: The rotary parameters among `parameters`.
        lr_multiplier: Their learning rate over that of the others.
        parameters: All parameters to train.
    """
    theirs = {id(p) for p in learned}
    others = [p for p in parameters if id(p) not in theirs]
    groups = [{"params": others}] if others else []
    made = optimizer([*groups, {"params": learned, "weight_decay": 0.0}])
    made.param_groups[-1]["lr"] *= lr_multiplier
    return made


def for_all_groups(make: Callable, trainer: Trainer, optimizer: Optimizer) -> LRScheduler:
    """A learning rate schedule for all groups of an optimiser.

    Upstream's own schedules are made for one group and refuse two.
    """
    schedule = make(optimizer)
    if not isinstance(schedule, LazyLRScheduler):
        return schedule
    (factor,) = schedule._initialize(trainer)
    return LambdaLR(optimizer, factor)


def check_method(task: nn.Module, checkpoint: dict) -> None:
    """Refuse a checkpoint of another method; let one that knows of no method in.

    What the method learns is then left as it starts, which is the published start.

    Raises:
        ValueError: If the checkpoint was trained with another method than the task has, or with
            options or on an encoder with which that method learns something else.
    """
    ours = None if task.pe is None else method_name(task)
    theirs = checkpoint.get(METHOD)
    if theirs is not None and theirs != ours:
        raise ValueError(
            f"The checkpoint was trained with model.pe {theirs}, this task has {ours}: the weights "
            f"are fitted to {theirs}. Test or continue with `model.pe: {theirs}`."
        )
    if ours is None or "state_dict" not in checkpoint:  # FSDP has loaded the weights by itself
        return
    mine = learned_entries(task, task.state_dict())
    if theirs is not None:
        found, wanted = _shapes(learned_entries(task, checkpoint["state_dict"])), _shapes(mine)
        if found != wanted:
            raise ValueError(
                f"The checkpoint's model.pe {theirs} holds {_listed(found)}, this task's "
                f"{_listed(wanted)}: test or continue on the encoder and with the options of "
                f"{theirs} that it was trained with."
            )
    else:
        missing = {n: v for n, v in mine.items() if n not in checkpoint["state_dict"]}
        if missing:
            rank_zero_info(f"The checkpoint holds no model.pe: {ours} starts as it does untrained.")
            checkpoint["state_dict"].update(missing)


def _shapes(entries: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Shapes by the names that the method itself has; LoRA and tasks put others before them."""
    return {n.rpartition(".rotary_pos_emb.")[2]: tuple(v.shape) for n, v in entries.items()}


def _listed(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items()) or "nothing learned"
