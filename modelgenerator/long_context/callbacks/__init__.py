# SPDX-License-Identifier: Apache-2.0
"""Lightning callbacks for long windows."""

from modelgenerator.long_context.callbacks.gradient_checkpointing import GradientCheckpointing

__all__ = ["GradientCheckpointing"]
