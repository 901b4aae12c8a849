# SPDX-License-Identifier: Apache-2.0
"""How much memory a training step takes, counted from what autograd keeps.

Letters in comments: T tokens of a batch, W hidden width, I intermediate width, H heads.
"""

from typing import Literal, NamedTuple

from modelgenerator.backbones.positional.checks import check_choice

FLOAT32 = 4
KEPT = ("everything", "attention", "inputs")


class TrainingStep(NamedTuple):
    """What the memory of a training step depends on.

    Attributes:
        layers: Layers of the encoder.
        width: Hidden width.
        intermediate: Width within the feed-forward part.
        heads: Attention heads.
        parameters: Numbers in all weights.
        trained: Numbers in the weights that are trained.
        weight_bytes: Bytes of a stored weight.
        compute_bytes: Bytes of a number within a layer, 2 under bf16 or 16 bit.
        kept: What layers keep for the backward pass: everything, or attention or inputs as with
            `GradientCheckpointing`.
        linear_trained: Whether the encoder's own linear layers are trained; not so with LoRA.
        processes: Processes that weights, gradients and optimiser are sharded over (FSDP).
    """

    layers: int
    width: int
    intermediate: int
    heads: int
    parameters: int
    trained: int
    weight_bytes: int = FLOAT32
    compute_bytes: int = FLOAT32
    kept: Literal["everything", "attention", "inputs"] = "everything"
    linear_trained: bool = True
    processes: int = 1


def peak_memory(step: TrainingStep, tokens: int) -> dict[str, int]:
    """Bytes at the peak of a training step with Adam, by what they hold.

    The peak is at the start of the backward pass through the last layer. What a device needs
    besides is not counted: its context, memory lost between blocks, buffers of communication.

    Args:
        step: The encoder and the way it is trained.
        tokens: Tokens of a batch on one device, padding left out.

    Returns:
        `weights`, `gradients`, `optimizer`, `activations` and `transient`, the gradients of
        activations.

    Raises:
        ValueError: If `step.kept` is unknown.
    """
    check_choice("kept", step.kept, KEPT)
    size = step.compute_bytes
    mixed = step.compute_bytes < step.weight_bytes  # autocast
    stream = FLOAT32 if mixed else size  # between layers
    narrow, wide, sums = step.width * size, step.intermediate * size, step.heads * FLOAT32
    inputs, attention = step.width * stream, narrow + sums
    layer = (
        2 * inputs  # of both normalisations
        + 3 * narrow  # rotated query, rotated key, value
        + attention  # its result, and the log-sum-exp of each row
        + narrow  # what query, key and value were made of; with LoRA its adapters read it
        + 3 * wide  # gate, activated gate, up
    )
    if step.linear_trained:
        # What gate and up were made of, cast by autocast for each, and what down was made of.
        layer += (2 * narrow if mixed else narrow) + wide
    if step.trained == 0:
        per_token = layer
    elif step.kept == "everything":
        per_token = step.layers * layer
    else:
        kept = inputs + (attention if step.kept == "attention" else 0)
        per_token = step.layers * kept + layer
    per_token += inputs  # of the last normalisation
    weights = step.parameters * step.weight_bytes
    if mixed:
        weights += step.parameters * step.compute_bytes  # autocast's copies
    return {
        "weights": weights // step.processes,
        "gradients": step.trained * step.weight_bytes // step.processes,
        "optimizer": 2 * step.trained * FLOAT32 // step.processes,
        "activations": tokens * per_token,
        "transient": tokens * (2 * wide + inputs) if step.trained else 0,
    }
