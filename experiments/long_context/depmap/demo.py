# SPDX-License-Identifier: Apache-2.0
"""Maps of sequences whose answer is known, and their pictures, each by the commands it takes.

A finished map is not computed again; an interrupted one goes on where it stopped.

python experiments/long_context/depmap/demo.py [NAME ...] [--output FOLDER]
"""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent.relative_to(ROOT)
TUBERCULOSIS = (
    "modelgenerator/long_context/assets/genomes/mycobacterium_tuberculosis_NC_000962.3.fa.gz"
)
GRADIENT = [
    "--model modelgenerator.long_context.tasks.GradientMap",
    "--data modelgenerator.long_context.data.ReadColumns",
]

# name: options of mgen predict, maps to compare with, options of mgen-lc depmap
MAPS = {
    "trna": (
        [
            f"--data.fasta {TUBERCULOSIS}",
            "--data.region NC_000962.3:10795-11051",
            "--data.rows 10886-10960",
            "--data.columns 10886-10960",
        ],
        [],
        ["--pairs {out}/trna_ileT.tsv", "--highlights {out}/trna_ileT.bed"],
    ),
    "repeats": (
        [
            f"--data.fasta {TUBERCULOSIS}",
            "--data.region NC_000962.3:3119550-3119870",
            "--data.rows all:3",
        ],
        [],
        ["--pairs {out}/repeats.tsv", f"--highlights {HERE}/repeats.bed"],
    ),
    "coding": (
        [f"--data.fasta {TUBERCULOSIS}", "--data.region NC_000962.3:759950-760100"],
        [],
        [],
    ),
    "planted": (
        [
            "--data.fasta {out}/planted.fa",
            "--data.region planted_0:896-1152",
            "--data.rows all:2",
        ],
        [],
        ["--pairs {out}/copies_0.tsv", "--highlights {out}/planted.bed"],
    ),
    "planted_gradient": (
        [
            *GRADIENT,
            "--data.fasta {out}/planted.fa",
            "--data.region planted_0:896-1152",
            "--data.rows all:2",
            "--data.columns 920-976,1088-1144",
            "--data.batch_size 28",
        ],
        ["planted"],
        ["--labels [exact,gradient]", "--pairs {out}/copies_0.tsv"],
    ),
    "planted_long": (
        [
            "--data.fasta {out}/planted.fa",
            "--data.region planted_0",
            "--data.rows 1088-1144:4",
            "--data.columns 896-1152",
        ],
        ["planted"],
        [
            "--labels [256_nt,2048_nt]",
            "--pairs {out}/copies_0.tsv",
            "--highlights {out}/planted.bed",
        ],
    ),
}


def run(*command: str) -> None:
    """Run a command where the user sees it; stop the demo if it fails."""
    print("\n$ " + shlex.join(command), flush=True)
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if done.returncode:
        sys.exit(f"The demo stopped: the command above failed with {done.returncode}.")


def main() -> None:
    """Make the maps and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MAPS)}; by default trna, planted")
    parser.add_argument("--output", type=Path, default=Path("runs/depmap-demo"))
    args = parser.parse_args()
    out = args.output
    run("python", str(HERE / "make_sequences.py"), str(out))
    for name in args.names or ["trna", "planted"]:
        options, others, drawing = MAPS[name]

        def filled(lines: list[str]) -> list[str]:
            return [word.format(out=out) for line in lines for word in line.split()]

        config = ["--config", f"{HERE}/tiny.yaml", "--model.output", f"{out}/{name}"]
        run("mgen", "predict", *config, *filled(options))
        maps = [f"{out}/{one}" for one in (*others, name)]
        run("mgen-lc", "depmap", *maps, "--output", f"{out}/{name}_drawn", *filled(drawing))


if __name__ == "__main__":
    main()
