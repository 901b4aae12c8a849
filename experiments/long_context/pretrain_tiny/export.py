# SPDX-License-Identifier: Apache-2.0
"""Write the weights of an aido_dna_tiny checkpoint as config.json and model.safetensors (float16).

python export.py CHECKPOINT FOLDER
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from modelgenerator.huggingface_models.rnabert import RNABertConfig
from modelgenerator.long_context.backbones import CONFIG


def main(checkpoint: str, folder: str) -> None:
    """Rename the task's parameters to those of upstream's RNABertForMaskedLM and save them."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    tensors = {}
    for name, tensor in state.items():
        if name.startswith("backbone.encoder."):
            tensors["bert." + name.removeprefix("backbone.encoder.")] = tensor
        elif name.startswith("adapter."):
            tensors["cls." + name.removeprefix("adapter.")] = tensor
    tensors.pop("cls.predictions.decoder.weight")  # tied to the word embeddings
    tensors.pop("cls.predictions.decoder.bias", None)  # the same as cls.predictions.bias
    tensors = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = RNABertConfig()
    for key, value in CONFIG.items():
        setattr(config, key, value)
    config.save_pretrained(folder)
    print(f"{sum(t.numel() for t in tensors.values()):,} parameters -> {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
