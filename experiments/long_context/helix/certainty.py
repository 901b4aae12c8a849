# SPDX-License-Identifier: Apache-2.0
"""Where sharper attention costs: natural bases that it is certain of, and wrong.

    python experiments/long_context/helix/certainty.py

At 16x, without training, on test blocks of the training species, natural masked bases are split by
how certain a method is of its first guess and whether that is right. Writes certainty.json.
"""

import argparse
from pathlib import Path

import torch
from screen import GEOMETRY, LONGEST, Screened, batches, shipped_encoder

from modelgenerator.backbones.positional import ntk, yarn
from modelgenerator.long_context.encoder import install
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.installation import base_encoder

WINDOWS = 3
CERTAIN = 0.9
METHODS = {
    "ntk": lambda: ntk(GEOMETRY, factor=16.0),
    "yarn": lambda: yarn(GEOMETRY, factor=16.0),
    "helix, temperature none": lambda: Screened(temperature="none"),
    "helix": lambda: Screened(),
}


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
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("certainty.json"))
    given = parser.parse_args()
    task = shipped_encoder()
    windows = batches(LONGEST, 0, WINDOWS, WINDOWS)
    result = {"length": LONGEST, "windows": WINDOWS, "certain": CERTAIN}
    result["methods"] = certainty(task, windows)
    write_json(given.output, {**result, **provenance()})


if __name__ == "__main__":
    main()
