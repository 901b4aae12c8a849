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
        differentiated: Whether the backward pass goes through the encoder; not so where it is
            frozen and its positional method learns nothing.
        moments: Numbers that the optimiser keeps for each that is trained: 2 with Adam.
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
    differentiated: bool = True
    moments: int = 2
    processes: int = 1


def peak_memory(step: TrainingStep, tokens: int) -> dict[str, int]:
    """Bytes at the peak of a training step, by what they hold.

    The peak is at the start of the backward pass through the last layer; without one, within the
    feed-forward part of a layer. What a device needs besides is not counted: its context, memory
    lost between blocks, buffers of communication.

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
    differentiated = step.differentiated and step.trained > 0
    if not differentiated:
        per_token = 2 * inputs + 3 * wide
    elif step.kept == "everything":
        per_token = step.layers * layer
    else:
        kept = inputs + (attention if step.kept == "attention" else 0)
        per_token = step.layers * kept + layer
    per_token += inputs  # of the last normalisation
    weights = step.parameters * step.weight_bytes
    if mixed and differentiated:
        # Autocast's copies. Those of frozen weights are kept for the backward pass alone.
        whole = step.linear_trained or step.kept == "everything"
        weights += step.parameters * step.compute_bytes // (1 if whole else step.layers)
    return {
        "weights": weights // step.processes,
        "gradients": step.trained * step.weight_bytes // step.processes,
        "optimizer": step.moments * step.trained * step.weight_bytes // step.processes,
        "activations": tokens * per_token,
        "transient": tokens * (2 * wide + inputs) if differentiated else 0,
    }
