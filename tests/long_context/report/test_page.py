# SPDX-License-Identifier: Apache-2.0
import base64
import re
from html.parser import HTMLParser

import pytest

from modelgenerator.long_context.report import load_results
from modelgenerator.long_context.report.markdown import markdown_report
from modelgenerator.long_context.report.page import html_page
from modelgenerator.long_context.report.sections import sections


class Tags(HTMLParser):
    """Collects tags with their attributes, and fails where they are not well nested."""

    void = ("meta", "img", "link", "br")

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def results(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    make.write_study(folder, ("rope", "yarn"), ("zero_shot", "tuned_16x"), 2)
    failed = make.failure("<b>pi</b>", "zero_shot", 0, "crashed", "x < y & z", method="pi")
    make.write(folder, failed=failed)
    return load_results([str(folder)])


def test_the_page_stands_alone(results):
    page = html_page(results, sections(results, "rope"))
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    names = {tag for tag, _ in tags.seen}
    assert not names & {"script", "link", "iframe"}
    sources = [attrs["src"] for tag, attrs in tags.seen if tag == "img"]
    assert len(sources) > 40
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)
    assert "url(" not in page.split("</style>")[0]
    svg = base64.b64decode(sources[-1].split(",")[1]).decode()
    assert "<svg" in svg
    assert (
        "meta",
        {"name": "viewport", "content": "width=device-width, initial-scale=1"},
    ) in tags.seen
    for _, attrs in (x for x in tags.seen if x[0] == "a"):
        assert f'id="{attrs["href"][1:]}"' in page
    assert "<b>pi</b>" not in page
    assert "&lt;b&gt;pi&lt;/b&gt;" in page
    assert "x &lt; y &amp; z" in page
    assert "16 test runs, and 1 that failed" in page


def test_test_sets_are_reported_apart(results):
    said = sections(results, "rope")
    assert [section.name for section in said] == ["held_out", "blocks"]
    text = markdown_report(said)
    first, second = text.split("# Held-out blocks of a training genome")
    assert first.startswith("# Genomes of other species")
    for part in (first, second):
        for heading in ("## In short", "## By length", "### Zero-shot", "## Differences"):
            assert heading in part
        assert "## What failed" in part, "a failure of no test set in particular is in each"


def test_headings_keep_their_capitals(make, tmp_path):
    result = make.result("rope", "rope", "LoRA_16x", 0, "hg38_Y", 0.04, 0)
    results = load_results(make.write(tmp_path, a=result))
    page = html_page(results, sections(results, None))
    assert '<h2 id="hg38_Y">Hg38 Y</h2>' in page
    assert "<h4>LoRA 16x</h4>" in page
