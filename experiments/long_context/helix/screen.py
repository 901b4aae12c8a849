# SPDX-License-Identifier: Apache-2.0
"""Compare many variants without training, on windows with planted copies of the training species.

    python experiments/long_context/helix/screen.py --length 8192 --first 1 --count 1

It is how the defaults of `helix` were chosen: what can be had through `mgen` is in zero_shot.yaml,
this adds temperatures and paths that are no options of it. Writes screening.json beside itself.
"""

import argparse
import json
from pathlib import Path

import torch

from modelgenerator.backbones.positional import RotaryGeometry, helix, rope
from modelgenerator.long_context.backbones import aido_dna_tiny
from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.encoder import install
from modelgenerator.long_context.evaluation import provenance, write_json
from modelgenerator.long_context.installation import base_encoder
from modelgenerator.long_context.tasks import MaskedLM

LONGEST = 8192
GEOMETRY = RotaryGeometry(64, 4, original_max_position_embeddings=512)
OUTPUT = Path(__file__).with_name("screening.json")
YARN = {"overshoot": 0.0, "beta_fast": 32.0}
VARIANTS = {
    "yarn": YARN,
    "yarn, logits x 1": {**YARN, "logits": 1.0},
    "yarn, logits x 2.2": {**YARN, "logits": 2.2},
    "yarn, logits x 3": {**YARN, "logits": 3.0},
    "yarn exponents": {**YARN, "path": "yarn_exponents"},
    "ntk": {**YARN, "path": "ntk"},
    "gene": {**YARN, "path": "gene"},
    "yarn, beta_slow 4": {**YARN, "beta_slow": 4.0},
    "yarn, overshoot 0.5": {**YARN, "overshoot": 0.5},
    "yarn, overshoot 1": {**YARN, "overshoot": 1.0},
    "yarn at s^4": {**YARN, "power": 4.0},
    "beta_fast 8": {"overshoot": 0.0},
    "beta_fast 8, overshoot 0.25": {},
    "beta_fast 8, overshoot 0.5": {"overshoot": 0.5},
    "beta_fast 8, overshoot 0.5, logits x 1.25": {"overshoot": 0.5, "logits": 1.25},
    "beta_fast 8, overshoot 0.5, logits x 1.8": {"overshoot": 0.5, "logits": 1.8},
    "beta_fast 8, overshoot 1": {"overshoot": 1.0},
    "beta_fast 8, overshoot 2": {"overshoot": 2.0},
    "beta_fast 4, overshoot 1": {"beta_fast": 4.0, "overshoot": 1.0},
    "beta_fast 2, overshoot 1": {"beta_fast": 2.0, "overshoot": 1.0},
    "beta_fast 8, beta_slow 2, overshoot 0.5": {"beta_slow": 2.0, "overshoot": 0.5},
    "beta_fast 8, beta_slow 2, overshoot 0.5, logits x 1.44": {
        "beta_slow": 2.0,
        "overshoot": 0.5,
        "logits": 1.44,
    },
    "beta_fast 8, beta_slow 2, overshoot 0.5, logits x 2": {
        "beta_slow": 2.0,
        "overshoot": 0.5,
        "logits": 2.0,
    },
    "beta_fast 8, beta_slow 2, overshoot 1": {"beta_slow": 2.0, "overshoot": 1.0},
}


class Screened(helix):
    """`helix` with any factor on the logits, and frequencies at a power of s."""

    def __init__(self, logits=None, power=1.0, **options):
        super().__init__(GEOMETRY, **options)
        self.logits = logits
        self.power = power

    def applied_factor(self, seq_len):
        return self.extension(seq_len) ** self.power

    def attention_factor(self, seq_len):
        return super().attention_factor(seq_len) if self.logits is None else self.logits**0.5


def shipped_encoder():
    """The shipped small encoder with plain RoPE, for a method to be installed in."""
    task = MaskedLM(aido_dna_tiny, pe=rope)
    task.configure_model()
    return task.eval()


def batches(length, first, count, windows=2):
    """Windows with copies from the test blocks of configs/tiny.yaml, some of all `windows`."""
    data = GenomeWindows(
        "demo", window=LONGEST, lengths=sorted({length, LONGEST}), batch_size=1, block=65536,
        valid_share=0.04, test_share=0.08, eval_windows=windows, copies_per_window=32,
        copy_share=1.0, copy_min_length=32, copy_max_length=64, copy_reverse_complement=0.25,
    )  # fmt: skip
    data.prepare_data()
    data.setup("test")
    loader = data.test_dataloader()[data.test_sets.index(("copies", length))]
    if first + count > len(loader):
        raise SystemExit(f"first + count: {first + count}; there are {len(loader)} windows.")
    # One window a batch whatever the length, so that each is scored alone.
    loader = torch.utils.data.DataLoader(loader.dataset, batch_size=1)
    return [batch for number, batch in enumerate(loader) if first <= number < first + count]


@torch.no_grad()
def score(task, windows):
    """Mean negative log-likelihood by kind of base, and recall of both kinds of copy."""
    parts = []
    for window in windows:
        batch = task.transform(window)
        parts.append(task.evaluate(task(batch), batch))
    nll, hit, kind = (torch.cat([p[name] for p in parts]) for name in ("nll", "hit", "kind"))
    return {
        "nll_natural": round(nll[kind == 0].mean().item(), 4),
        "nll_direct": round(nll[kind == 1].mean().item(), 4),
        "nll_reverse_complement": round(nll[kind == 2].mean().item(), 4),
        "recall_direct": round(hit[kind == 1].float().mean().item(), 4),
        "recall_reverse_complement": round(hit[kind == 2].float().mean().item(), 4),
        "direct": int((kind == 1).sum()),
        "reverse_complement": int((kind == 2).sum()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=LONGEST, help="of windows, in nucleotides")
    parser.add_argument("--first", type=int, default=0, help="first window, from 0")
    parser.add_argument("--count", type=int, default=1, help="windows")
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--output", type=Path, default=OUTPUT)
    given = parser.parse_args()
    task = shipped_encoder()
    windows = batches(given.length, given.first, given.count)
    found = json.loads(given.output.read_text()) if given.output.exists() else {"runs": []}
    run = {"length": given.length, "first": given.first, "count": given.count, **provenance()}
    run["variants"] = {}
    found["runs"].append(run)
    for name in given.only:
        install(base_encoder(task.backbone), Screened(**VARIANTS[name]).eval())
        run["variants"][name] = score(task, windows)
        print(name, run["variants"][name], flush=True)
        write_json(given.output, found)


if __name__ == "__main__":
    main()
