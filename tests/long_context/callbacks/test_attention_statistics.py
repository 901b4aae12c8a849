# SPDX-License-Identifier: Apache-2.0
import math
from functools import partial

import pytest
import torch

from modelgenerator.backbones.positional import rope, yarn
from modelgenerator.long_context.callbacks import AttentionStatistics
from modelgenerator.long_context.installation import base_encoder

ROPE = partial(rope, original_max_position_embeddings=64)
YARN = partial(yarn, factor=4.0, original_max_position_embeddings=64)


def rows_of(task):
    return {(row["length"], row["layer"]): row for row in task.extra_results["attention"]}


def test_as_upstreams_own_probabilities(tiny_task, run_test, windows):
    """With plain RoPE and every nucleotide a query, it is what upstream's attention matrix says."""
    rows = rows_of(run_test(tiny_task(ROPE), AttentionStatistics(windows=1, queries=256)))
    assert set(rows) == {(n, layer) for n in (64, 256) for layer in (0, 1)}
    encoder = base_encoder(tiny_task(None).backbone)
    for index, (kind, length) in enumerate(windows.test_sets):
        if kind != "natural":
            continue
        window = windows.test_datasets[index][0]
        ids, mask = window["input_ids"][None], window["attention_mask"][None]
        with torch.no_grad():
            output = encoder(ids, attention_mask=mask, output_attentions=True, return_dict=True)
        at = torch.arange(length)
        distance = (at - at[:, None]).abs()
        for layer, p in enumerate(output.attentions):
            row, p = rows[length, layer], p[0, :, 1:-1]  # [H, queries, n]
            entropy = torch.special.entr(p).sum(-1).mean(-1)
            assert row["entropy_by_head"] == pytest.approx(entropy.tolist(), abs=2e-4)
            assert row["entropy"] == pytest.approx(entropy.mean().item(), abs=2e-4)
            assert row["log_n"] == pytest.approx(math.log(length + 2), abs=1e-4)
            assert row["special"] == pytest.approx(p[..., [0, -1]].sum(-1).mean().item(), abs=1e-5)
            assert row["mass"][-1]["high"] == length
            for part in row["mass"]:
                here = (distance >= part["low"]) & (distance < part["high"])
                share = p[..., 1:-1][:, here].sum() / p.shape[0] / length
                assert part["share"] == pytest.approx(share.item(), abs=1e-5)


def test_sampled_windows_and_queries(tiny_task, run_test):
    """The method under test is looked at, and the seed decides the queries."""
    plain = rows_of(run_test(tiny_task(ROPE), AttentionStatistics(queries=8)))
    again = rows_of(run_test(tiny_task(ROPE), AttentionStatistics(queries=8)))
    other = rows_of(run_test(tiny_task(ROPE), AttentionStatistics(queries=8, seed=1)))
    method = rows_of(run_test(tiny_task(YARN), AttentionStatistics(queries=8)))
    assert plain == again
    assert plain != other
    assert plain[256, 1]["entropy"] != method[256, 1]["entropy"]
    for row in method.values():
        assert 0 < row["entropy"] <= row["log_n"]
        total = sum(part["share"] for part in row["mass"]) + row["special"]
        assert total == pytest.approx(1.0, abs=1e-4)


def test_padded_rows_have_their_own_tables(tiny_task):
    """A short window in a batch with a longer one is looked at as if it were alone."""
    task, callback = tiny_task(YARN), AttentionStatistics(windows=2, queries=8)
    encoder = base_encoder(task.backbone)
    layer = encoder.encoder.layer[0].attention.self
    ids = torch.randint(5, 9, (2, 90), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, 40:] = 0

    def look(ids, mask):
        found = []
        handle = layer.register_forward_pre_hook(
            lambda layer, x: callback._look(layer, x[0], x[-1], found)
        )
        with torch.no_grad():
            encoder(ids, attention_mask=mask)
        handle.remove()
        return found

    both, alone = look(ids, mask), look(ids[:1, :40], mask[:1, :40])
    assert len(both) == 2
    torch.testing.assert_close(both[0], alone[0])


def test_without_pe_it_is_refused(tiny_task, run_test):
    with pytest.raises(ValueError, match="AttentionStatistics needs `model.pe`"):
        run_test(tiny_task(None), AttentionStatistics())


@pytest.mark.parametrize("bad", [{"windows": 0}, {"queries": 0}, {"seed": -1}])
def test_numbers_out_of_range_are_refused(bad):
    ((name, value),) = bad.items()
    with pytest.raises(ValueError, match=f"AttentionStatistics.{name}: {value}; give at least"):
        AttentionStatistics(**bad)
