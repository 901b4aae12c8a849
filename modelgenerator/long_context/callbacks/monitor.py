# SPDX-License-Identifier: Apache-2.0
"""Writes a run folder while a task trains, for the live page (`mgen-lc monitor`)."""

import fnmatch
import os
import platform
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

import torch
import yaml
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor
from torch.optim import Optimizer

from modelgenerator.long_context.evaluation import check_writable, peak_memory_mib, provenance
from modelgenerator.long_context.installation import rotary_embedding
from modelgenerator.long_context.learned import learned_parameters, method_name
from modelgenerator.long_context.monitor.files import check_run_name
from modelgenerator.long_context.monitor.record import Recorder, claim_name, in_use
from modelgenerator.long_context.monitor.settings import Logged, Shown
from modelgenerator.long_context.monitor.steps import Steps

SHARDED = ("FSDPStrategy", "ModelParallelStrategy", "DeepSpeedStrategy")
SECRET = re.compile(
    r"passw(or)?d|secret|credential|(api|access|private)_?key|(^|_)token$", re.IGNORECASE
)
PROGRESS_BAR = ("tokens_per_s", "length", "minutes_left")


class Monitor(Callback):
    """Records a run for the live training page, whatever the task; never stops it.

    Rank 0 appends a line to `FOLDER/NAME/metrics.jsonl` for each logged step: whatever the task
    logs, and `tokens_per_s`, `step_seconds`, `data_wait_share` (share of the time that data was
    waited for), `memory_peak_mib`, `length` (tokens of the longest row), `lr`, `grad_norm` (before
    clipping), `extension_factor` (drawn or fixed), `rotary_drift` (of learned rotary parameters
    from their start, relative), `minutes_left`, `nonfinite_losses` and `monitor_share` (this
    callback's own share of the time). With `logged.eval_every_n_steps` it measures perplexity by
    length, loss by position and recall of planted copies on windows of the validation blocks.

    `mgen-lc monitor FOLDER` shows the runs. What is logged can be changed while a run goes on, by
    the page or by hand, in `FOLDER/NAME/control.json`. A resumed run goes on in its own folder.

    Note:
        Measurements by length need `MaskedLM` on `GenomeWindows`, and are left out, as the norm of
        the gradient, where parameters are sharded over processes.

    Args:
        folder: Folder of runs.
        name: Folder of this run in it. None makes one of method and time; "-2" is appended if a
            run of that name is there already.
        logged: What is logged.
        shown: What the page shows until somebody chooses otherwise; of several runs, the newest's.

    Raises:
        ValueError: If a setting is not allowed or the folder cannot be written; before training.
    """

    def __init__(
        self,
        folder: str = "runs",
        name: Optional[str] = None,
        logged: Optional[Logged] = None,
        shown: Optional[Shown] = None,
    ):
        self.folder = folder
        self.name = None if name is None else check_run_name(name)
        self.logged = logged or Logged()
        self.shown = shown or Shown()
        self._run: Optional[Recorder] = None  # on rank 0 only
        self._steps = Steps()
        self._start: Optional[list[Tensor]] = None  # what the method learns, before training
        self._resumed: Optional[str] = None
        self._by_length: Optional[Any] = None
        self._seen: dict[str, Tensor] = {}  # last value of every name, as Lightning keeps it

    # A checkpoint knows its run, so a resumed run needs no option.
    def state_dict(self) -> dict:
        """Where the run is written, and what is counted from its start."""
        tokens, nonfinite = self._steps.so_far()
        return {
            "name": None if self._run is None else self._run.name,
            "tokens": tokens,
            "nonfinite": nonfinite,
            "start": self._start,
        }

    def load_state_dict(self, state_dict: dict) -> None:
        """Go on in the folder of the checkpoint's run."""
        self._resumed = state_dict["name"]
        self._steps.tokens = state_dict["tokens"]
        self._steps.nonfinite = state_dict["nonfinite"]
        self._start = state_dict["start"]

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        shared = getattr(trainer.strategy, "context_parallel_size", 1)  # have one window, all of it
        steps = Steps(trainer.world_size // shared)
        steps.tokens, steps.nonfinite = self._steps.tokens, self._steps.nonfinite
        self._steps = steps
        if self._start is None:
            sharded = type(trainer.strategy).__name__ in SHARDED
            learned = [] if sharded else self._learned(pl_module)
            self._start = [p.detach().cpu().clone() for p in learned]
        self._open(trainer, pl_module, "fit")
        self._make_by_length(trainer, pl_module)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._last_step = self._measured_step = trainer.global_step
        self._last_read, self._own_seconds = time.perf_counter(), 0.0
        self._pace: Optional[float] = None  # seconds a step, averaged
        self._grad_norm: Optional[Tensor] = None
        if trainer.global_step == 0:
            self._measure(trainer, pl_module)
        self._steps.pause_ended()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._steps.batch_started()

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        due = (trainer.global_step + 1) % self.logged.every_n_steps == 0
        if due and type(trainer.strategy).__name__ not in SHARDED:
            started = time.perf_counter()
            gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
            self._grad_norm = torch.nn.utils.get_total_norm(g for g in gradients if g is not None)
            self._own_seconds += time.perf_counter() - started

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        self._steps.batch_ended(batch, loss if isinstance(loss, Tensor) else None)
        step = trainer.global_step
        if step != self._last_step and step % self.logged.every_n_steps == 0:
            values = self._steps.read(step - self._last_step)  # waits for the device
            started = time.perf_counter()
            self._log_step(trainer, pl_module, values)
            self._own_seconds += time.perf_counter() - started
        every = self.logged.eval_every_n_steps
        if every and step % every == 0 and step != self._measured_step:
            self._measure(trainer, pl_module)
        self._steps.pause_ended()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.sanity_checking or self._run is None:
            return
        values = self._fresh(trainer)
        if values:
            self._run.log(trainer.global_step, self._steps.tokens, self._wanted(values))
        self._steps.pause_ended()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._run is not None:
            self._run.finish()

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._open(trainer, pl_module, "test")

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        curves = _test_curves(trainer, pl_module)
        if self._run is None:
            return
        step = trainer.global_step
        self._run.log(step, self._steps.tokens, self._wanted(self._fresh(trainer)))
        for name, points in curves.items():
            self._run.curve(name, step, points)
        _log_pictures(trainer, curves, step)
        self._run.finish()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        if self._run is not None:
            self._run.fail(exception)

    def _open(self, trainer: Trainer, task: LightningModule, stage: str) -> None:
        """Begin the run's folder, on rank 0; a test after a fit stays in the fit's."""
        if not trainer.is_global_zero or self._run is not None:
            return
        root = Path(self.folder)
        resumed = self._resumed if stage == "fit" else None
        if resumed is not None and self.name in (None, resumed) and not in_use(root, resumed):
            name = resumed
        else:
            method = _method(task) or type(task).__name__
            suffix = "" if stage == "fit" else f"-{stage}"
            made = f"{method}{suffix}-{datetime.now():%Y%m%d-%H%M%S}"
            check_writable(root / "run", "Monitor.folder")
            name = claim_name(root, self.name or made)
        check_writable(root / name / "run.json", "Monitor.folder")
        self._run = Recorder(root, name)
        self._run.begin(self._describe(trainer, task, stage))
        rank_zero_info(f"Monitor: run {name} in {root.absolute()}")

    def _describe(self, trainer: Trainer, task: LightningModule, stage: str) -> dict:
        embedding = None if _method(task) is None else rotary_embedding(task)
        record = {
            "schema": "run/1",
            "stage": stage,
            "task": type(task).__name__,
            "backbone": type(getattr(task, "backbone", None)).__name__,
            "method": _method(task),
            "host": platform.node(),
            "pid": os.getpid(),
            "processes": trainer.world_size,
            "parameters": sum(p.numel() for p in task.parameters()),
            "learned_rotary_parameters": sum(p.numel() for p in self._learned(task)),
            **provenance(),
            "logged": vars(self.logged),
            "shown": {**vars(self.shown), "alerts": vars(self.shown.alerts)},
            "config": _config(trainer),
        }
        if embedding is not None:
            record["options"] = embedding.options
            record["original_max_position_embeddings"] = embedding.original_max_position_embeddings
        return record

    def _learned(self, task: LightningModule) -> list[Tensor]:
        return learned_parameters(task) if _method(task) is not None else []

    def _log_step(self, trainer: Trainer, task: LightningModule, values: dict[str, float]) -> None:
        """Write a line, hand it to loggers and progress bar, and look for new settings."""
        step = trainer.global_step
        values.update(self._of_model(trainer, task, values.get("length")))
        now = time.perf_counter()
        values["monitor_share"] = self._own_seconds / (now - self._last_read)
        seconds = values["step_seconds"]
        self._pace = seconds if self._pace is None else 0.9 * self._pace + 0.1 * seconds
        left = trainer.estimated_stepping_batches - step
        if left < float("inf"):
            values["minutes_left"] = left * self._pace / 60
        values = self._wanted(values)
        if self._run is not None:
            line = {**self._wanted(self._fresh(trainer)), **values}
            self._run.log(step, self._steps.tokens, line)
            if step % trainer.log_every_n_steps == 0:
                for logger in trainer.loggers:  # as Lightning counts: the first step is 0
                    logger.log_metrics(values, step=step - 1)
        if trainer.progress_bar_callback is not None:
            for name in PROGRESS_BAR:
                if name in values:
                    self.log(name, float(values[name]), prog_bar=True, logger=False)
        self._last_step, self._last_read, self._own_seconds = step, now, 0.0
        self._follow_control(trainer, task)

    def _of_model(
        self, trainer: Trainer, task: LightningModule, length: Optional[int]
    ) -> dict[str, float]:
        values = {"memory_peak_mib": peak_memory_mib()}
        groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
        for index, group in enumerate(groups):
            values["lr" if index == 0 else f"lr_{index + 1}"] = float(group["lr"])
        if self._grad_norm is not None:
            values["grad_norm"] = float(self._grad_norm)
            self._grad_norm = None
        if _method(task) is None:
            return values
        embedding = rotary_embedding(task)
        if length is not None:
            skip = embedding.skip if embedding.training else None
            reach = length if skip is None else skip.length + 2
            values["extension_factor"] = float(embedding.applied_factor(reach))
        if self._start:
            now = [p.detach().cpu() for p in self._learned(task)]
            moved = sum(
                float((p - s).square().sum()) for p, s in zip(now, self._start, strict=True)
            )
            whole = sum(float(s.square().sum()) for s in self._start)
            # Relative to the start, unless that is zero, as GeNE's is.
            values["rotary_drift"] = (moved / whole) ** 0.5 if whole else moved**0.5
        return values

    def _fresh(self, trainer: Trainer) -> dict[str, float]:
        """What was logged since the last call.

        Lightning keeps the last value of every name; one that was logged again is another tensor.
        """
        new = {}
        for name, value in trainer.callback_metrics.items():
            last = self._seen.get(name)
            if last is None or last.data_ptr() != value.data_ptr():
                self._seen[name] = value
                if name not in PROGRESS_BAR:  # this callback's own
                    new[name] = float(value)
        return new

    def _wanted(self, values: dict[str, float]) -> dict[str, float]:
        patterns = self.logged.metrics
        return {
            name: value
            for name, value in values.items()
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
        }

    def _follow_control(self, trainer: Trainer, task: LightningModule) -> None:
        new = None if self._run is None else self._run.control()
        if trainer.world_size > 1:  # all ranks measure, so all must agree on when
            new = trainer.strategy.broadcast(new)
        if new is None or new == self.logged:
            return
        old, self.logged = self.logged, new
        try:
            self._make_by_length(trainer, task)
        except ValueError as error:
            self.logged = old
            if self._run is not None:
                self._run.warn(f"control.json is left out. {error}")
            return
        if self._run is not None:
            self._run.keep(logged=vars(new))

    def _make_by_length(self, trainer: Trainer, task: LightningModule) -> None:
        self._by_length = None
        if not self.logged.eval_every_n_steps:
            return
        from modelgenerator.long_context.data import GenomeWindows
        from modelgenerator.long_context.monitor.by_length import ByLength
        from modelgenerator.long_context.tasks import MaskedLM

        data = trainer.datamodule
        reason = None
        if not isinstance(task, MaskedLM) or not isinstance(data, GenomeWindows):
            reason = f"they need MaskedLM on GenomeWindows; this is {type(task).__name__}"
        elif type(trainer.strategy).__name__ in SHARDED:
            reason = "parameters are sharded over processes"
        elif data.valid_share == 0:
            reason = "data.valid_share is 0, so there are no validation blocks"
        if reason is not None:
            rank_zero_info(f"Monitor: no measurements by length: {reason}.")
            return
        self._by_length = ByLength(
            data,
            self.logged.eval_lengths or data.lengths,
            self.logged.eval_windows,
            self.logged.attention_entropy,
        )

    def _measure(self, trainer: Trainer, task: LightningModule) -> None:
        self._measured_step = trainer.global_step
        if self._by_length is None:
            return
        try:
            metrics, curves = self._by_length.measure(trainer, task)
        except (RuntimeError, MemoryError) as error:  # out of memory at a long window, mostly
            self._by_length = None
            if self._run is not None:
                self._run.warn(
                    f"no more measurements by length: {error}. Training goes on; other lengths "
                    "can be asked for in control.json."
                )
            return
        if self._run is None:
            return
        step = trainer.global_step
        metrics = self._wanted(metrics)
        self._run.log(step, self._steps.tokens, metrics)
        for name, points in curves.items():
            if points:
                self._run.curve(name, step, points)
        for logger in trainer.loggers:
            logger.log_metrics(metrics, step=step)
        _log_pictures(trainer, curves, step)


def _log_pictures(trainer: Trainer, curves: dict[str, list[dict]], step: int) -> None:
    from modelgenerator.long_context.monitor.pictures import log_pictures  # needs matplotlib

    log_pictures(trainer.loggers, curves, step)


def _method(task: LightningModule) -> Optional[str]:
    """Short name of the method; None without `pe`."""
    return None if getattr(task, "pe", None) is None else method_name(task)


def _test_curves(trainer: Trainer, task: LightningModule) -> dict[str, list[dict]]:
    """The curves of a test run of `MaskedLM`; none of another task."""
    from modelgenerator.long_context.monitor.by_length import add_bases, add_recall
    from modelgenerator.long_context.tasks import MaskedLM

    if not isinstance(task, MaskedLM):
        return {}
    curves: dict[str, list[dict]] = {"perplexity_by_length": [], "loss_by_position": []}
    for index, (kind, length) in enumerate(trainer.datamodule.test_sets):
        values = task.counters[f"test{index}"].compute()  # over all ranks, already added up
        add_bases({}, curves, "test", length, kind, values)
        if kind == "copies":
            add_recall(curves, length, task.counters[f"recall{index}"].compute())
    return curves


def _config(trainer: Trainer) -> dict:
    """The whole configuration as the CLI had it, what looks like a secret left out."""
    for callback in trainer.callbacks:
        if isinstance(callback, SaveConfigCallback):
            text = callback.parser.dump(callback.config, skip_none=False)
            return _without_secrets(yaml.safe_load(text))
    return {}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: "(hidden)" if SECRET.search(str(k)) and v is not None else _without_secrets(v)
            for k, v in value.items()
        }
    return [_without_secrets(v) for v in value] if isinstance(value, list) else value
