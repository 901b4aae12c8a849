# SPDX-License-Identifier: Apache-2.0
"""Tasks for long windows, beside upstream's."""

from modelgenerator.long_context.tasks.bin_labels import BinClassification, BinRegression
from modelgenerator.long_context.tasks.dependency_map import DependencyMap, GradientMap
from modelgenerator.long_context.tasks.masked_lm import MaskedLM
from modelgenerator.long_context.tasks.pair_labels import PairClassification
from modelgenerator.long_context.tasks.variant_effect import VariantEffect
from modelgenerator.long_context.tasks.window_labels import (
    WindowClassification,
    WindowRegression,
)

__all__ = [
    "BinClassification",
    "BinRegression",
    "DependencyMap",
    "GradientMap",
    "MaskedLM",
    "PairClassification",
    "VariantEffect",
    "WindowClassification",
    "WindowRegression",
]
