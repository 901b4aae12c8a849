# SPDX-License-Identifier: Apache-2.0
"""A study: every method under every kind of training, on the same bases and the same budget."""

from modelgenerator.long_context.study.plan import Cell, Plan, read_plan
from modelgenerator.long_context.study.runner import run_study

__all__ = ["Cell", "Plan", "read_plan", "run_study"]
