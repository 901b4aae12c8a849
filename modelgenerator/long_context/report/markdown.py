# SPDX-License-Identifier: Apache-2.0
"""The tables of a report as Markdown."""

from modelgenerator.long_context.report.sections import Section


def markdown_report(sections: list[Section]) -> str:
    """All tables, under the headings that the page has."""
    lines = []
    for section in sections:
        if section.title:
            lines += [f"# {section.title[0].upper()}{section.title[1:]}", ""]
        for part in section.parts:
            if part.tables:
                lines += [f"## {part.title}", ""]
            for caption, table in part.tables:
                if caption:
                    lines += [f"### {caption[0].upper()}{caption[1:]}", ""]
                lines += [table.markdown(), ""]
    return "\n".join(lines)
