# SPDX-License-Identifier: Apache-2.0
"""Lightning callbacks for long windows."""

from modelgenerator.long_context.callbacks.gradient_checkpointing import GradientCheckpointing
from modelgenerator.long_context.callbacks.positional_step import PositionalStep

__all__ = ["GradientCheckpointing", "PositionalStep"]
