# SPDX-License-Identifier: Apache-2.0
"""`model.pe`: the one key by which every task of ModelGenerator takes a positional method."""

import functools
import inspect
from typing import Callable, Optional, Union

from jsonargparse.typing import register_type

from modelgenerator.backbones.positional import RotaryEmbedding, RotaryGeometry, get_positional
from modelgenerator.long_context.callbacks.memory_check import MemoryCheck
from modelgenerator.long_context.callbacks.positional_step import PositionalStep
from modelgenerator.long_context.installation import check_pe, install_pe, rotary_embedding
from modelgenerator.long_context.learned import (
    METHOD,
    check_method,
    for_all_groups,
    grouped,
    learned_entries,
    learned_parameters,
    method_name,
)

DOC = """
            pe: Positional method that replaces the rotary position embedding of the backbone and
                carries it beyond its original context: a short name (`mgen-lc list` shows them) or
                a class path. None leaves the backbone as it is.
"""


class KnownName(str):
    """Never holds a value: its parser exists to answer a mistyped name with the known ones."""


def _refuse(value: object) -> KnownName:
    name = value.get("class_path") if isinstance(value, dict) else value
    if isinstance(name, str) and "." not in name:
        get_positional(name)  # raises, and names the nearest and all known ones
    raise ValueError(f"Not a positional embedding: {name!r}")


register_type(KnownName, serializer=str, deserializer=_refuse)

PositionalCallable = Callable[[RotaryGeometry], RotaryEmbedding]
PE = Optional[Union[PositionalCallable, KnownName]]


def add_pe(task_interface: type) -> None:
    """Give upstream's `TaskInterface`, and every task derived from it, the keyword `pe`.

    Args:
        task_interface: Upstream's base class of all tasks.
    """
    original_init = task_interface.__init__

    @functools.wraps(original_init)
    def __init__(self, *args, pe=None, **kwargs):
        original_init(self, *args, **kwargs)
        self.pe = pe

    signature = inspect.signature(original_init)
    *before, var_keyword = signature.parameters.values()
    # Upstream's docstring metaclass dies of a keyword-only parameter before others.
    pe = inspect.Parameter(
        "pe", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=PE
    )
    __init__.__signature__ = signature.replace(parameters=[*before, pe, var_keyword])
    task_interface.__init__ = __init__
    task_interface.__doc__ = task_interface.__doc__.replace(
        "            **kwargs:", DOC.lstrip("\n") + "            **kwargs:"
    )

    def __init_subclass__(cls, **kwargs):
        super(task_interface, cls).__init_subclass__(**kwargs)
        _wrap_own(cls)

    known = [task_interface]  # and what derives from it by now
    for cls in known:
        known += [child for child in cls.__subclasses__() if child not in known]
        _wrap_own(cls)
    task_interface.__init_subclass__ = classmethod(__init_subclass__)


def _wrap_own(cls: type) -> None:
    """Wrap the methods of `WRAPPED` that a class defines itself."""
    for name, wrap in WRAPPED.items():
        if name in vars(cls):
            setattr(cls, name, wrap(vars(cls)[name]))


def _then_install(configure_model: Callable) -> Callable:
    """`configure_model`, followed by the installation of `pe` on the backbone it set up."""

    @functools.wraps(configure_model)
    def wrapper(self, *args, **kwargs):
        result = configure_model(self, *args, **kwargs)
        install_pe(self)
        return result

    return wrapper


def _check_first(check_data_compatibility: Callable) -> Callable:
    """`check_data_compatibility`, which the CLI calls before anything is loaded, after `pe`'s."""

    @functools.wraps(check_data_compatibility)
    def wrapper(self, stage, *args, **kwargs):
        check_pe(self, stage)
        return check_data_compatibility(self, stage, *args, **kwargs)

    return wrapper


def _with_steps(configure_callbacks: Callable) -> Callable:
    """`configure_callbacks`, and those that count steps and check memory before the first."""

    @functools.wraps(configure_callbacks)
    def wrapper(self):
        callbacks = configure_callbacks(self)
        if self.pe is None or any(isinstance(c, PositionalStep) for c in callbacks):
            return callbacks
        return [*callbacks, PositionalStep(), MemoryCheck()]

    return wrapper


def _with_groups(configure_optimizers: Callable) -> Callable:
    """`configure_optimizers`, with the learned rotary parameters in a group of their own."""

    @functools.wraps(configure_optimizers)
    def wrapper(self):
        learned = learned_parameters(self)
        plain, schedule = self.optimizer, self.lr_scheduler
        if not learned or getattr(plain, "func", None) is grouped:  # a child's call of its parent's
            return configure_optimizers(self)
        multiplier = rotary_embedding(self).lr_multiplier
        self.optimizer = functools.partial(grouped, plain, learned, multiplier)
        if schedule is not None:
            self.lr_scheduler = functools.partial(for_all_groups, schedule, self.trainer)
        try:
            return configure_optimizers(self)
        finally:
            self.optimizer, self.lr_scheduler = plain, schedule

    return wrapper


def _and_method(on_save_checkpoint: Callable) -> Callable:
    """`on_save_checkpoint`, which may drop the encoder, with what `pe` learned kept."""

    @functools.wraps(on_save_checkpoint)
    def wrapper(self, checkpoint):
        kept = learned_entries(self, checkpoint["state_dict"])
        result = on_save_checkpoint(self, checkpoint)
        if self.pe is not None:
            checkpoint["state_dict"].update(kept)
            checkpoint[METHOD] = method_name(self)
            _move_settings(checkpoint)
        return result

    return wrapper


def _move_settings(checkpoint: dict) -> None:
    """Keep a checkpoint's settings where `load_from_checkpoint` finds them and the CLI does not.

    From Lightning 2.6 the CLI lets `hyper_parameters` of `--ckpt_path` override what the user asks
    for, `model.pe` among it, without a word. Under the older key the user's word stands, and
    another method's checkpoint is refused. The data module is left out: pickled into every
    checkpoint, it makes them unloadable for the CLI, which rightly unpickles no objects.
    """
    settings = checkpoint.pop("hyper_parameters", None)
    if settings is not None:
        checkpoint["hparams"] = {k: v for k, v in settings.items() if k != "data_module"}


def _check_method(on_load_checkpoint: Callable) -> Callable:
    """`on_load_checkpoint`, refusing another method's, and starting anew where there is none."""

    @functools.wraps(on_load_checkpoint)
    def wrapper(self, checkpoint):
        check_method(self, checkpoint)
        return on_load_checkpoint(self, checkpoint)

    return wrapper


# Methods of a task that `pe` takes part in. Each class that defines one is wrapped, so a task whose
# method calls its parent's passes here twice: every wrapper may run again without harm.
WRAPPED = {
    "configure_model": _then_install,
    "check_data_compatibility": _check_first,
    "configure_callbacks": _with_steps,
    "configure_optimizers": _with_groups,
    "on_save_checkpoint": _and_method,
    "on_load_checkpoint": _check_method,
}
