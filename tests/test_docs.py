# SPDX-License-Identifier: Apache-2.0
"""Pages say what can be done: blocks are well formed, commands are real, both languages agree.

That pages, links and the API page hang together is what `make docs` checks.
"""

import re
import shlex
import subprocess
from functools import cache
from importlib import import_module
from pathlib import Path

import jsonargparse
import pytest
import tomllib
import yaml
from markdown_it import MarkdownIt

from modelgenerator.backbones.positional import list_positional
from modelgenerator.long_context.commands import COMMANDS

ROOT = Path(__file__).parents[1]
CHINESE = ".zh-CN.md"
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
    if not page.is_symlink() and page.name != "CHANGELOG.md"
)
TWINS = [page for page in PAGES if page.name.endswith(CHINESE)]
LANGUAGES = {"", "bash", "python", "yaml", "text", "json", "nginx", "ini", "html"}
MGEN = {"fit", "validate", "test", "predict"}


@cache
def tokens(page):
    return MarkdownIt().enable("table").parse(page.read_text())


def blocks(page, *languages):
    """Contents of the fenced blocks of some languages."""
    return [t.content for t in tokens(page) if t.type == "fence" and t.info in languages]


def commands(page, program):
    """Arguments of every call of a program in the page's shell blocks."""
    text = "\n".join(blocks(page, "", "bash")).replace("\\\n", " ")
    found = []
    for line in re.split(r"\n|&&", text):
        if line.split()[:1] == [program]:
            found.append(shlex.split(line, comments=True)[1:])
    return found


def make_targets():
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request):
    return request.param


def test_block_says_its_language(page):
    found = {token.info for token in tokens(page) if token.type == "fence"}
    assert found <= LANGUAGES


def test_yaml_is_a_configuration(page):
    for block in blocks(page, "yaml"):
        assert isinstance(yaml.safe_load(block), dict), block


def test_python_compiles(page):
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")


def test_shell_is_well_formed(page):
    script = "\n".join(blocks(page, "bash"))
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_mgen_lc_takes_the_options(page, monkeypatch, capsys):
    for name, *arguments in commands(page, "mgen-lc"):
        assert name in COMMANDS, f"mgen-lc {name}"
        parser = jsonargparse.ArgumentParser(exit_on_error=False)
        import_module(COMMANDS[name]).add_arguments(parser)
        parser.parse_args(arguments)


def test_mgen_takes_the_subcommand_and_finds_the_configurations(page):
    for name, *arguments in commands(page, "mgen"):
        assert name in MGEN, f"mgen {name}"
        for key, value in zip(arguments, arguments[1:], strict=False):
            if key == "--config" and not value.startswith("configs/members/"):
                assert list(ROOT.glob(value.replace("NAME", "*"))), value


def test_make_has_the_targets(page):
    named = {
        argument
        for arguments in commands(page, "make")
        for argument in arguments
        if "=" not in argument
    }
    assert named <= make_targets()


@pytest.mark.parametrize("chinese", TWINS, ids=lambda page: str(page.relative_to(ROOT)))
def test_chinese_page_has_the_same_parts(chinese):
    """Same headings by level, same tables by size, same blocks but for their comments."""
    english = chinese.with_name(chinese.name.replace(CHINESE, ".md"))

    def parts(page):
        return [
            token.tag or re.sub(r"#.*", "", token.content)
            for token in tokens(page)
            if token.type in ("heading_open", "tr_open", "fence")
        ]

    assert parts(chinese) == parts(english)


@pytest.mark.parametrize("page", ["docs/methods.md", "docs/methods.zh-CN.md"])
def test_every_method_has_a_row(page):
    rows = re.findall(r"^\| `(\w+)`", (ROOT / page).read_text(), re.MULTILINE)
    assert set(list_positional()) <= set(rows)


def test_every_method_is_on_the_api_page():
    entries = re.findall(r"^::: \S+\.positional\.(\w+)\.\1$", (ROOT / "docs/api.md").read_text(),
                         re.MULTILINE)  # fmt: skip
    assert sorted(entries) == list_positional()


@pytest.mark.parametrize(
    "workflow", sorted(ROOT.glob(".github/workflows/*.yml")), ids=lambda file: file.name
)
def test_workflow_calls_make(workflow):
    (job,) = yaml.safe_load(workflow.read_text())["jobs"].values()
    called = [shlex.split(step["run"]) for step in job["steps"] if "run" in step]
    targets = [words[1] for words in called if words[0] == "make"]
    assert {"setup", "test"} <= set(targets) <= make_targets()


def test_workflow_runs_what_ci_runs_on_every_python_of_the_project():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    (job,) = workflow["jobs"].values()
    in_ci = set(re.findall(r"^make (\w+)", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    text = yaml.safe_dump(job)
    assert in_ci == {target for target in in_ci if f"run: make {target}" in text}
    assert workflow[True]["push"] == {"branches": ["**"]}  # YAML reads `on` as true
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    (least,) = job["strategy"]["matrix"]["python"]
    major, minor = least.split(".")
    assert supported == f">={least},<{major}.{int(minor) + 1}"
