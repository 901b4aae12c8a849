# SPDX-License-Identifier: Apache-2.0
"""Time and memory on one GPU: upstream, ours and the floor, training steps to 64,000 nt.

python benchmarks/gpu.py [--quick] [--device cpu]
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Callable

import torch
import torch.nn.functional as F
from steps import MODES, SHAPES, Shape, backbone, matrix_flops, step_of
from torch.nn.attention import SDPBackend, sdpa_kernel

HERE = Path(__file__).parent
KERNELS = ("FLASH_ATTENTION", "CUDNN_ATTENTION", "EFFICIENT_ATTENTION")


class Device:
    """A device's clock and its memory."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def wait(self) -> None:
        """Wait until all that was started has ended."""
        if self.kind == "cuda":
            torch.cuda.synchronize()

    def measure(self, step: Callable[[], None], repeats: int) -> dict:
        """Median time of some runs in seconds, and peak memory in MiB (None on a CPU)."""
        try:
            step()  # kernels are chosen and memory is taken the first time
            self.wait()
            if self.kind == "cuda":
                torch.cuda.reset_peak_memory_stats()
            times = []
            for _ in range(repeats):
                start = time.perf_counter()
                step()
                self.wait()
                times.append(time.perf_counter() - start)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return {"failed": "out of memory"}
        peak = torch.cuda.max_memory_allocated() / 2**20 if self.kind == "cuda" else None
        return {"seconds": sorted(times)[repeats // 2], "peak_mib": peak}


def bf16_rate(device: Device, size: int) -> float:
    """Measured floating point operations a second of a large bf16 product."""
    a, b = (torch.randn(size, size, device=device.kind, dtype=torch.bfloat16) for _ in range(2))
    return 2 * size**3 / device.measure(lambda: a @ b, 10)["seconds"]


def encoders(device: Device, shape: str, lengths: list[int]) -> list[dict]:
    """Upstream, ours and the floor at each length; rows that run out of memory stay."""
    rows = []
    for mode in MODES:
        for length in lengths:
            for kind in ("upstream", "ours", "floor"):
                if kind == "upstream" and length > 8192:
                    continue
                step = step_of(kind, SHAPES[shape], length, mode, device.kind, torch.bfloat16)
                row = {"encoder": kind, "shape": shape, "mode": mode, "length": length}
                rows.append({**row, **device.measure(step, 3)})
                del step
    return rows


def training(device: Device, shape: Shape, length: int) -> list[dict]:
    """A whole training step in bf16 with each choice of what layers keep, AdamW included."""
    from modelgenerator.backbones.positional import yarn
    from modelgenerator.long_context.callbacks.gradient_checkpointing import enable_checkpointing
    from modelgenerator.long_context.installation import base_encoder
    from modelgenerator.long_context.memory import KEPT, TrainingStep, peak_memory

    rows = []
    pe = partial(yarn, factor=16.0, original_max_position_embeddings=4000)
    for kept in KEPT:
        model = backbone(shape, pe).to(device.kind)
        if kept != "everything":
            enable_checkpointing(base_encoder(model), kept)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
        ids = torch.randint(5, 9, (1, length), device=device.kind)
        masked = torch.rand(1, length, device=device.kind) < 0.15

        def step(model=model, optimizer=optimizer, ids=ids, masked=masked) -> None:
            with torch.autocast(device.kind, torch.bfloat16):
                hidden = model(ids, torch.ones_like(ids)).last_hidden_state[masked]
            F.cross_entropy(hidden.float(), ids[masked]).backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        numbers = sum(p.numel() for p in model.parameters())
        plan = TrainingStep(*shape, numbers, numbers, compute_bytes=2, kept=kept)
        row = {"kept": kept, "length": length, **device.measure(step, 3)}
        row["computed_mib"] = sum(peak_memory(plan, length).values()) / 2**20
        if "seconds" in row:  # recomputed products are not counted as useful
            row["model_flops"] = matrix_flops(shape, length, MODES[1]) / row["seconds"]
        rows.append(row)
        del model, optimizer, step
    return rows


def kernels(device: Device, length: int) -> list[dict]:
    """Every attention kernel that torch has for heads of width 64 and 136, forward and backward."""
    rows = []
    for heads, width in ((16, 64), (32, 136)):
        qkv = [
            torch.randn(1, heads, length, width, device=device.kind, dtype=torch.bfloat16)
            .requires_grad_()
            for _ in range(3)
        ]  # fmt: skip
        for name in KERNELS:

            def step(name=name, qkv=qkv) -> None:
                with sdpa_kernel(getattr(SDPBackend, name)):
                    out = F.scaled_dot_product_attention(*qkv)
                out.backward(torch.ones_like(out))

            row = {"kernel": name, "head_width": width, "length": length}
            try:
                rows.append({**row, **device.measure(step, 3)})
            except RuntimeError as error:  # not built, or not for this device or width
                rows.append({**row, "failed": str(error).splitlines()[0][:100]})
    return rows


def main() -> None:
    """Measure, print the tables, write the JSON."""
    from training import table

    from modelgenerator.long_context.evaluation import provenance, write_json

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="very short, to see that it runs")
    parser.add_argument("--output", type=Path, default=HERE / "results" / "gpu.json")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no CUDA device. Use --device cpu --quick to see that it runs.")
    device, small = Device(args.device), args.quick
    shape = SHAPES["tiny_layer" if small else "300m"]
    result = {"bf16_flops": bf16_rate(device, 256 if small else 8192)}
    parts = {
        "kernels": partial(kernels, device, 128 if small else 64002),
        "training": partial(training, device, shape, 256 if small else 64002),
        "encoders": partial(
            encoders,
            device,
            "tiny_layer" if small else "300m_layer",
            [128, 256] if small else [1024, 2048, 4096, 8192, 16384, 32768, 65536],
        ),
        "layer_7b": partial(
            encoders,
            device,
            "tiny_layer" if small else "7b_layer",
            [128] if small else [4002, 16002, 64002],
        ),
    }
    args.output.parent.mkdir(parents=True, exist_ok=True)
    print(f"bf16 products: {result['bf16_flops'] / 1e12:.1f} TFLOP/s")
    for name, part in parts.items():
        result[name] = part()
        write_json(args.output, {**result, **provenance()})
        print(f"\n{name}\n\n{table(result[name])}", flush=True)
    print(f"\nWritten: {args.output}")


if __name__ == "__main__":
    main()
