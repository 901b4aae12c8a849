# SPDX-License-Identifier: Apache-2.0
"""The callback that trains at skipped positions; the draws are tested with the methods."""

from functools import partial
from types import SimpleNamespace

import pytest

from modelgenerator.backbones.positional import clex, rope, yarn
from modelgenerator.long_context.callbacks import SkippedPositions
from modelgenerator.long_context.installation import rotary_embedding


def trainer(window):
    return SimpleNamespace(datamodule=SimpleNamespace(window=window))


def test_the_method_skips_while_it_is_fitted(tiny_task):
    task = tiny_task(partial(yarn, factor=4.0, original_max_position_embeddings=64))
    callback = SkippedPositions(seed=3)
    callback.on_fit_start(trainer(64), task)
    assert rotary_embedding(task).skip.length == 256
    assert rotary_embedding(task).skip.seed == 3
    callback.on_fit_end(trainer(64), task)
    assert rotary_embedding(task).skip is None


def test_what_cannot_skip_is_refused(tiny_task):
    with pytest.raises(ValueError, match="the task has no model.pe"):
        SkippedPositions().on_fit_start(trainer(64), tiny_task(None))
    plain = tiny_task(partial(rope, original_max_position_embeddings=64))
    with pytest.raises(ValueError, match="length 64 is shorter than the training windows of 128"):
        SkippedPositions().on_fit_start(trainer(128), plain)
    random = tiny_task(partial(clex, positions="random", original_max_position_embeddings=64))
    with pytest.raises(ValueError, match="positions of its own .positions='random'"):
        SkippedPositions().on_fit_start(trainer(64), random)


@pytest.mark.parametrize("options", [{"length": 0}, {"length": -8192}, {"seed": -1}])
def test_bad_numbers_are_refused_at_once(options):
    with pytest.raises(ValueError, match="(length|seed)=.* is not allowed: give an integer of"):
        SkippedPositions(**options)
