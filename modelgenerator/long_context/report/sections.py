# SPDX-License-Identifier: Apache-2.0
"""What a report says, in reading order, whether it is written as Markdown or as a page."""

from typing import NamedTuple, Optional

from modelgenerator.long_context.report import auroc, table
from modelgenerator.long_context.report.auroc_table import auroc_table
from modelgenerator.long_context.report.load import REGIMES, TEST_SETS, Results, title
from modelgenerator.long_context.report.pictures import (
    Picture,
    auroc_by_length,
    by_length,
    more_pictures,
)
from modelgenerator.long_context.report.table import Table


class Part(NamedTuple):
    """A heading with tables, each with a heading of its own or "", or with a picture."""

    title: str
    tables: list[tuple[str, Table]]
    picture: Optional[Picture] = None


class Section(NamedTuple):
    """A test set or other question, its name in files and in a heading, and what is said of it."""

    name: str
    title: str
    parts: list[Part]


def sections(results: Results, baseline: Optional[str]) -> list[Section]:
    """A section for each test set, then one for known pairs and one for variants.

    Every picture of a test set but those by length is of the first that has it.

    Args:
        results: From `load_results`.
        baseline: Label that methods are compared to; None if there is none.
    """
    said: list[Section] = []
    for name in results.test_sets:
        shown = {p.picture.name for section in said for p in section.parts if p.picture}
        parts = _parts(results.of(name), baseline, shown)
        said.append(Section(name, title(TEST_SETS, name), parts))
    return [*said, *_ranked(results)]


def _ranked(results: Results) -> list[Section]:
    """How well known pairs and harmful variants stand out, as far as there are results."""
    pairs = [file for file in results.ranked if file["schema"] == auroc.KNOWN_PAIRS]
    variants = [file for file in results.ranked if file["schema"] != auroc.KNOWN_PAIRS]
    found = []
    for name, words, frame, counted in (
        ("dependency_maps", "known pairs", auroc.known_pairs(pairs), "sequences"),
        ("variant_effect", "harmful variants", auroc.variant_effect(variants), "variants"),
    ):
        if len(frame):
            heading = f"AUROC of {words}, by length and method"
            picture = auroc_by_length(frame, name, heading)
            parts = [Part(heading, [("", auroc_table(frame, counted))], picture)]
            found.append(Section(name, name.replace("_", " "), parts))
    return found


def _parts(results: Results, baseline: Optional[str], shown: set[str]) -> list[Part]:
    regimes = [(title(REGIMES, regime), regime) for regime in results.regimes]
    lengths = by_length(results)
    different = [(words, table.differences(results, r, baseline)) for words, r in regimes]
    failures = table.failures(results)
    parts = [
        Part("In short", [("", table.in_short(results, baseline))]),
        Part(lengths.title, [], lengths),
        Part("By length", [(words, table.by_length(results, r)) for words, r in regimes]),
        Part("Differences", [(words, found) for words, found in different if found]),
        Part("What failed", [("", failures)] if failures else []),
    ]
    more = [picture for picture in more_pictures(results) if picture.name not in shown]
    parts += [Part(picture.title, [], picture) for picture in more]
    parts.append(Part("Cost of every run", [("", table.cost(results))]))
    return [part for part in parts if part.tables or part.picture]
