# SPDX-License-Identifier: Apache-2.0
"""Which heads pay for sharper attention: log-n in one head at a time, the others as pretrained.

    python experiments/long_context/helix/heads.py

At 16x, without training, on test blocks of the training species. Writes heads.json beside itself.
"""

import argparse
import math
from pathlib import Path

import torch
from screen import GEOMETRY, LONGEST, Screened, batches, score, shipped_encoder

from modelgenerator.long_context.encoder import install
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.installation import base_encoder

WINDOWS = 3


class Sharpened(Screened):
    """HELIX without a temperature, but log-n in the heads that `heads` marks [layers, H]."""

    def __init__(self, heads):
        super().__init__(temperature="none")
        self.heads = heads

    def layer_sharpness(self, seq_len):
        original = self.original_max_position_embeddings
        return (1 + math.log(self.extension(seq_len)) / math.log(original)) ** self.heads


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("heads.json"))
    given = parser.parse_args()
    task = shipped_encoder()
    encoder = base_encoder(task.backbone)
    layers, heads = len(encoder.encoder.layer), GEOMETRY.num_heads
    windows = batches(LONGEST, 0, WINDOWS, WINDOWS)
    none = torch.zeros(layers, heads)
    variants = {"none": none, "all": none + 1}
    for layer in range(layers):
        for head in range(heads):
            variants[f"{layer}.{head}"] = none.clone()
            variants[f"{layer}.{head}"][layer, head] = 1
    result = {"length": LONGEST, "windows": WINDOWS, "heads": {}}
    for name, marked in variants.items():
        install(encoder, Sharpened(marked).eval())
        result["heads"][name] = score(task, windows)
        print(name, result["heads"][name], flush=True)
    write_json(given.output, {**result, **provenance()})


if __name__ == "__main__":
    main()
