# SPDX-License-Identifier: Apache-2.0
"""Run folders as the callback writes them, without a model."""

import json

import pytest

from modelgenerator.long_context.monitor.record import Recorder


@pytest.fixture
def make_run(tmp_path):
    """Write a run with some steps; gives its recorder back."""

    def make(name="a", steps=3, **record):
        recorder = Recorder(tmp_path, name)
        recorder.begin(record)
        for step in range(1, steps + 1):
            recorder.log(step, 100 * step, {"train_loss": 1 / step})
        return recorder

    return make


@pytest.fixture
def lines_of(tmp_path):
    """The lines of a file of a run."""

    def lines_of(run, name="metrics.jsonl"):
        return [json.loads(line) for line in (tmp_path / run / name).read_text().splitlines()]

    return lines_of
