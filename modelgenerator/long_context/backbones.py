# SPDX-License-Identifier: Apache-2.0
"""Backbones of this project: the small encoder it has pretrained, and exported folders."""

import json
import math
from pathlib import Path
from typing import Optional, Union

import torch
from safetensors.torch import load_file
from torch import nn

from modelgenerator.backbones import DefaultConfig, GenBioBERT, LegacyAdapterType

ASSETS = Path(__file__).parent / "assets"
CALIBRATIONS = ("kappa_start", "calibration")  # options of methods that are files

# AIDO.DNA-300M in small: LayerNorm, SwiGLU, biases, rotary width 64, intermediate 2.75 times wide.
CONFIG = {
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 704,
    "max_position_embeddings": 512,
    "normalization_type": "LayerNorm",
}

# Relative positions that the heads of the first layers look at before any training.
LOCAL_OFFSETS = ((-1, 1, -2, 2), (-4, 4))
LOCAL_CHANNELS = 6  # wavelengths of 6 to 26 nt
LOCAL_SHARPNESS = 5.0  # logits each channel adds at the offset


class aido_dna_tiny(GenBioBERT):  # noqa: N801  (lower case as upstream's backbones are)
    """A small AIDO.DNA: 4 layers x 256, 4 heads of rotary width 64, original context 512 nt.

    Small enough for a laptop's CPU, and trained so that far context pays: it copies planted
    segments from elsewhere in its window. The weights ship with the package; the recipe is
    `experiments/long_context/pretrain_tiny`.

    Note:
        With `from_scratch: true` the heads of the first two layers start on single neighbours, at
        the offsets -1, 1, -2, 2 and -4, 4, through the biases of query and key alone. Comparing
        short stretches, which copying stands on, is then learned in 1 million tokens instead of
        tens of millions.

    Args:
        weights: Folder with config.json and model.safetensors to start from instead of the shipped
            weights, e.g. an earlier stage of the pretraining. Not with `from_scratch`.

    Attributes:
        model_path (str): the folder of the shipped weights
    """

    model_path = str(ASSETS / "aido_dna_tiny")

    def __init__(
        self,
        legacy_adapter_type: Union[LegacyAdapterType, None],
        default_config: Union[DefaultConfig, None],
        weights: Optional[str] = None,
        config_overwrites: Optional[dict] = None,
        **kwargs,
    ):
        super().__init__(
            legacy_adapter_type,
            default_config,
            config_overwrites={**CONFIG, **(config_overwrites or {})},
            **kwargs,
        )
        if weights is not None:
            if self.from_scratch:
                raise ValueError(
                    f"weights={weights!r} has no effect with from_scratch=True, where all weights "
                    "are new. Leave one of them out."
                )
            if not (Path(weights) / "model.safetensors").is_file():
                raise ValueError(
                    f"weights: no model.safetensors in {weights!r}. Give a folder with "
                    "config.json and model.safetensors, or leave it out for the shipped weights."
                )
            self.model_path = weights

    def setup(self):
        super().setup()
        if self.from_scratch:
            from modelgenerator.long_context.installation import base_encoder

            start_local(base_encoder(self))


class aido_dna_exported(GenBioBERT):  # noqa: N801
    """An encoder from a folder of `mgen-lc export`, with what its positional method has learned.

    Args:
        folder: The folder.

    Raises:
        ValueError: If it is no such folder, or `model.pe` is not the method it was written with.
    """

    def __init__(
        self,
        legacy_adapter_type: Union[LegacyAdapterType, None],
        default_config: Union[DefaultConfig, None],
        folder: str,
        **kwargs,
    ):
        super().__init__(legacy_adapter_type, default_config, **kwargs)
        try:
            self.positional = json.loads((Path(folder) / "config.json").read_text())["positional"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ValueError(
                f"folder: {folder} is no folder of `mgen-lc export`. Give the one it has written."
            ) from None
        self.model_path = folder

    def load_positional(self, embedding: nn.Module) -> None:
        """Give the installed method what it had learned when the folder was written."""
        method, options = type(embedding).__name__, embedding.options
        same = method == self.positional["method"]
        if not same or _values(options) != _values(self.positional["options"]):
            raise ValueError(
                f"model.pe: {method} with {options}, but {self.model_path} was written with "
                f"{self.positional['method']} and {self.positional['options']}. Give the same."
            )
        prefix = "bert.rotary_pos_emb."
        weights = load_file(Path(self.model_path) / "model.safetensors")
        embedding.load_state_dict(
            {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
        )


def _values(options: dict) -> dict:
    """Options but for files of calibrations: what they hold is among the weights."""
    return {name: value for name, value in options.items() if name not in CALIBRATIONS}


def start_local(model: nn.Module) -> None:
    """Start heads of the first layers on single neighbours, whatever the tokens are.

    A query bias and a key bias that differ by a rotation give the logit at offset d
    sum_i a cos((d - offset) theta_i), largest at d = offset.

    Args:
        model: Upstream's encoder; its weights are not touched, only the biases of query and key.
    """
    from modelgenerator.long_context.encoder import rotary_geometry

    config = model.config
    head_dim = config.hidden_size // config.num_attention_heads
    half = rotary_geometry(config, from_scratch=True).rotary_dim // 2
    channels = min(LOCAL_CHANNELS, half)
    theta = 10000.0 ** (-torch.arange(channels) / half)
    amplitude = math.sqrt(LOCAL_SHARPNESS * math.sqrt(head_dim))
    for layer, offsets in zip(model.encoder.layer, LOCAL_OFFSETS, strict=False):
        attention = layer.attention.self
        for head, offset in enumerate(offsets[: config.num_attention_heads]):
            query = torch.zeros(head_dim)
            key = torch.zeros(head_dim)
            query[:channels] = amplitude
            key[:channels] = amplitude * torch.cos(offset * theta)
            key[half : half + channels] = -amplitude * torch.sin(offset * theta)
            rows = slice(head * head_dim, (head + 1) * head_dim)
            attention.query.bias.data[rows] = query
            attention.key.bias.data[rows] = key
