# SPDX-License-Identifier: Apache-2.0
"""The training curve of all stages, as JSON and as a picture.

python curve.py RUN OUTPUT      e.g. curve.py runs/pretrain_tiny results
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import yaml

from modelgenerator.long_context.evaluation import provenance, write_json

HERE = Path(__file__).parent
SMOOTHED = 5  # logged steps averaged into a point


def stage_curve(folder: Path, tokens_before: int) -> dict:
    """Loss and recall of a stage by tokens seen so far, and the seconds it took."""
    settings = yaml.safe_load((HERE / f"{folder.name}.yaml").read_text())["data"]["init_args"]
    (log,) = folder.glob("version_*/metrics.csv")
    frame = pd.read_csv(log)
    tokens = tokens_before + (frame["step"] + 1) * settings["batch_size"] * settings["window"]
    columns = frame[["train_loss", "train_recall"]].groupby(frame.index // SMOOTHED).mean()
    began = log.with_name("hparams.yaml").stat().st_mtime
    return {
        "stage": folder.name,
        "window": settings["window"],
        "steps": int(frame["step"].iloc[-1]) + 1,
        "seconds": round((folder / "last.ckpt").stat().st_mtime - began),
        "tokens": [int(x) for x in tokens.groupby(frame.index // SMOOTHED).max()],
        "loss": [round(x, 4) for x in columns["train_loss"]],
        "recall": [round(x, 4) for x in columns["train_recall"]],
    }


def main(run: str, output: str) -> None:
    """Gather the stages, write curve.json, draw curve.png."""
    stages, tokens = [], 0
    for folder in sorted(Path(run).glob("stage?")):
        stages.append(stage_curve(folder, tokens))
        tokens = stages[-1]["tokens"][-1]
    Path(output).mkdir(parents=True, exist_ok=True)
    write_json(Path(output) / "curve.json", {"stages": stages, **provenance()})

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    names = {"loss": "Training loss, nats", "recall": "Recall of planted copies, training"}
    for axis, (key, title) in zip(axes, names.items(), strict=True):
        for stage in stages:
            millions = [x / 1e6 for x in stage["tokens"]]
            axis.plot(millions, stage[key], label=f"{stage['stage']}, {stage['window']} nt")
        axis.set_title(title, loc="left", fontsize=11)
        axis.set_xlabel("million tokens")
        axis.spines[["top", "right"]].set_visible(False)
    axes[1].set_ylim(0, 1)
    axes[0].legend(frameon=False, fontsize=9)
    figure.savefig(Path(output) / "curve.png", dpi=130)


if __name__ == "__main__":
    main(*sys.argv[1:])
