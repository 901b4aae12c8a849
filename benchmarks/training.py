# SPDX-License-Identifier: Apache-2.0
"""What surrounds the model: reading and masking windows, `mgen fit`, and each method's own cost.

python benchmarks/training.py [--steps 10] [--quick]
"""

import argparse
import math
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from unittest import mock

HERE = Path(__file__).parent
ROOT = HERE.parent


def data_path(lengths: tuple[int, ...], windows: int) -> list[dict]:
    """Milliseconds to read, encode and mask a window; beside it upstream's tokenizer."""
    from modelgenerator.huggingface_models import rnabert
    from modelgenerator.long_context.data import GenomeWindows

    vocabulary = Path(rnabert.__file__).parent / "vocab.txt"
    tokenizer = rnabert.RNABertTokenizer(str(vocabulary), version="v2")
    rows = []
    for length in lengths:
        data = GenomeWindows(
            "demo", length, train_windows=windows, valid_share=0.0, block=2 * length
        )
        data.prepare_data()
        data.setup("fit")
        dataset = data.train_dataset
        dataset[0]
        times = []
        for index in range(windows):
            start = time.perf_counter()
            example = dataset[index]
            times.append(time.perf_counter() - start)
        start = time.perf_counter()
        tokenizer([example["sequences"]], return_special_tokens_mask=True)
        upstream = time.perf_counter() - start
        typical = sorted(times)[windows // 2]
        rows.append(
            {
                "length": length,
                "milliseconds": 1000 * typical,
                "upstream_tokenizer_milliseconds": 1000 * upstream,
                "windows_per_second": 1 / typical,
                "tokens_per_second": length / typical,
            }
        )
    return rows


def fit(window: int, steps: int, folder: str) -> dict:
    """Steps of `mgen fit` with the shipped small encoder: tokens/s, and what is not the model.

    The model is the forward pass of backbone and adapter, the backward pass and the optimiser. The
    rest is data, loss, log, callbacks and progress bar, as the configs have them. The first step is
    left out.
    """
    from lightning.pytorch import Callback

    from modelgenerator.main import cli_main

    class Stopwatch(Callback):
        """Wall time of the run and of the model within it, after the first step."""

        def __init__(self) -> None:
            self.model, self.started, self.ended = 0.0, 0.0, 0.0

        def on_train_start(self, trainer, pl_module) -> None:
            for module in (pl_module.backbone, pl_module.adapter):
                module.register_forward_pre_hook(self._begin)
                module.register_forward_hook(self._end)
            for optimizer in trainer.optimizers:
                optimizer.register_step_post_hook(self._end)

        def _begin(self, *_) -> None:
            self.since = time.perf_counter()

        def _end(self, *_) -> None:
            self.model += time.perf_counter() - self.since

        def on_before_backward(self, trainer, pl_module, loss) -> None:
            self._begin()  # until the optimiser has taken its step

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
            self.ended = time.perf_counter()
            if batch_idx == 0:
                self.model, self.started = 0.0, self.ended

    watch = Stopwatch()
    arguments = [
        "mgen", "fit", "--config", "configs/yarn_16x.yaml", "--config", "configs/tiny.yaml",
        "--data.window", window, "--data.lengths", f"[{window}]",
        "--data.copies_per_window", window // 512,
        "--trainer.max_steps", steps + 1, "--trainer.logger.init_args.save_dir", folder,
    ]  # fmt: skip
    from modelgenerator.long_context.tasks import MaskedLM

    configure = MaskedLM.configure_callbacks
    with (
        mock.patch("sys.argv", list(map(str, arguments))),
        mock.patch.object(MaskedLM, "configure_callbacks", lambda t: [*configure(t), watch]),
    ):
        cli_main()
    seconds = watch.ended - watch.started
    return {
        "window": window,
        "steps": steps,
        "seconds_a_step": seconds / steps,
        "tokens_per_second": steps * window / seconds,
        "outside_the_model": 1 - watch.model / seconds,
    }


def methods(lengths: tuple[int, ...]) -> list[dict]:
    """Milliseconds each method takes for its table, and what it learns, for AIDO.DNA-300M."""
    import torch

    from modelgenerator.backbones.positional import POSITIONAL, RotaryGeometry

    geometry = RotaryGeometry(64, 16, 10000.0, 4000)
    given = {
        "longrope": {"long_factor": [2.0] * 32},
        "gene": {"learnable": True},
    }
    rows = []
    for name, cls in sorted(POSITIONAL.items()):
        pe = cls(geometry, **given.get(name, {})).eval()
        for length in lengths:
            times = []
            for _ in range(3):
                start = time.perf_counter()
                with torch.no_grad():
                    table = pe(length + 2)
                times.append(time.perf_counter() - start)
            rows.append(
                {
                    "method": name,
                    "length": length,
                    "milliseconds": 1000 * min(times),
                    "table_mib": 2 * table.cos.nbytes / 2**20,
                    "learned_parameters": sum(p.numel() for p in pe.parameters()),
                }
            )
    return rows


def steps_of_methods(lengths: tuple[int, ...], repeats: int) -> list[dict]:
    """Median seconds of forward and backward of the small encoder in training, by method.

    The methods take turns, so that what else the machine does meets them alike; their ratio to YaRN
    is the median over turns.
    """
    import torch
    from steps import SHAPES, backbone, step

    from modelgenerator.backbones.positional import POSITIONAL

    options = {name: {"factor": 16.0} for name in ("pi", "ntk", "yarn", "helix")}
    options |= {"rope": {}, "gene": {"factor": 16.0, "learnable": True}}
    options |= {"clex": {"max_factor": 16.0}}
    options |= {"helix, kappa per layer": {"kappa": "per_layer", "temperature": "none"}}
    encoders = {
        name: backbone(
            SHAPES["tiny"],
            partial(POSITIONAL[name.split(",")[0]], original_max_position_embeddings=512, **given),
        )
        for name, given in sorted(options.items())
    }

    def forward(encoder: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
        return encoder(ids, torch.ones_like(ids)).last_hidden_state

    rows = []
    for length in lengths:
        ids = torch.randint(5, 9, (1, length))
        times = {name: [] for name in encoders}
        for turn in range(repeats + 1):
            for name, encoder in encoders.items():
                start = time.perf_counter()
                step(encoder, partial(forward, encoder, ids))
                if turn:  # the first warms up
                    times[name].append(time.perf_counter() - start)
        for name, found in times.items():
            ratios = (a / b for a, b in zip(found, times["yarn"], strict=True))
            rows.append(
                {
                    "method": name,
                    "length": length,
                    "seconds": median(found),
                    "ratio_to_yarn": median(ratios),
                }
            )
    return rows


def table(rows: list[dict]) -> str:
    """Rows with the same keys as a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(name.replace("_", " ") for name in names) + " |"]
    lines += ["|" + "---|" * len(names)]
    for row in rows:
        lines.append("| " + " | ".join(shown(row.get(name, "")) for name in names) + " |")
    return "\n".join(lines)


def shown(value: object) -> str:
    """A number with as many digits as it deserves."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def main() -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8, help="steps of mgen fit to time")
    parser.add_argument("--quick", action="store_true", help="very short, to see that it runs")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "training.json")
    args = parser.parse_args()

    import os

    from modelgenerator.long_context.evaluation import provenance, write_json

    args.output = args.output.absolute()
    os.chdir(ROOT)  # the configs are named from there
    with tempfile.TemporaryDirectory() as folder:
        windows = (512,) if args.quick else (4096, 8192)
        fits = [fit(window, args.steps, folder) for window in windows]
    result = {
        "data": data_path((4000, 64000), 5 if args.quick else 50),
        "fit": fits,
        "methods": methods((4000,) if args.quick else (4000, 64000)),
        "steps": steps_of_methods(*(((256,), 1) if args.quick else ((1024, 4096), 9))),
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(args.output, {**result, **provenance()})
    for name, rows in result.items():
        print(f"\n{name}\n\n{table(rows)}", file=sys.stdout)
    print(f"\nWritten: {args.output}")


if __name__ == "__main__":
    main()
