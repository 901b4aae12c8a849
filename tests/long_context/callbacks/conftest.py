# SPDX-License-Identifier: Apache-2.0
"""A test run of random weights on two short chromosomes, in this process."""

import numpy as np
import pytest
from lightning import Trainer

from modelgenerator.long_context.data import GenomeWindows


@pytest.fixture
def windows(tmp_path):
    """Windows of 64 and 256 nt of a random sequence, natural and with copies."""
    letters = np.random.default_rng(0).choice(list("ACGT"), 4096)
    (tmp_path / "genome.fa").write_text(">a\n" + "".join(letters) + "\n")
    return GenomeWindows(
        str(tmp_path / "genome.fa"), window=256, lengths=[64, 256], block=1024, eval_windows=2,
        test_share=0.5, valid_share=0.0, copies_per_window=1, copy_max_length=20, batch_size=1,
        pin_memory=False,
    )  # fmt: skip


@pytest.fixture
def run_test(windows, tmp_path):
    """Test a task with callbacks, as `mgen test` does; gives the task back."""

    def run_test(task, *callbacks, data=windows, **options):
        trainer = Trainer(
            accelerator="cpu", logger=False, callbacks=list(callbacks), barebones=False,
            enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
            default_root_dir=tmp_path, **options,
        )  # fmt: skip
        trainer.test(task, datamodule=data, verbose=False)
        return task

    return run_test
