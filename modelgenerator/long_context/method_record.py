# SPDX-License-Identifier: Apache-2.0
"""The positional method of a task as it stands in a result file."""

from torch import nn

from modelgenerator.long_context.installation import base_encoder


def method_record(task: nn.Module) -> dict:
    """Name, options and reach of the method; None for a backbone as it is.

    Args:
        task: A task with a configured backbone.
    """
    model = base_encoder(task.backbone)
    if task.pe is None:
        return {
            "method": None,
            "options": {},
            "factor": 1.0,
            "learned_parameters": 0,
            "original_max_position_embeddings": model.config.max_position_embeddings,
        }
    embedding = model.rotary_pos_emb
    original = embedding.original_max_position_embeddings
    return {
        "method": type(embedding).__name__,
        "options": embedding.options,
        "factor": embedding.max_position_embeddings / original,
        "learned_parameters": sum(p.numel() for p in embedding.parameters()),
        "original_max_position_embeddings": original,
    }
