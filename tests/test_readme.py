# SPDX-License-Identifier: Apache-2.0
"""What the README says is so: its numbers, its snippet, its commands."""

import re
import shlex

import pytest

from modelgenerator.backbones.positional import list_positional


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text()


def blocks(text, language):
    """Contents of the fenced blocks of a language."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [content for found, content in fenced if found == language]


def test_numbers_come_from_the_result_files(run):
    done = run("python", "experiments/long_context/fill_readme.py", "--check")
    assert done.returncode == 0, done.stderr[-1000:]


def test_snippet_runs(readme):
    (snippet,) = blocks(readme, "python")
    assert len(snippet.strip().splitlines()) <= 8
    names = {}
    exec(snippet, names)
    assert names["hidden"].shape == (1, 8194, 256)


def test_every_method_is_in_the_table(readme):
    rows = set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE))
    assert rows == set(list_positional())


def test_configuration_is_parsed(run, readme, tmp_path):
    (snippet,) = blocks(readme, "yaml")
    (tmp_path / "task.yaml").write_text(snippet)
    data = ["--data", "SequenceClassificationDataModule", "--data.path", "."]
    done = run("mgen", "fit", "--config", tmp_path / "task.yaml", *data, "--print_config")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "class_path: modelgenerator.backbones.positional.yarn" in done.stdout


def test_commands_are_parsed(run, readme, root, tmp_path):
    """Each `mgen` command line of the README, as far as its configuration."""
    commands = [
        shlex.split(line)
        for block in blocks(readme, "")
        for line in block.splitlines()
        if line.startswith("mgen ")
    ]
    assert len(commands) >= 2
    for command in commands:
        if "--ckpt_path" in command:
            at = command.index("--ckpt_path")
            del command[at : at + 2]
        done = run(*command, "--print_config")
        assert done.returncode == 0, done.stderr[-2000:]


def test_make_targets_exist(readme, root):
    targets = set(re.findall(r"^([\w-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([\w-]+)", readme))
    assert named <= targets, named - targets


def test_files_and_folders_named_exist(readme, root):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", readme):
        assert (root / target).exists(), target
