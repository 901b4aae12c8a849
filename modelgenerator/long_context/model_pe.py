# SPDX-License-Identifier: Apache-2.0
"""`model.pe`: the one key by which every task of ModelGenerator takes a positional method."""

import functools
import inspect
from collections.abc import Iterator
from typing import Callable, Optional, Union

from jsonargparse.typing import register_type
from torch import nn

from modelgenerator.backbones.positional import (
    RotaryEmbedding,
    RotaryGeometry,
    get_positional,
)

ROTARY_BACKBONE = "GenBioBERT"  # upstream's backbone class of AIDO.DNA and AIDO.RNA

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
    """Give upstream's `TaskInterface`, and so every task derived later, the keyword `pe`.

    Args:
        task_interface: Upstream's base class of all tasks, before any task derives from it.
    """
    original_init = task_interface.__init__
    original_check = task_interface.check_data_compatibility

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

    @functools.wraps(original_check)
    def check_data_compatibility(self, stage):
        check_pe(self)
        original_check(self, stage)

    task_interface.check_data_compatibility = check_data_compatibility

    def __init_subclass__(cls, **kwargs):
        super(task_interface, cls).__init_subclass__(**kwargs)
        if "configure_model" in vars(cls):
            cls.configure_model = _then_install(cls.configure_model)

    task_interface.__init_subclass__ = classmethod(__init_subclass__)


def _then_install(configure_model: Callable) -> Callable:
    """`configure_model`, followed by the installation of `pe` on the backbones it set up."""

    @functools.wraps(configure_model)
    def wrapper(self, *args, **kwargs):
        result = configure_model(self, *args, **kwargs)
        install_pe(self)
        return result

    return wrapper


def backbones(task: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The backbones of a task with their attribute names; multimodal tasks have several."""
    for name in ("backbone", "backbone1", "backbone2"):
        backbone = getattr(task, name, None)
        if backbone is not None:
            yield name, backbone


def rotary_backbone(task: nn.Module) -> nn.Module:
    """The one backbone of a task that `pe` applies to.

    Raises:
        ValueError: If none of them, or more than one, has a rotary position embedding to swap.
    """
    found = list(backbones(task))
    rotary = [
        backbone
        for _, backbone in found
        if any(base.__name__ == ROTARY_BACKBONE for base in type(backbone).__mro__)
    ]
    if len(rotary) == 1:
        return rotary[0]
    names = ", ".join(type(backbone).__name__ for _, backbone in found) or "no backbone"
    if not rotary:
        raise ValueError(
            f"model.pe: {names} has no rotary position embedding that can be swapped. Use an "
            "AIDO.DNA or AIDO.RNA backbone (e.g. aido_dna_300m), or leave `model.pe` out."
        )
    raise ValueError(
        f"model.pe: {names} are all rotary backbones and one key cannot say which is meant. "
        "Leave `model.pe` out."
    )


def build_pe(task: nn.Module) -> RotaryEmbedding:
    """Make the method for the geometry of the task's backbone, from its configuration alone.

    Raises:
        ValueError: If the method refuses its options or the geometry.
    """
    from modelgenerator.huggingface_models.rnabert import RNABertConfig
    from modelgenerator.long_context.encoder import rotary_geometry

    backbone = rotary_backbone(task)
    if backbone.from_scratch:
        config = RNABertConfig()
    else:
        config = RNABertConfig.from_pretrained(backbone.model_path)
    for key, value in backbone.config_overwrites.items():
        setattr(config, key, value)
    return task.pe(rotary_geometry(config, backbone.from_scratch))


def check_pe(task: nn.Module) -> None:
    """Refuse a wrong `pe` before any weight or data is loaded, and warn of windows beyond it."""
    if task.pe is None:
        return
    from modelgenerator.long_context.encoder import warn_if_beyond

    embedding = build_pe(task)
    longest = getattr(task.data_module, "longest", None)  # GenomeWindows knows its own
    if longest is not None:
        warn_if_beyond(embedding, longest)


def install_pe(task: nn.Module) -> None:
    """Install `pe` on the task's backbone once that is set up. Without `pe`, nothing happens."""
    if task.pe is None or getattr(task, "_pe_installed", False):
        return
    from modelgenerator.long_context.encoder import install

    backbone = rotary_backbone(task)
    model, embedding = base_encoder(backbone), build_pe(task)
    install(model, embedding)
    model.config.max_position_embeddings = embedding.max_position_embeddings  # get_max_context()
    backbone.register_forward_pre_hook(_before_backbone, with_kwargs=True)
    backbone.register_forward_hook(_after_backbone, always_call=True)
    task._pe_installed = True


def base_encoder(backbone: nn.Module) -> nn.Module:
    """Upstream's encoder module of a backbone that is set up, below LoRA's wrapper if any."""
    encoder = backbone.encoder
    return encoder.get_base_model() if hasattr(encoder, "get_base_model") else encoder


def _before_backbone(backbone, args, kwargs):
    # GenBioBERT.forward(input_ids, attention_mask, all_hidden_states, ...)
    wanted = kwargs.get("all_hidden_states", args[2] if len(args) > 2 else False)
    base_encoder(backbone).drop_hidden_states = not wanted


def _after_backbone(backbone, args, output):
    base_encoder(backbone).drop_hidden_states = False
