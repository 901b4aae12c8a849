# SPDX-License-Identifier: Apache-2.0
"""Result files to tables, pictures and a page."""

from modelgenerator.long_context.report.load import Results, load_results
from modelgenerator.long_context.report.table import markdown_table

__all__ = ["Results", "load_results", "markdown_table"]
