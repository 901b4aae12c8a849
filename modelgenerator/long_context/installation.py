# SPDX-License-Identifier: Apache-2.0
"""`model.pe` made for a task's backbone, checked before anything is loaded, and installed on it."""

from collections.abc import Iterator

from torch import nn

from modelgenerator.backbones.positional import SPECIAL_TOKENS, RotaryEmbedding

ROTARY_BACKBONE = "GenBioBERT"  # upstream's backbone class of AIDO.DNA and AIDO.RNA


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


def check_pe(task: nn.Module, stage: str) -> None:
    """Refuse a wrong `pe` before any weight or data is loaded, and warn of windows beyond it.

    Raises:
        ValueError: If the method, its options or the lengths of the data do not go together.
    """
    if task.pe is None:
        return
    from modelgenerator.long_context.encoder import warn_if_beyond

    embedding = build_pe(task)
    data = task.data_module
    if not hasattr(data, "longest"):  # only GenomeWindows knows its lengths beforehand
        return
    longest = data.window if stage == "fit" else data.longest
    warn_if_beyond(embedding, longest)
    embedding.train(stage == "fit").inverse_frequencies(longest + SPECIAL_TOKENS)


def install_pe(task: nn.Module) -> None:
    """Install `pe` on the task's backbone once that is set up. Without `pe`, nothing happens."""
    if task.pe is None or getattr(task, "_pe_installed", False):
        return
    from modelgenerator.long_context.encoder import install

    backbone = rotary_backbone(task)
    model, embedding = base_encoder(backbone), build_pe(task)
    install(model, embedding)
    if hasattr(backbone, "load_positional"):
        backbone.load_positional(embedding)
    model.config.max_position_embeddings = embedding.max_position_embeddings  # get_max_context()
    backbone.register_forward_pre_hook(_before_backbone, with_kwargs=True)
    backbone.register_forward_hook(_after_backbone, always_call=True)
    task._pe_installed = True


def base_encoder(backbone: nn.Module) -> nn.Module:
    """Upstream's encoder module of a backbone that is set up, below LoRA's wrapper if any."""
    encoder = backbone.encoder
    return encoder.get_base_model() if hasattr(encoder, "get_base_model") else encoder


def rotary_embedding(task: nn.Module) -> RotaryEmbedding:
    """The installed method of a task that has `pe`."""
    return base_encoder(rotary_backbone(task)).rotary_pos_emb


def _before_backbone(backbone, args, kwargs):
    # GenBioBERT.forward(input_ids, attention_mask, all_hidden_states, ...)
    wanted = kwargs.get("all_hidden_states", args[2] if len(args) > 2 else False)
    base_encoder(backbone).drop_hidden_states = not wanted


def _after_backbone(backbone, args, output):
    base_encoder(backbone).drop_hidden_states = False
