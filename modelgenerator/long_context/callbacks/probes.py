# SPDX-License-Identifier: Apache-2.0
"""What can be read off the frozen encoder about tasks with labels, while `mgen test` runs."""

import copy
from typing import Dict, Optional

from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader, Dataset

from modelgenerator.long_context.callbacks.natural_windows import natural_test_sets
from modelgenerator.long_context.data.labelled_windows import LabelledWindows, NucleotideWindows
from modelgenerator.long_context.evaluation.baselines import window_features
from modelgenerator.long_context.evaluation.embeddings import Embeddings, embed
from modelgenerator.long_context.evaluation.probes import probe


class Probes(Callback):
    """Linear probes of tasks with a label a window, at growing windows.

    At every length of a task the encoder embeds training windows and test windows of that length
    (the mean over a window's bases), a logistic regression is fitted on the former and scored
    on the latter. Beside it the same regression on the k-mer frequencies of the same windows,
    which needs no encoder. The encoder is the one under test: with no training it is a zero-shot
    probe, with `--ckpt_path` that of the fine-tuned encoder.

    The result file gets rows under `probes`, one a task and length: `value`, the accuracy on
    `n_test` windows after `n_train`; `baseline`, that of k-mers; `majority`, of always giving the
    class most frequent in training. With several processes the first one does it all. Not for
    FSDP, which shards the model outside of the test step.

    Args:
        tasks: A name and a data module for each task. Its `lengths`, `train_windows` and
            `eval_windows` say what is embedded; its `window` at most the longest of `lengths`.
        k: Length of the baseline's k-mers.
        strength: L2 penalty of both regressions, on standardised features.
        cache: Folder of embeddings, so that what was embedded once is read. By default none.

    Raises:
        ValueError: If there is no task, one has labels for single bases, the task under test is
            not MaskedLM, or its data has no test sets by length.
    """

    def __init__(
        self,
        tasks: Dict[str, LabelledWindows],
        k: int = 4,
        strength: float = 100.0,
        cache: Optional[str] = None,
    ):
        if not tasks:
            raise ValueError("Probes.tasks: none given. Give a name and a data module for each.")
        for name, data in tasks.items():
            if isinstance(data, NucleotideWindows):
                raise ValueError(
                    f"Probes.tasks: {name} ({type(data).__name__}) has a label for every base. "
                    "Give tasks with one label a window, such as ReplicationStrand."
                )
            if data.window > max(data.lengths):
                raise ValueError(
                    f"Probes.tasks: {name} has window {data.window:,} above its longest length, "
                    f"{max(data.lengths):,}. Each length trains on windows of its own; give "
                    "window: the longest."
                )
        self.tasks = tasks
        self.k = k
        self.strength = strength
        self.cache = cache

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        from modelgenerator.long_context.tasks import MaskedLM

        if not isinstance(pl_module, MaskedLM):
            raise ValueError(
                "Probes writes into the result file of "
                "modelgenerator.long_context.tasks.MaskedLM, and the task is "
                f"{type(pl_module).__name__}. Use it with that."
            )
        natural_test_sets(trainer, "Probes")

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        rows = []
        for name, data in self.tasks.items():
            data.prepare_data()
            data.setup("test")
            for length, asked in zip(data.lengths, data.test_datasets, strict=True):
                given = _training_windows(data, length)
                with trainer.precision_plugin.test_step_context():
                    train, test = (
                        self._embed(pl_module, data, windows, length) for windows in (given, asked)
                    )
                found = probe(train, test, self.strength)
                kmers = (window_features(windows, self.k) for windows in (given, asked))
                rows.append(
                    {
                        "task": name,
                        "length": length,
                        "metric": "accuracy",
                        "value": found["accuracy"],
                        "baseline": probe(*kmers, self.strength)["accuracy"],
                        "majority": found["majority"],
                        "n_train": len(given),
                        "n_test": len(asked),
                    }
                )
        pl_module.extra_results["probes"] = rows

    def _embed(
        self, task: LightningModule, data: LabelledWindows, windows: Dataset, length: int
    ) -> Embeddings:
        batch_size = max(1, data.batch_size * data.window // length)
        loader = DataLoader(windows, batch_size=batch_size, num_workers=data.num_workers)
        return embed(task, loader, cache=self.cache)


def _training_windows(data: LabelledWindows, length: int) -> Dataset:
    """Training windows of another length, from the same split of the same genomes."""
    other = copy.copy(data)
    other.window, other.valid_share = length, 0.0  # nothing to validate on
    other.setup("fit")
    return other.train_dataset
