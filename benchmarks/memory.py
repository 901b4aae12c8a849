# SPDX-License-Identifier: Apache-2.0
"""The computed table of docs/memory.md and its Chinese twin: what fits where.

python benchmarks/memory.py [--check]
"""

import sys
from pathlib import Path

from steps import SHAPES, Shape

from modelgenerator.long_context.memory import TrainingStep, peak_memory

DOCS = Path(__file__).parents[1] / "docs"
PAGES = (DOCS / "memory.md", DOCS / "memory.zh-CN.md")
BEGIN, END = "<!-- begin: computed -->\n", "\n<!-- end: computed -->"
MODELS = {"AIDO.DNA-300M": SHAPES["300m"], "AIDO.DNA-7B": Shape(32, 4352, 11584, 32)}
LENGTHS = (4_000, 16_000, 64_000)
LORA_RANK, LORA_TARGETS = 16, 2  # upstream's defaults: query and value


def numbers(shape: Shape) -> int:
    """Weights and biases of an encoder."""
    width, wide = shape.width, shape.intermediate
    layer = 4 * width * (width + 1) + 3 * width * wide + 2 * wide + width + 4 * width
    return shape.layers * layer + 16 * width + 2 * width


def rows() -> list[list[str]]:
    """GiB of a step with one window, bf16 under autocast, for each model, mode and length."""
    found = []
    for name, shape in MODELS.items():
        total = numbers(shape)
        lora = shape.layers * LORA_TARGETS * LORA_RANK * 2 * shape.width
        modes = {
            "full": (total, "everything", 1),
            "full, checkpointing": (total, "attention", 1),
            "full, keep: inputs": (total, "inputs", 1),
            "LoRA": (lora, "everything", 1),
            "LoRA, checkpointing": (lora, "attention", 1),
            "LoRA, checkpointing, FSDP on 4 GPUs": (lora, "attention", 4),
            "LoRA, keep: inputs, FSDP on 4 GPUs": (lora, "inputs", 4),
        }
        for mode, (trained, kept, processes) in modes.items():
            step = TrainingStep(
                *shape, total, trained,
                compute_bytes=2, kept=kept, linear_trained=trained == total, processes=processes,
            )  # fmt: skip
            sizes = [sum(peak_memory(step, n + 2).values()) / 2**30 for n in LENGTHS]
            found.append([name, mode, *(f"{size:.0f}" for size in sizes)])
    return found


def table() -> str:
    """The rows as a Markdown table."""
    lines = ["| model | mode | " + " | ".join(f"{n:,} nt" for n in LENGTHS) + " |"]
    lines += ["|---|---|" + "---|" * len(LENGTHS)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows())])


def main() -> None:
    """Write the table into the pages, or say that one is out of date."""
    for page in PAGES:
        before, rest = page.read_text().split(BEGIN)
        text = f"{before}{BEGIN}{table()}{END}{rest.split(END)[1]}"
        if "--check" in sys.argv and text != page.read_text():
            sys.exit(f"docs/{page.name} is out of date: run python benchmarks/memory.py")
        page.write_text(text)


if __name__ == "__main__":
    main()
