# SPDX-License-Identifier: Apache-2.0
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from modelgenerator.backbones.positional import gene, rope
from modelgenerator.long_context.callbacks import GradientCheckpointing, MemoryCheck
from modelgenerator.long_context.callbacks.memory_check import row_lengths, training_step
from modelgenerator.long_context.installation import base_encoder

ROPE = partial(rope, original_max_position_embeddings=512)


def trainer_of(*callbacks, precision="32-true", strategy=None, optimizers=(), global_step=0):
    return SimpleNamespace(
        global_step=global_step, world_size=1, callbacks=callbacks, precision=precision,
        strategy=strategy, optimizers=optimizers,
    )  # fmt: skip


def test_a_step_that_fits_is_let_through(tiny_task):
    batch = {"input_ids": torch.zeros(1, 66, dtype=torch.long)}
    MemoryCheck().on_train_batch_start(trainer_of(), tiny_task(ROPE), batch, 0)


def test_a_step_that_cannot_fit_is_refused_with_what_to_change(tiny_task):
    batch = {"input_ids": torch.empty(1000, 1, dtype=torch.long).expand(1000, 1_000_000)}
    expected = (
        r"1000 x 1,000,000 tokens takes about [\d.]+ GiB \(weights .*activations .*\); cpu has .*"
        r"Try data.batch_size: 1; the callback GradientCheckpointing; .*bf16-mixed; LoRA"
    )
    check, task = MemoryCheck(), tiny_task(ROPE)
    with pytest.raises(ValueError, match=expected):
        check.on_train_batch_start(trainer_of(), task, batch, 0)
    check.on_train_batch_start(trainer_of(), task, batch, 1)  # asked once, before the first step


def test_what_is_set_already_is_not_advised(tiny_task):
    batch = {"input_ids": torch.empty(1, 1, dtype=torch.long).expand(1, 10**10)}
    trainer = trainer_of(GradientCheckpointing("inputs"), precision="bf16-mixed")
    with pytest.raises(ValueError, match="Try more GPUs .*; a smaller data.window.$"):
        MemoryCheck().on_train_batch_start(trainer, tiny_task(ROPE, use_peft=True), batch, 0)


def test_windows_shared_by_processes_are_counted_once(tiny_task):
    batch = {"input_ids": torch.empty(1, 1, dtype=torch.long).expand(1, 10**7)}
    task, needed = tiny_task(ROPE), []
    for size in (1, 2):
        trainer = trainer_of(strategy=SimpleNamespace(context_parallel_size=size))
        with pytest.raises(ValueError, match="tokens takes about") as error:
            MemoryCheck().on_train_batch_start(trainer, task, batch, 0)
        needed.append(float(str(error.value).split("about ")[1].split(" GiB")[0]))
    assert needed[0] == pytest.approx(2 * needed[1], rel=0.01)


def test_of_several_the_last_checkpointing_counts(tiny_task):
    """configs/keep_inputs.yaml adds one to that of the configs before it."""
    task, both = tiny_task(ROPE), (GradientCheckpointing(), GradientCheckpointing("inputs"))
    assert training_step(trainer_of(*both), task).kept == "inputs"
    kept = []
    for callback in both:
        callback.on_fit_start(None, task)
        recompute = base_encoder(task.backbone).encoder._gradient_checkpointing_func
        kept.append("context_fn" in recompute.keywords)  # what keeps attention
    assert kept == [True, False]


@pytest.mark.parametrize("use_peft", [False, True])
def test_what_is_trained_is_seen(tiny_task, use_peft):
    task = tiny_task(ROPE, use_peft=use_peft)
    step = training_step(trainer_of(GradientCheckpointing(), precision="bf16-mixed"), task)
    assert (step.layers, step.width, step.intermediate, step.heads) == (2, 256, 704, 4)
    assert (step.kept, step.compute_bytes, step.weight_bytes) == ("attention", 2, 4)
    assert step.linear_trained is not use_peft
    assert (step.trained < step.parameters) is use_peft


@pytest.mark.parametrize("frozen", [False, True])
def test_a_frozen_encoder_has_no_backward_pass_unless_its_method_learns(tiny_task, frozen):
    learns = partial(gene, learnable=True, original_max_position_embeddings=512)
    for pe, expected in ((ROPE, not frozen), (learns, True)):
        step = training_step(trainer_of(), tiny_task(pe, frozen=frozen))
        assert step.differentiated is expected


@pytest.mark.parametrize(
    ("optimizer", "moments"),
    [(torch.optim.Adam, 2), (torch.optim.AdamW, 2), (partial(torch.optim.SGD, lr=0.1), 0)],
)
def test_what_the_optimiser_keeps(tiny_task, optimizer, moments):
    task = tiny_task(ROPE)
    trainer = trainer_of(optimizers=[optimizer(task.parameters())])
    assert training_step(trainer, task).moments == moments


def test_a_resumed_run_is_counted_too(tiny_task):
    batch = {"input_ids": torch.empty(1, 1, dtype=torch.long).expand(1, 10**10)}
    with pytest.raises(ValueError, match="takes about"):
        MemoryCheck().on_train_batch_start(trainer_of(global_step=7), tiny_task(ROPE), batch, 5)


def test_other_batches_are_let_through(tiny_task):
    for batch in ({"dna_seq_sequences": ["ACG"], "labels": [1.0]}, ["ACG"]):
        MemoryCheck().on_train_batch_start(trainer_of(), tiny_task(ROPE), batch, 0)


def test_tokens_of_ids_and_of_sequences():
    ids, mask = torch.zeros(2, 7), torch.tensor([[1] * 7, [1] * 3 + [0] * 4])
    assert row_lengths({"input_ids": ids}) == [7, 7]
    assert row_lengths({"input_ids": ids, "attention_mask": mask}) == [7, 3]
    assert row_lengths({"sequences": ["ACG", "ACGTACG"]}) == [5, 9]
    assert row_lengths({"sequences": ["A[MASK]G", "[MASK][MASK]"]}) == [5, 4]
    assert row_lengths({"sequences": [["ACG", "[MASK]CG"], ["AC"]]}) == [5, 5, 4]
    assert row_lengths({"sequences": ["ACG", "ACGTACG"]}, max_length=6) == [5, 6]


def test_sequences_that_the_backbone_cuts_are_counted_as_cut(tiny_task):
    batch = {"sequences": ["A" * 10**8] * 2}
    MemoryCheck().on_train_batch_start(trainer_of(), tiny_task(ROPE, max_length=66), batch, 0)
