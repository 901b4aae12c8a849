# SPDX-License-Identifier: Apache-2.0
"""The model card of an exported encoder."""

import json
from typing import Optional

from modelgenerator.long_context.backbones import CALIBRATIONS

CARD = """---
library_name: transformers
pipeline_tag: fill-mask
tags: [dna, long-context, rotary-position-embedding]
---
# DNA encoder, {original:,} to {extended:,} nt

An encoder of AIDO.DNA's architecture, {layers} layers x {width}, pretrained at {original:,} nt and
extended to {extended:,} nt by the positional method `{method}`:

```json
{options}
```

```python
from transformers import AutoModelForMaskedLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(FOLDER, trust_remote_code=True)
model = AutoModelForMaskedLM.from_pretrained(FOLDER, trust_remote_code=True).eval()
logits = model(**tokenizer("ACGT[MASK]ACGT", return_tensors="pt")).logits
```

`trust_remote_code` runs the Python files of this folder: an encoder of about 200 lines and the
positional method.

In ModelGenerator, with the plugin modelgenerator-long-context:

```yaml
model:
  init_args:
    backbone:
      class_path: modelgenerator.long_context.backbones.aido_dna_exported
      init_args: {{folder: FOLDER}}
    pe: {pe}
```

## Results
{results}

## Terms
The code of this folder is Apache-2.0. The weights keep the terms of those they were made from;
GenBio AI's AIDO.DNA is non-commercial.
"""


def model_card(config: dict, results: Optional[dict]) -> str:
    """The card's text.

    Args:
        config: Content of config.json.
        results: Content of a result file of `mgen test --model.results`, None if there is none.
    """
    positional = config["positional"]
    given = {
        name: f"FOLDER/{value}" if name in CALIBRATIONS and value is not None else value
        for name, value in positional["options"].items()
    }
    return CARD.format(
        original=config["max_position_embeddings"],
        extended=config["extended_max_position_embeddings"],
        layers=config["num_hidden_layers"],
        width=config["hidden_size"],
        method=positional["method"],
        options=json.dumps(positional["options"], indent=1),
        pe=json.dumps({"class_path": positional["method"], "init_args": given}),
        results=_results(results),
    )


def _results(results: Optional[dict]) -> str:
    if results is None:
        return "None were given when this folder was written."
    data = results["data"]
    files = data.get("test_fasta") or data["fasta"]
    lines = ["| window, nt | measure | value |", "|---|---|---|"]
    for row in results["results"]:  # null: not a finite number
        value = "–" if row["value"] is None else f"{row['value']:.4g}"
        lines.append(f"| {row['length']:,} | {row['metric']} | {value} |")
    lines += ["", f"Masked bases of {', '.join(files)}, after {results['steps']:,} training steps."]
    return "\n".join(lines)
