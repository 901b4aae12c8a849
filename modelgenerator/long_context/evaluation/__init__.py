# SPDX-License-Identifier: Apache-2.0
"""What is measured on masked bases, and how results are written."""

from modelgenerator.long_context.evaluation.masked_bases import MaskedBases
from modelgenerator.long_context.evaluation.recall_by_distance import RecallByDistance
from modelgenerator.long_context.evaluation.results import (
    check_writable,
    peak_memory_mib,
    provenance,
    write_json,
)
from modelgenerator.long_context.evaluation.segments import Segments

__all__ = [
    "MaskedBases",
    "RecallByDistance",
    "Segments",
    "check_writable",
    "peak_memory_mib",
    "provenance",
    "write_json",
]
