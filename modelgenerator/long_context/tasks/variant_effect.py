# SPDX-License-Identifier: Apache-2.0
"""Zero-shot variant effect: what an untuned encoder makes of one allele against the other."""

import time
from typing import List, Literal, Optional

import numpy as np
import pandas as pd
import torch
from lightning.pytorch.utilities import rank_zero_warn
from sklearn.metrics import average_precision_score
from torch import Tensor, nn

from modelgenerator.long_context.evaluation import check_writable, provenance, write_json
from modelgenerator.long_context.evaluation.ranking import auroc
from modelgenerator.long_context.method_record import method_record
from modelgenerator.tasks import MLM
from modelgenerator.tasks.base import BackboneCallable

# Sign that makes a score higher for what is thought harmful.
SIGN = {"llr": -1.0, "distance": 1.0}


class VariantEffect(MLM):
    """Score variants by likelihood and by embedding, at several window lengths, without training.

        llr = sum over the variant's bases of log p(alt) - log p(ref), with all of them masked
        distance = || mean over the window of (h_alt - h_ref) ||, h the last hidden states

    A harmful variant is expected to have a low `llr` and a large `distance`, so AUROC and AUPRC are
    those of -`llr` and of `distance`. Upstream's `ZeroshotPredictionDiff` and
    `ZeroshotPredictionDistance` (L2, last layer) score likewise, from windows held in memory.

    Note:
        `mgen test` on [Variants](./#modelgenerator.long_context.data.Variants) logs
        `test_auroc_SCORE/LENGTH` and `test_auprc_SCORE/LENGTH` if the variants have labels. A site
        is masked once for all its alternatives, and a reference is encoded once for all variants
        of its window. Where only some variants are scored (`trainer.limit_test_batches`), those
        are ranked, and `test_variants/LENGTH` is how many; a score that cannot be ranked is left
        out with a warning that says why, and listed in `results` as `not_ranked`.

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        scores: What to compute, of `llr` and `distance`. `llr` alone needs one pass a site.
        table: TSV to write, a row for each variant, columns SCORE_LENGTH. None writes none.
        results: JSON file for AUROC and AUPRC with all that they depend on. None writes none.

    Raises:
        ValueError: If no score is asked for, or a file cannot be written.
    """

    def __init__(
        self,
        backbone: BackboneCallable,
        scores: List[Literal["llr", "distance"]] = ["llr", "distance"],  # noqa: B006
        table: Optional[str] = None,
        results: Optional[str] = None,
        **kwargs,
    ):
        super().__init__(backbone, **kwargs)
        if self.__class__ is VariantEffect:
            self.save_hyperparameters()
        if not scores:
            raise ValueError(f"scores: none is given. Give some of {', '.join(SIGN)}.")
        self.scores = list(dict.fromkeys(scores))
        self.table = table
        self.results = results
        for stage in ("train", "val", "test"):
            self.metrics[f"{stage}_metrics"] = nn.ModuleDict()  # upstream's score every token
        self._found: list[list[dict]] = []

    def required_data_columns(self, stage: str) -> list[str]:
        """Windows with either allele."""
        if stage == "fit":
            raise ValueError("VariantEffect trains nothing. Run mgen test or mgen predict.")
        return ["reference", "masked", "alternate", "window", "site", "position", "index"]

    def provided_data_columns(self, stage: str) -> list[str]:
        """The backbone's tokenizer is not used, so it needs no strings."""
        return ["sequences"]

    def check_data_compatibility(self, stage: str) -> None:
        """Refuse, before the run, data without alleles and files that cannot be written."""
        super().check_data_compatibility(stage)
        for name in ("table", "results"):
            if getattr(self, name) is not None and stage in ("test", "predict"):
                check_writable(getattr(self, name), f"model.{name}")

    def transform(self, batch: dict, batch_idx: Optional[int] = None) -> dict:
        """The batch as it is; ids are made by the data workers."""
        return batch

    def forward(self, collated_batch: dict) -> dict[str, Tensor]:
        """The scores of a batch, each float32 [variants]."""
        found = {}
        if "llr" in self.scores:
            found["llr"] = self._llr(collated_batch)
        if "distance" in self.scores:
            found["distance"] = self._distance(collated_batch)
        return found

    def _hidden(self, ids: Tensor) -> Tensor:
        return self.backbone(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state

    def _llr(self, batch: dict) -> Tensor:
        ref, alt = batch["ref_ids"], batch["alt_ids"]  # [V, width]
        present = ref >= 0
        columns = batch["position"][:, None] + torch.arange(ref.shape[1], device=ref.device)
        columns = columns.where(present, batch["position"][:, None])
        hidden = self._hidden(batch["masked"])[batch["site"][:, None], columns]  # [V, width, d]
        log_p = self.adapter(hidden).float().log_softmax(-1)
        ratio = _of(log_p, alt) - _of(log_p, ref)
        return ratio.where(present, 0.0).sum(dim=1)

    def _distance(self, batch: dict) -> Tensor:
        # Both alleles in one pass: what differs is then the allele, and nothing of the arithmetic.
        both = self._hidden(torch.cat([batch["reference"], batch["alternate"]]))[:, 1:-1]
        references, alternates = both.split([len(batch["reference"]), len(batch["alternate"])])
        change = alternates.float() - references[batch["window"]].float()
        return change.mean(dim=1).norm(dim=1)

    def test_step(
        self, batch: dict, batch_idx: Optional[int] = None, dataloader_idx: int = 0
    ) -> None:
        """Score a batch and keep the scores for its length."""
        found = self.forward(self.transform(batch, batch_idx))
        found["index"] = batch["index"]
        self._found[dataloader_idx].append({name: x.cpu().numpy() for name, x in found.items()})

    def predict_step(self, batch: dict, batch_idx: Optional[int] = None) -> dict[str, Tensor]:
        """Scores of a batch, with `index`, the row of each in the data module's table."""
        return {"index": batch["index"], **self.forward(self.transform(batch, batch_idx))}

    def on_test_epoch_start(self) -> None:
        super().on_test_epoch_start()
        self._started = time.perf_counter()
        self._found = [[] for _ in self.trainer.datamodule.lengths]

    def on_test_epoch_end(self) -> None:
        super().on_test_epoch_end()
        seconds = time.perf_counter() - self._started
        data = self.trainer.datamodule
        frame = data.table[["chrom", "pos", "ref", "alt"]].copy()
        if data.labels is not None:
            frame["label"] = data.labels
        rows, not_ranked = [], []
        for length, batches in zip(data.lengths, self._of_all_ranks(), strict=True):
            indices = [batch["index"] for batch in batches]
            scored = np.unique(np.concatenate(indices)) if indices else np.zeros(0, dtype=int)
            self.log(f"test_variants/{length}", float(len(scored)))
            for name in self.scores:
                values = np.full(len(frame), np.nan, dtype=np.float32)
                for batch in batches:
                    values[batch["index"]] = batch[name]
                frame[f"{name}_{length}"] = values
                if data.labels is None:
                    continue
                row, reason = _counted(length, name, data.labels[scored], values[scored])
                if reason is None:
                    rows += _ranking(row, data.labels[scored], values[scored])
                else:
                    not_ranked.append({**row, "reason": reason})
                    rank_zero_warn(
                        f"{name} at {length:,} nt has no AUROC and no AUPRC: {reason}. "
                        f"{len(scored):,} of {len(frame):,} variants were scored."
                    )
        for row in rows:
            self.log(f"test_{row['metric']}_{row['score']}/{row['length']}", row["value"])
        if self.trainer.is_global_zero:
            self._write(frame, rows, not_ranked, seconds)

    def _of_all_ranks(self) -> list[list[dict]]:
        """The batches of every length from all processes."""
        if self.trainer.world_size == 1:
            return self._found
        gathered = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(gathered, self._found)
        return [sum(parts, []) for parts in zip(*gathered, strict=True)]

    def _write(
        self, frame: pd.DataFrame, rows: list[dict], not_ranked: list[dict], seconds: float
    ) -> None:
        data = self.trainer.datamodule
        if self.table is not None:
            frame.to_csv(self.table, sep="\t", index=False)
        if self.results is not None:
            result = {
                "schema": "variant_effect/1",
                **method_record(self),
                "backbone": type(self.backbone).__name__,
                "data": data.describe(),
                "results": rows,
                "not_ranked": not_ranked,
                "seconds": round(seconds, 1),
                **provenance(),
            }
            write_json(self.results, result)


def _of(log_p: Tensor, ids: Tensor) -> Tensor:
    """Entries of log_p [V, width, vocab] at ids [V, width]; anything where an id is -1."""
    return log_p.gather(-1, ids.clamp(min=0)[..., None])[..., 0]


def _counted(
    length: int, score: str, labels: np.ndarray, values: np.ndarray
) -> tuple[dict, Optional[str]]:
    """How many variants were scored, and why they cannot be ranked if they cannot."""
    row = {"length": length, "score": score, "variants": len(labels), "positives": int(sum(labels))}
    odd = int((~np.isfinite(values)).sum())
    if not len(labels):
        return row, "no variant was scored"
    if len(set(labels)) < 2:
        return row, f"all variants scored have the label {labels[0]}"
    return row, f"{odd:,} scores are not finite; check the model" if odd else None


def _ranking(row: dict, labels: np.ndarray, values: np.ndarray) -> list[dict]:
    """AUROC and AUPRC of a score."""
    harmful = SIGN[row["score"]] * values
    area = auroc(labels, harmful)
    return [
        {**row, "metric": "auroc", "value": area.value, "standard_error": area.error},
        {**row, "metric": "auprc", "value": float(average_precision_score(labels, harmful))},
    ]
