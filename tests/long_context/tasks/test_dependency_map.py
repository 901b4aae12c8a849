# SPDX-License-Identifier: Apache-2.0
"""Maps of a small encoder by Lightning's own predict."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer

from modelgenerator.backbones.positional import rope
from modelgenerator.long_context.data import Mutants, ReadColumns
from modelgenerator.long_context.data.vocabulary import encode, reverse_complement
from modelgenerator.long_context.depmap.compare import agreement
from modelgenerator.long_context.depmap.log_odds import largest_change, log_odds
from modelgenerator.long_context.depmap.store import MapFolder
from modelgenerator.long_context.tasks import DependencyMap, GradientMap

ROPE = partial(rope, original_max_position_embeddings=64)
SEQUENCE = "ACGTTGCAAGGCTTAACCGTATGC"
OTHER = "ACGTTGCAAGGCTTAACCGTATGG"
LETTER_IDS = [5, 7, 6, 8]


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "s.fa"
    path.write_text(f">s\n{SEQUENCE}\n")
    return str(path)


@pytest.fixture
def predict(tiny_task):
    def predict(folder, data, task=DependencyMap, **options):
        model = tiny_task(pe=ROPE, task=task, options={"output": str(folder)})
        for parameter in model.parameters():  # far enough from uniform to have something to map
            parameter.data *= options.get("gain", 2.0)
        trainer = Trainer(
            accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
        )
        trainer.predict(model, datamodule=data)
        return model, MapFolder(folder)

    return predict


def by_hand(model, sequence):
    """Every substitution, one at a time, straight from the definition."""
    letters = "ACGT"

    def logits(text):
        ids = torch.tensor([[2, *encode(text.encode()).tolist(), 3]])
        hidden = model.backbone(input_ids=ids, attention_mask=torch.ones_like(ids))
        return model.adapter(hidden.last_hidden_state[:, 1:-1])[0][:, LETTER_IDS]

    with torch.no_grad():
        reference = log_odds(logits(sequence))
        values = np.zeros((len(sequence), len(sequence)), dtype=np.float32)
        for i, letter in enumerate(sequence):
            others = [x for x in letters if x != letter]
            mutants = [log_odds(logits(sequence[:i] + x + sequence[i + 1 :])) for x in others]
            values[i] = largest_change(torch.stack(mutants)[None], reference)[0]
    np.fill_diagonal(values, np.nan)
    return values


def test_map_is_the_definition_on_either_strand(predict, fasta, tmp_path):
    model, folder = predict(tmp_path / "m", Mutants(fasta, strand="both", batch_size=5))
    forward = by_hand(model, SEQUENCE)
    assert np.nanmax(forward) > 0.1
    reverse = by_hand(model, decode_reverse(SEQUENCE))[::-1, ::-1]
    np.testing.assert_allclose(folder.load().values, (forward + reverse) / 2, atol=1e-4)
    _, minus = predict(tmp_path / "minus", Mutants(fasta, strand="-"))
    np.testing.assert_allclose(minus.load().values, reverse, atol=1e-4)


def decode_reverse(sequence):
    from modelgenerator.long_context.data.vocabulary import decode

    return decode(reverse_complement(encode(sequence.encode())))


def test_rows_and_columns_are_a_part_of_the_whole(predict, fasta, tmp_path):
    _, whole = predict(tmp_path / "whole", Mutants(fasta, strand="+"))
    _, part = predict(tmp_path / "part", Mutants(fasta, rows="3-9:2", columns="0-4,20-22"))
    rows, columns = [3, 5, 7], [0, 1, 2, 3, 20, 21]
    found = part.load()
    assert (found.rows.tolist(), found.columns.tolist()) == (rows, columns)
    np.testing.assert_allclose(found.values, whole.load().values[np.ix_(rows, columns)], atol=1e-5)


def test_interrupted_run_goes_on_and_repairs(predict, fasta, tmp_path):
    data = dict(strand="+", batch_size=6)
    _, folder = predict(tmp_path / "m", Mutants(fasta, **data))
    before = folder.load().values
    blocks = sorted((folder.path / "blocks").iterdir())
    assert len(blocks) == 4
    kept = blocks[0].stat().st_mtime_ns
    blocks[1].unlink()
    blocks[2].write_bytes(b"half a block")
    predict(tmp_path / "m", Mutants(fasta, **data))
    np.testing.assert_array_equal(folder.load().values, before)
    assert blocks[0].stat().st_mtime_ns == kept
    cost = json.loads((folder.path / "cost.json").read_text())
    assert cost["passes"] == 1 + 2 * 6 * 3  # the two that were lost, and the reference


def test_another_model_or_sequence_is_refused(predict, fasta, tmp_path):
    predict(tmp_path / "m", Mutants(fasta, strand="+"))
    with pytest.raises(ValueError, match="holds another map; weights_digest differ"):
        predict(tmp_path / "m", Mutants(fasta, strand="+"), gain=3.0)
    other = tmp_path / "other.fa"
    other.write_text(f">s\n{OTHER}\n")
    with pytest.raises(ValueError, match="holds another map; sequence differ"):
        predict(tmp_path / "m", Mutants(str(other), strand="+"))
    with pytest.raises(ValueError, match="kind"):
        predict(tmp_path / "m", ReadColumns(fasta, strand="+"), task=GradientMap)


def test_blocks_of_bases(predict, fasta, tmp_path):
    data = Mutants(fasta, block=10, substitutions=1)
    _, folder = predict(tmp_path / "m", data)
    found = folder.load()
    assert found.rows.tolist() == [0, 10, 20]
    own = found.rows[:, None] == np.arange(24) // 10 * 10
    assert (np.isnan(found.values) == own).all()


@pytest.mark.parametrize("strand", ["+", "-"])
def test_gradient_is_the_limit_of_small_steps(predict, fasta, tmp_path, strand):
    """Against the change of the log-odds when an embedding goes a thousandth of the way."""
    model, folder = predict(
        tmp_path / "g", ReadColumns(fasta, strand=strand, columns="4-7"), task=GradientMap, gain=1.5
    )
    found = folder.load()
    text = SEQUENCE if strand == "+" else decode_reverse(SEQUENCE)
    ids = torch.tensor([[2, *encode(text.encode()).tolist(), 3]])
    embedding = model.backbone.encoder.embeddings.word_embeddings
    step, row, column = 1e-3, 9, 5
    at = (row, column) if strand == "+" else (23 - row, 23 - column)

    def odds(shift):
        def add(module, args, output):
            output = output.clone()
            output[0, at[0] + 1] += shift
            return output

        handle = embedding.register_forward_hook(add)
        with torch.no_grad():
            hidden = model.backbone(input_ids=ids, attention_mask=torch.ones_like(ids))
            logits = model.adapter(hidden.last_hidden_state[:, at[1] + 1])[0][LETTER_IDS]
        handle.remove()
        return log_odds(logits)[LETTER_IDS.index(int(ids[0, at[1] + 1]))].item()

    weight = embedding.weight.detach()
    steps = weight[LETTER_IDS] - weight[ids[0, at[0] + 1]]
    change = max(abs(odds(step * s) - odds(-step * s)) / (2 * step) for s in steps)
    here = found.values[row, found.columns.tolist().index(column)]
    assert here == pytest.approx(change, rel=0.02)


def test_gradient_agrees_with_the_exact_map_where_the_model_is_nearly_linear(
    predict, fasta, tmp_path
):
    _, exact = predict(tmp_path / "e", Mutants(fasta, strand="+"), gain=1.0)
    _, estimate = predict(
        tmp_path / "g", ReadColumns(fasta, strand="+"), task=GradientMap, gain=1.0
    )
    assert agreement(exact.load(), estimate.load()).rank_correlation > 0.5


@pytest.mark.slow
def test_two_processes_make_one_map(run, root, fasta, tmp_path):
    """`mgen predict` on two devices: gloo on the CPU, each process writes its share of the rows."""
    command = ["mgen", "predict", "--config", "experiments/long_context/depmap/tiny.yaml"]
    command += ["--data.fasta", fasta, "--data.strand", "both", "--data.batch_size", "5"]
    command += ["--trainer.default_root_dir", tmp_path]
    found = {}
    for devices in (1, 2):
        folder = tmp_path / f"map{devices}"
        options = ["--model.output", folder, "--trainer.devices", devices]
        options += ["--trainer.strategy", "ddp"] if devices > 1 else []
        done = run(*command, *options, OMP_NUM_THREADS="1")
        assert done.returncode == 0, done.stderr
        found[devices] = MapFolder(folder)
    assert "gloo" in done.stderr
    blocks = [sorted(p.name for p in (one.path / "blocks").iterdir()) for one in found.values()]
    assert blocks[0] == blocks[1]
    assert len(blocks[0]) == 2 * 5
    whole, shared = (one.load() for one in found.values())
    assert np.isnan(whole.values).sum() == len(SEQUENCE), "the diagonal alone"
    np.testing.assert_array_equal(shared.values, whole.values)
    np.testing.assert_array_equal(shared.reference, whole.reference)
    costs = [json.loads((one.path / "cost.json").read_text()) for one in found.values()]
    assert [cost["devices"] for cost in costs] == [1, 2]
    assert costs[0]["passes"] == 2 + 2 * 3 * len(SEQUENCE)
    assert costs[1]["passes"] < costs[0]["passes"], "of the first process: its share"


@pytest.mark.parametrize("stage", ["fit", "test"])
def test_only_prediction_makes_maps(tiny_task, tmp_path, stage):
    task = tiny_task(task=DependencyMap, options={"output": str(tmp_path / "m")})
    with pytest.raises(ValueError, match="run mgen predict"):
        task.required_data_columns(stage)
