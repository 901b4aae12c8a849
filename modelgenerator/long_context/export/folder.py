# SPDX-License-Identifier: Apache-2.0
"""Write a Hugging Face folder: weights, configuration, tokenizer, code and model card."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Optional, Union

import torch
from safetensors.torch import save_file
from torch import nn

from modelgenerator.long_context.backbones import CALIBRATIONS
from modelgenerator.long_context.evaluation import check_writable
from modelgenerator.long_context.export.card import model_card
from modelgenerator.long_context.export.sources import method_sources
from modelgenerator.long_context.export.tokenizer import nucleotide_tokenizer
from modelgenerator.long_context.installation import (
    base_encoder,
    rotary_backbone,
    rotary_embedding,
)

HUB = Path(__file__).parent / "hub"
SHAPE = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "layer_norm_eps",
    "normalization_type",
    "add_linear_bias",
    "rotary_percent",
    "pad_token_id",
    # only upstream's classes read these
    "hidden_act",
    "position_embedding_type",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "type_vocab_size",
    "initializer_range",
)


def export_folder(
    task: nn.Module,
    folder: Union[str, Path],
    results: Optional[dict] = None,
    merge_lora: bool = True,
) -> Path:
    """Write a masked language model for plain transformers, whole or not at all.

    Args:
        task: A masked language model with `pe`, set up; see `load_task`.
        folder: Folder to write; it must not exist, or be empty.
        results: A result file's content, for the model card.
        merge_lora: Whether LoRA's matrices are added to the weights. Otherwise the weights stay as
            they were before and `adapter/` holds LoRA in PEFT's format.

    Returns:
        The folder.

    Raises:
        ValueError: If the task has no `pe` or no masked-language-model head, if the results are
            another method's, or if the folder is in use or cannot be written.
    """
    folder = Path(folder)
    _check(task, folder)
    backbone, embedding = rotary_backbone(task), rotary_embedding(task)
    _check_results(results, embedding)
    sources = method_sources(type(embedding))
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as partial:
        partial = Path(partial)
        save_file(_weights(task, merge_lora), partial / "model.safetensors", {"format": "pt"})
        config = _config(base_encoder(backbone).config, embedding)
        for name in CALIBRATIONS:
            if embedding.options.get(name) is not None:
                shutil.copy(embedding.options[name], partial / f"{name}.json")
        (partial / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        tokens = sorted(backbone.tokenizer.get_vocab().items(), key=lambda item: item[1])
        longest = embedding.max_position_embeddings
        nucleotide_tokenizer([token for token, _ in tokens], longest).save_pretrained(partial)
        for file in [*HUB.glob("*.py"), *sources.values()]:
            shutil.copy(file, partial)
        name = type(embedding).__name__
        (partial / "positional_method.py").write_text(
            "# SPDX-License-Identifier: Apache-2.0\n"
            f"from .{_stem(embedding)} import {name} as method  # noqa: F401\n"
        )
        _name_all(partial / "modeling_long_dna.py", sources)
        (partial / "README.md").write_text(model_card(config, results))
        if _has_lora(backbone) and not merge_lora:
            backbone.encoder.save_pretrained(partial / "adapter")
        partial.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
        partial.mkdir()  # for TemporaryDirectory to remove
    return folder


def _check(task: nn.Module, folder: Path) -> None:
    if getattr(task, "pe", None) is None:
        raise ValueError("export: the task has no model.pe. Without it there is nothing to export.")
    if not hasattr(getattr(task, "adapter", None), "predictions"):
        raise ValueError(
            f"export: {type(task).__name__} has no masked-language-model head. Give the "
            "configuration of a MaskedLM or MLM run."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"export: {folder} is in use. Give a folder that does not exist yet.")
    check_writable(folder, "export")


def _check_results(results: Optional[dict], embedding: nn.Module) -> None:
    name = type(embedding).__name__
    if results is not None and results["method"] != name:
        raise ValueError(
            f"results: they are of {results['method']}, and model.pe is {name}. Give the results "
            "of the model that is exported."
        )


def _name_all(modeling: Path, sources: dict[str, Path]) -> None:
    """Name every positional file in the modelling file: transformers copies no others."""
    lines = "".join(f"from .{name} import __name__ as _{name}  # noqa: F401\n" for name in sources)
    anchor = "from .rotation import apply_rotary\n"
    text = modeling.read_text()
    assert anchor in text
    modeling.write_text(text.replace(anchor, anchor + lines))


def _stem(embedding: nn.Module) -> str:
    return type(embedding).__module__.rsplit(".", 1)[1]


def _has_lora(backbone: nn.Module) -> bool:
    return hasattr(backbone.encoder, "get_base_model")


def _weights(task: nn.Module, merge_lora: bool) -> dict[str, torch.Tensor]:
    """The state dict under upstream's names, so that its own classes load it as well."""
    backbone = rotary_backbone(task)
    encoder = base_encoder(backbone)
    weights = {
        "bert." + name.replace(".base_layer", ""): value.detach().clone()
        for name, value in encoder.state_dict().items()
        if "lora_" not in name
    }
    if _has_lora(backbone) and merge_lora:
        for name, module in encoder.named_modules():
            for adapter in getattr(module, "lora_A", ()):
                weights[f"bert.{name}.weight"] += module.get_delta_weight(adapter).detach()
    for name, value in task.adapter.state_dict().items():
        if not name.startswith("predictions.decoder."):  # tied to the embedding
            weights["cls." + name] = value.detach().clone()
    return {name: value.contiguous() for name, value in weights.items()}


def _options(embedding: nn.Module) -> dict:
    """The method's options, files by what they are called in the folder."""
    return {
        name: f"{name}.json" if name in CALIBRATIONS and value is not None else value
        for name, value in embedding.options.items()
    }


def _config(config, embedding: nn.Module) -> dict:
    return {
        "model_type": "long_dna",
        "architectures": ["LongDnaForMaskedLM"],
        "auto_map": {
            "AutoConfig": "configuration_long_dna.LongDnaConfig",
            "AutoModelForMaskedLM": "modeling_long_dna.LongDnaForMaskedLM",
        },
        **{name: getattr(config, name) for name in SHAPE},
        "max_position_embeddings": embedding.original_max_position_embeddings,
        "extended_max_position_embeddings": embedding.max_position_embeddings,
        "positional": {"method": type(embedding).__name__, "options": _options(embedding)},
        "tie_word_embeddings": True,
    }
