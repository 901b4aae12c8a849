# SPDX-License-Identifier: Apache-2.0
"""What is measured on masked bases, and how results are written."""

from modelgenerator.long_context.evaluation.masked_bases import MaskedBases
from modelgenerator.long_context.evaluation.results import check_writable, provenance, write_json

__all__ = ["MaskedBases", "check_writable", "provenance", "write_json"]
