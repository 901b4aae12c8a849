# SPDX-License-Identifier: Apache-2.0
"""Dependency maps: exact ones from mutants, and estimates from gradients."""

import hashlib
import resource
import time
from typing import Optional

import numpy as np
import torch
from torch import Tensor, nn

from modelgenerator.long_context.data.mutants import LETTER_IDS
from modelgenerator.long_context.depmap.log_odds import largest_change, log_odds, probabilities
from modelgenerator.long_context.depmap.store import Block, MapFolder
from modelgenerator.long_context.evaluation import check_writable, provenance, write_json
from modelgenerator.long_context.installation import base_encoder
from modelgenerator.long_context.method_record import method_record
from modelgenerator.tasks import MLM
from modelgenerator.tasks.base import BackboneCallable

SAMPLED = 1024  # entries of each weight that tell one model from another


class DependencyMap(MLM):
    """Map which bases a model's prediction of a base depends on, by substituting them.

    Every row of [Mutants](./#modelgenerator.long_context.data.Mutants) is mutated, the odds of the
    bases at every column are read, and the largest change is written to a folder, block by block.
    Nothing larger than a block is held, a run that was interrupted goes on where it stopped, and
    several devices share the blocks.

    Note:
        `mgen predict`, then `mgen-lc depmap FOLDER` for pictures and numbers.

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        output: Folder of the map. One that holds another model's or sequence's map is refused.
    """

    kind = "exact"

    def __init__(self, backbone: BackboneCallable, output: str, **kwargs):
        super().__init__(backbone, **kwargs)
        if self.__class__ is DependencyMap:
            self.save_hyperparameters()
        self.output = output
        for stage in ("train", "val", "test"):
            self.metrics[f"{stage}_metrics"] = nn.ModuleDict()  # there is nothing to score
        self.folder = MapFolder(output)

    def required_data_columns(self, stage: str) -> list[str]:
        """Mutants and which rows they are of."""
        if stage != "predict":
            raise ValueError(f"{type(self).__name__} makes maps: run mgen predict, not {stage}.")
        return self._columns()

    def _columns(self) -> list[str]:
        return ["mutants", "rows", "strand"]

    def provided_data_columns(self, stage: str) -> list[str]:
        """The backbone's tokenizer is not used, so it needs no strings."""
        return ["sequences"]

    def check_data_compatibility(self, stage: str) -> None:
        """Refuse, before the run, data without mutants and a folder that cannot be written."""
        super().check_data_compatibility(stage)
        check_writable(f"{self.output}/map.json", "model.output")

    def transform(self, batch: dict, batch_idx: Optional[int] = None) -> dict:
        """The batch as it is; ids are made by the data workers."""
        return batch

    def forward(self, ids: Tensor, columns: Tensor) -> Tensor:
        """Logits of A, C, G, T [batch, columns, 4] at offsets `columns` of ids [batch, n + 2]."""
        mask = torch.ones_like(ids)
        hidden = self.backbone(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.adapter(hidden[:, columns + 1])[..., list(LETTER_IDS)]

    def on_predict_start(self) -> None:
        """Start the folder, and read every strand without a substitution."""
        data = self.trainer.datamodule
        if self.trainer.is_global_zero:
            self.folder.start(
                {
                    "kind": self.kind,
                    **data.describe(),
                    **method_record(self),
                    "backbone": type(self.backbone).__name__,
                    "weights_digest": weights_digest(self),
                }
            )
        self.trainer.strategy.barrier()
        self._started, self._passes = time.perf_counter(), 0
        self._reference: dict[str, Tensor] = {}
        everywhere = torch.arange(data.longest, device=self.device)
        for strand in data.strands:
            # As Lightning does around predict_step: reference and mutants in the same precision.
            with torch.inference_mode(), self.trainer.precision_plugin.forward_context():
                logits = self(self._reference_ids(strand), everywhere)[0]
            if strand == "-":
                logits = logits.flip(0, 1)  # [n, 4]: A, C, G, T reversed is T, G, C, A
            if self.trainer.is_global_zero:
                self.folder.write_reference(strand, probabilities(logits).cpu().numpy())
            self._reference[strand] = log_odds(logits)
            self._passes += 1

    def _reference_ids(self, strand: str) -> Tensor:
        return torch.from_numpy(self.trainer.datamodule.reference(strand)).to(self.device)[None]

    def predict_step(self, batch: dict, batch_idx: Optional[int] = None) -> None:
        """Compute a block of the map and write it, unless it is there."""
        strand = batch["strand"]
        rows, columns = self._rows_and_columns(batch)
        if not self.folder.has(strand, rows.cpu().numpy(), columns.cpu().numpy()):
            values = self._values(batch, strand, rows, columns)
            values[self._own(rows, columns)] = np.nan
            block = Block(strand, rows.cpu().numpy(), columns.cpu().numpy(), values)
            self.folder.write(block)

    def _rows_and_columns(self, batch: dict) -> tuple[Tensor, Tensor]:
        """Offsets of a batch's block on the + strand."""
        columns = torch.from_numpy(self.trainer.datamodule.column_offsets)
        return batch["rows"], columns.to(self.device)

    def _on_strand(self, offsets: Tensor, strand: str) -> Tensor:
        """Where offsets of the + strand are on the strand that is read."""
        return offsets if strand == "+" else self.trainer.datamodule.longest - 1 - offsets

    def _own(self, rows: Tensor, columns: Tensor) -> np.ndarray:
        """Whether a column was itself substituted, bool [rows, columns]."""
        block = getattr(self.trainer.datamodule, "block", 1)
        behind = (columns[None] - rows[:, None]).cpu().numpy()
        return (0 <= behind) & (behind < block)

    def _values(self, batch: dict, strand: str, rows: Tensor, columns: Tensor) -> np.ndarray:
        """Largest change of the log-odds, float32 [rows, columns]."""
        ids = batch["mutants"]  # [R, K, n + 2]
        logits = self(ids.flatten(0, 1), self._on_strand(columns, strand))
        self._passes += len(logits)
        if strand == "-":
            logits = logits.flip(-1)
        changed = log_odds(logits).unflatten(0, ids.shape[:2])
        return largest_change(changed, self._reference[strand][columns]).cpu().numpy()

    def on_predict_end(self) -> None:
        """Say what the run cost, beside the map."""
        if self.trainer.is_global_zero:
            cost = {
                "kind": self.kind,
                "length": self.trainer.datamodule.longest,
                "passes": self._passes,
                "seconds": round(time.perf_counter() - self._started, 1),
                "peak_memory_mib": _peak_memory_mib(self.device),
                "devices": self.trainer.world_size,
                **provenance(),
            }
            write_json(self.folder.path / "cost.json", cost)


class GradientMap(DependencyMap):
    """Estimate a dependency map from gradients: a backward pass a column.

    The log-odds of the reference base at a column are taken to be linear in the embeddings of all
    bases. One backward pass then gives its change by every substitution of every row:

        change = max over alternatives a of | gradient_i . (embedding(a) - embedding(reference_i)) |

    An exact row costs three forward passes, an estimated column about two, so this pays where
    there are fewer columns than rows. The other way round, a forward-mode derivative for every
    row, costs as much as the exact map. How well the estimate agrees has to be measured for every
    model: `mgen-lc depmap EXACT ESTIMATE` does.

    Note:
        `mgen predict` on [ReadColumns](./#modelgenerator.long_context.data.ReadColumns). Needs the
        memory of a training step of one sequence.

    Args:
        backbone: A pretrained backbone from the modelgenerator library.
        output: Folder of the map. One that holds another model's or sequence's map is refused.
    """

    kind = "gradient"

    def __init__(self, backbone: BackboneCallable, output: str, **kwargs):
        super().__init__(backbone, output, **kwargs)
        if self.__class__ is GradientMap:
            self.save_hyperparameters()

    def _columns(self) -> list[str]:
        return ["columns", "strand"]

    def _rows_and_columns(self, batch: dict) -> tuple[Tensor, Tensor]:
        rows = torch.from_numpy(self.trainer.datamodule.row_offsets)
        return rows.to(self.device), batch["columns"]

    def _values(self, batch: dict, strand: str, rows: Tensor, columns: Tensor) -> np.ndarray:
        # The trainer predicts in inference mode, whose tensors know no gradient: leave it, and copy
        # what came from within.
        with torch.inference_mode(False), torch.enable_grad():
            ids = self._reference_ids(strand).clone()
            at = self._on_strand(columns, strand).clone()
            embedding = base_encoder(self.backbone).embeddings.word_embeddings
            with _Leaf(embedding) as leaf:
                odds = log_odds(self(ids, at)[0])  # [columns, 4]
            letters = torch.tensor(LETTER_IDS, device=ids.device)
            own = (ids[0, at + 1][:, None] == letters).int().argmax(1)
            read = odds.gather(1, own[:, None])[:, 0]
            self._passes += 1 + len(at)
            gradients = torch.stack(
                [
                    torch.autograd.grad(one, leaf.value, retain_graph=i + 1 < len(read))[0][0]
                    for i, one in enumerate(read)
                ]
            )  # [columns, n + 2, hidden]
            here = self._on_strand(rows, strand) + 1
            weight = embedding.weight.detach().float()
            steps = weight[letters][None] - weight[ids[0, here]][:, None]  # [rows, 4, hidden]
            with torch.autocast(self.device.type, enabled=False):
                change = torch.einsum("crh,rah->rca", gradients[:, here].float(), steps)
            return change.abs().amax(-1).cpu().numpy()


class _Leaf:
    """While entered, the output of a module is a leaf of the graph, and kept in `value`."""

    def __init__(self, module: nn.Module):
        self.module = module
        self.value: Optional[Tensor] = None

    def __enter__(self) -> "_Leaf":
        self._handle = self.module.register_forward_hook(self._cut)
        return self

    def __exit__(self, *_) -> None:
        self._handle.remove()

    def _cut(self, module: nn.Module, args: tuple, output: Tensor) -> Tensor:
        self.value = output.detach().requires_grad_()
        return self.value


def weights_digest(task: nn.Module) -> str:
    """A hash that tells one set of weights from another, of a sample of every tensor."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(task.state_dict().items()):
        flat = value.detach().flatten()
        sample = flat[:: max(1, len(flat) // SAMPLED)].float().cpu().numpy()
        digest.update(f"{name} {tuple(value.shape)}".encode() + sample.tobytes())
    return digest.hexdigest()


def _peak_memory_mib(device: torch.device) -> float:
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
