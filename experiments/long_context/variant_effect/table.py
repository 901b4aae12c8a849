# SPDX-License-Identifier: Apache-2.0
"""Print the results as a table: AUROC with its 95% interval.

python experiments/long_context/variant_effect/table.py
"""

import json
from pathlib import Path

import pandas as pd

Z = 1.96  # half a 95% interval in standard errors


def main() -> None:
    """Print it."""
    rows = []
    for path in sorted(Path(__file__).with_name("results").glob("*.json")):
        result = json.loads(path.read_text())
        for row in result["results"]:
            if row["metric"] == "auroc":
                half = Z * row["standard_error"]
                rows.append(
                    {
                        "set": path.stem.split("_")[0],
                        "score": row["score"],
                        "method": result["method"],
                        "window": row["length"],
                        "AUROC": f"{row['value']:.3f} ± {half:.3f}",
                    }
                )
    frame = pd.DataFrame(rows).pivot(
        index=["set", "score", "method"], columns="window", values="AUROC"
    )
    frame = frame.fillna("–")
    print("| set | score | method | " + " | ".join(f"{n:,} nt" for n in frame.columns) + " |")
    print("|---|---|---|" + "---|" * len(frame.columns))
    for names, values in frame.iterrows():
        print(f"| {' | '.join(names)} | {' | '.join(values)} |")


if __name__ == "__main__":
    main()
