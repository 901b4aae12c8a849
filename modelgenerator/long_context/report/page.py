# SPDX-License-Identifier: Apache-2.0
"""The report as one self-contained HTML page: no script, nothing fetched."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from modelgenerator.long_context.report.load import Results
from modelgenerator.long_context.report.pictures import legend_svg, panel_svg
from modelgenerator.long_context.report.sections import Section


def html_page(results: Results, sections: list[Section]) -> str:
    """The page; readable on a phone, in the dark and on paper.

    Args:
        results: All results, to say what they were made with.
        sections: What the page says.
    """
    folder = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=folder, autoescape=True).get_template("page.html.j2")
    return template.render(
        title="How far each method reaches",
        about=about(results),
        sections=sections,
        made_with=made_with(results),
        sentence=lambda words: words[:1].upper() + words[1:],
        panel=lambda panel: _data_uri(panel_svg(panel)),
        swatch=lambda style: _data_uri(legend_svg(style)),
    )


def about(results: Results) -> str:
    """What was measured, in two sentences."""
    if not results.finished:
        backbones = {
            record["backbone"]
            for file in results.ranked
            for record in (file, *file["results"])
            if "backbone" in record
        }
        return f"{', '.join(sorted(backbones))}: {len(results.ranked)} result files."
    first = results.finished[0]
    lengths = sorted({row["length"] for row in results.frame().to_dict("records")})
    backbones = ", ".join(sorted({result["backbone"] for result in results.finished}))
    runs = f"{len(results.finished)} test runs"
    if results.failed:
        runs += f", and {len(results.failed)} that failed"
    return (
        f"{backbones}, original context {first['original_max_position_embeddings']:,} nt, on "
        f"windows of {lengths[0]:,} to {lengths[-1]:,} nt: {runs}. Within a test set all methods "
        "were scored on the same masked bases of the same windows."
    )


def made_with(results: Results) -> list[str]:
    """Hardware, versions and commits of all results, a line each."""
    runs = [*results.finished, *results.failed, *results.ranked]
    versions = {
        f"{name} {version}" for run in runs for name, version in run.get("versions", {}).items()
    }
    files = {
        name
        for run in runs
        for key in ("fasta", "test_fasta")
        for name in run.get("data", {}).get(key) or ()
    }
    lines = {
        "Hardware": {str(run["hardware"]) for run in runs if run.get("hardware")},
        "Commit": {str(run["commit"]) for run in runs if run.get("commit")},
        "Versions": versions,
        "Genomes": files,
    }
    return [f"{name}: {', '.join(sorted(found))}" for name, found in lines.items() if found]


def _data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
