# SPDX-License-Identifier: Apache-2.0
"""The pictures of a report, one file a question."""

from modelgenerator.long_context.report.load import Results
from modelgenerator.long_context.report.pictures.attention import attention_entropy, attention_mass
from modelgenerator.long_context.report.pictures.auroc import auroc_by_length
from modelgenerator.long_context.report.pictures.base import Picture, legend_svg, panel_svg, save
from modelgenerator.long_context.report.pictures.by_length import by_length
from modelgenerator.long_context.report.pictures.by_position import by_position
from modelgenerator.long_context.report.pictures.cost import cost
from modelgenerator.long_context.report.pictures.probes import probes
from modelgenerator.long_context.report.pictures.recall import recall_by_distance
from modelgenerator.long_context.report.pictures.retention import retention
from modelgenerator.long_context.report.pictures.strands import strands

__all__ = [
    "Picture",
    "auroc_by_length",
    "by_length",
    "legend_svg",
    "more_pictures",
    "panel_svg",
    "save",
]


def more_pictures(results: Results) -> list[Picture]:
    """All but `by_length` that the results of one test set have something for, in reading order."""
    found = [
        retention(results),
        *recall_by_distance(results),
        by_position(results),
        probes(results),
        attention_entropy(results),
        attention_mass(results),
        strands(results),
        cost(results),
    ]
    return [picture for picture in found if picture is not None and picture.panels]
