# SPDX-License-Identifier: Apache-2.0
"""What delta and kappa became, from the checkpoints of the ablations.

    python experiments/long_context/helix/learned.py [--work runs/study/ablations]

Run it where ablations.yaml was run. Writes learned.json beside itself; cells in it whose
checkpoints are not there stay.
"""

import argparse
import json
from pathlib import Path

import torch

from modelgenerator.long_context.evaluation import provenance, write_json

NAMES = ("delta", "kappa")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("runs/study/ablations"))
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("learned.json"))
    given = parser.parse_args()
    found = []
    for path in sorted(given.work.glob("*/last.ckpt")):
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        for name, value in state.items():
            if name.rpartition(".")[2] in NAMES and ".rotary_pos_emb." in name:
                regime, _, cell = path.parent.name.partition("-")
                found.append({"regime": regime, "cell": cell, "values": value.tolist()})
    if not found:
        raise SystemExit(f"{given.work}: no checkpoint has learned exponents.")
    kept = json.loads(given.output.read_text())["cells"] if given.output.exists() else []
    new = [{**cell, **provenance()} for cell in found]
    cells = {(cell["regime"], cell["cell"]): cell for cell in kept + new}
    write_json(given.output, {"cells": [cells[key] for key in sorted(cells)]})


if __name__ == "__main__":
    main()
