# SPDX-License-Identifier: Apache-2.0
"""Which heads find reverse-complement copies: one at a time made twice as sharp at 2x.

    python experiments/long_context/helix/reverse_complement.py

On top of heads_340_tiny.json, without training, on test blocks of the training species. Writes
reverse_complement.json beside itself.
"""

import argparse
import json
from pathlib import Path

import torch
from screen import GEOMETRY, Screened, batches, score, shipped_encoder

from modelgenerator.long_context.encoder import install
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.installation import base_encoder

HERE = Path(__file__).parent
LENGTH, WINDOWS, SHARPER = 1024, 60, 2.0


class Sharpened(Screened):
    """HELIX with calibrated exponents, and the logits of heads times `factors` [layers, H]."""

    def __init__(self, kappa, factors):
        super().__init__(temperature="none")
        self.exponents, self.factors = kappa, factors

    def layer_sharpness(self, seq_len):
        return self.extension(seq_len) ** self.exponents * self.factors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).with_name("reverse_complement.json")
    )
    given = parser.parse_args()
    kappa = torch.tensor(json.loads((HERE / "heads_340_tiny.json").read_text())["kappa"])
    task = shipped_encoder()
    windows = batches(LENGTH, 0, WINDOWS, WINDOWS)
    variants = {"none": torch.ones_like(kappa)}
    for layer in range(len(kappa)):
        for head in range(GEOMETRY.num_heads):
            variants[f"{layer}.{head}"] = torch.ones_like(kappa)
            variants[f"{layer}.{head}"][layer, head] = SHARPER
    result = {"length": LENGTH, "windows": WINDOWS, "sharper": SHARPER, "heads": {}}
    for name, factors in variants.items():
        install(base_encoder(task.backbone), Sharpened(kappa, factors).eval())
        result["heads"][name] = score(task, windows)
        print(name, result["heads"][name], flush=True)
    write_json(given.output, {**result, **provenance()})


if __name__ == "__main__":
    main()
