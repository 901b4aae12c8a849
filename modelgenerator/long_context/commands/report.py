# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc report`: result files as tables, pictures and one page."""

from pathlib import Path
from typing import Optional

from jsonargparse import ArgumentParser, Namespace

HELP = "Turn result files of test runs into tables, pictures and one page."

SHOWN = ("In short", "By length", "AUROC")  # parts that are printed


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "results",
        nargs="+",
        help="files from mgen test --model.results FILE, of a study or of known pairs of maps, or "
        "folders of them",
    )
    parser.add_argument(
        "-o", "--output", default="report", help="folder for report.html, table.md and pictures"
    )
    parser.add_argument(
        "--baseline",
        type=Optional[str],
        help="name of the result that others are compared to; by default plain RoPE",
    )


def run(options: Namespace) -> None:
    """Write the tables, the pictures and the page, and print the tables by length.

    Raises:
        ValueError: If results cannot be read or shown together, or the folder cannot be written.
    """
    from tqdm import tqdm

    from modelgenerator.long_context.evaluation import check_writable
    from modelgenerator.long_context.report import load_results
    from modelgenerator.long_context.report.markdown import markdown_report
    from modelgenerator.long_context.report.page import html_page
    from modelgenerator.long_context.report.pictures import save
    from modelgenerator.long_context.report.sections import sections
    from modelgenerator.long_context.report.summary import baseline_label

    folder = Path(options.output)
    check_writable(folder / "table.md", "output")
    results = load_results(options.results)
    said = sections(results, baseline_label(results, options.baseline))
    try:
        (folder / "table.md").write_text(markdown_report(said))
        (folder / "report.html").write_text(html_page(results, said))
        for section in said:
            pictures = [part.picture for part in section.parts if part.picture]
            for picture in tqdm(pictures, desc="Pictures", disable=None):
                files = folder / section.name / picture.name
                save(picture, *(files.with_suffix(suffix) for suffix in (".png", ".svg")))
    except OSError as error:  # no space left, say
        raise ValueError(
            f"output: writing in {folder} failed ({error.strerror}: {error.filename}). Make room, "
            "or give another folder."
        ) from None
    for section in said:
        shown = [part for part in section.parts if part.title.startswith(SHOWN)]
        print(markdown_report([section._replace(parts=shown)]))
    print(f"Page:     {folder / 'report.html'}\nTables:   {folder / 'table.md'}")
    print(f"Pictures: {folder}")
