# SPDX-License-Identifier: Apache-2.0
"""Tasks for long windows, beside upstream's."""

from modelgenerator.long_context.tasks.masked_lm import MaskedLM

__all__ = ["MaskedLM"]
