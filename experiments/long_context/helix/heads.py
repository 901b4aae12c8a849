# SPDX-License-Identifier: Apache-2.0
"""Where sharper attention pays and where it costs: each head by itself, and wrong certainty.

    python experiments/long_context/helix/heads.py

At 16x, without training, on test blocks of the training species. First every head of every layer is
sharpened alone, and left out alone, by log-n. Then the natural bases that a method has masked are
split by how certain it was and whether it was right. Writes heads.json beside itself.
"""

import argparse
import math
from pathlib import Path

import torch
from screen import GEOMETRY, LONGEST, Screened, batches, score

from modelgenerator.backbones.positional import ntk, rope, yarn
from modelgenerator.long_context.backbones import aido_dna_tiny
from modelgenerator.long_context.encoder import install
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.installation import base_encoder
from modelgenerator.long_context.tasks import MaskedLM

WINDOWS = 3
LOG_N = math.log(LONGEST) / math.log(512)
CERTAIN = 0.9
METHODS = {
    "ntk": lambda: ntk(GEOMETRY, factor=16.0),
    "yarn": lambda: yarn(GEOMETRY, factor=16.0),
    "helix, temperature none": lambda: Screened(temperature="none"),
    "helix": lambda: Screened(),
}


def sharpened(encoder, factors):
    """Multiply the queries of each layer by [heads]; returns what takes it back."""
    hooks = []
    for layer, factor in zip(encoder.encoder.layer, factors, strict=True):
        width = layer.attention.self.attention_head_size
        columns = factor.repeat_interleave(width)
        hooks.append(
            layer.attention.self.query.register_forward_hook(
                lambda _, __, query, columns=columns: query * columns
            )
        )
    return hooks


def one_by_one(task, windows):
    """Loss with one head sharpened alone, and with all sharpened but one."""
    encoder = base_encoder(task.backbone)
    install(encoder, METHODS["helix, temperature none"]().eval())
    shape = len(encoder.encoder.layer), encoder.config.num_attention_heads
    rows = []
    heads = [(layer, head) for layer in range(shape[0]) for head in range(shape[1])]
    for layer, head in [(None, None), *heads]:
        row = {"layer": layer, "head": head}
        for name, others, own in (("alone", 1.0, LOG_N), ("left_out", LOG_N, 1.0)):
            factors = torch.full(shape, others)
            if layer is not None:
                factors[layer, head] = own
            hooks = sharpened(encoder, factors)
            row[name] = score(task, windows)
            for hook in hooks:
                hook.remove()
        rows.append(row)
        print(row, flush=True)
    return rows


@torch.no_grad()
def certainty(task, windows):
    """Natural bases by certainty of the first guess, right or wrong, with their mean loss."""
    found = {}
    for name, make in METHODS.items():
        install(base_encoder(task.backbone), make().eval())
        parts = []
        for window in windows:
            batch = task.transform(window)
            logits = task(batch)
            out = task.evaluate(logits, batch)
            first = logits.float().softmax(-1).amax(-1)
            natural = out["kind"] == 0
            parts.append([x[natural] for x in (out["nll"], out["hit"], first)])
        nll, hit, first = (torch.cat(part) for part in zip(*parts, strict=True))
        certain = first > CERTAIN
        found[name] = {"bases": len(nll), "nll": nll.mean().item()}
        for key, mask in (
            ("certain_right", certain & hit),
            ("certain_wrong", certain & ~hit),
            ("uncertain", ~certain),
        ):
            share = mask.float().mean().item()
            found[name][key] = {"share": share, "loss": (nll * mask).mean().item()}
        print(name, found[name], flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("heads.json"))
    given = parser.parse_args()
    task = MaskedLM(aido_dna_tiny, pe=rope)
    task.configure_model()
    task.eval()
    windows = batches(LONGEST, 0, WINDOWS, WINDOWS)
    result = {"length": LONGEST, "windows": WINDOWS, "logits": LOG_N, "certain": CERTAIN}
    result["certainty"] = certainty(task, windows)
    write_json(given.output, {**result, **provenance()})
    result["heads"] = one_by_one(task, windows)
    write_json(given.output, {**result, **provenance()})


if __name__ == "__main__":
    main()
