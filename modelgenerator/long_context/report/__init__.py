# SPDX-License-Identifier: Apache-2.0
"""Result files to a table and pictures."""

from modelgenerator.long_context.report.load import load_results
from modelgenerator.long_context.report.picture import plot_by_length
from modelgenerator.long_context.report.table import markdown_table

__all__ = ["load_results", "markdown_table", "plot_by_length"]
