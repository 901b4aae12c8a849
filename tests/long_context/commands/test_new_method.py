# SPDX-License-Identifier: Apache-2.0
import shutil

import pytest
import yaml
from jsonargparse import Namespace

from modelgenerator.long_context.commands import new_method
from modelgenerator.long_context.commands.new_method import METHODS, ROWS

CONFIG = "configs/members/lin/long_ramp_16x.yaml"
WRITTEN = {
    f"{METHODS}/long_ramp.py",
    "tests/backbones/positional/test_long_ramp.py",
    CONFIG,
    *ROWS,
}


@pytest.fixture
def checkout(root, tmp_path):
    """A copy of the part of the repository that the command reads and its drafts import."""
    shutil.copytree(root / METHODS, tmp_path / METHODS)
    for name in ("modelgenerator_long_context.py", "configs/pi_16x.yaml", *ROWS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


def contents(folder):
    return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()
            and "__pycache__" not in f.parts}  # fmt: skip


def write(checkout, name="long_ramp", member="lin"):
    new_method.run(Namespace(name=name, member=member, root=str(checkout)))


def test_writes_its_files_and_touches_no_other(checkout):
    before = contents(checkout)
    write(checkout)
    after = contents(checkout)
    assert {path for path in after if after[path] != before.get(path)} == WRITTEN


@pytest.mark.parametrize("page", ROWS)
def test_row_ends_the_table_of_methods(checkout, page):
    before = (checkout / page).read_text().splitlines()
    write(checkout)
    after = (checkout / page).read_text().splitlines()
    (row,) = (line for line in after if "long_ramp" in line)
    at = after.index(row)
    assert after[:at] + after[at + 1 :] == before
    assert row.count("|") == after[at - 1].count("|")
    assert after[at - 1].startswith("| `")
    assert after[at + 1] == ""


def test_configuration_is_that_of_pi_with_its_own_class_and_folders(checkout):
    write(checkout)
    pi = (checkout / "configs/pi_16x.yaml").read_text()
    expected = yaml.safe_load(pi.replace("pi_16x", "long_ramp_16x"))
    pe = expected["model"]["init_args"]["pe"]
    pe["class_path"] = "modelgenerator.backbones.positional.long_ramp.long_ramp"
    assert yaml.safe_load((checkout / CONFIG).read_text()) == expected
    assert expected["trainer"]["logger"]["init_args"]["name"] == "long_ramp_16x"


@pytest.mark.parametrize("name", ["Long", "2nd", "long-ramp", "", "class", "a b", "../x"])
def test_refuses_what_is_no_name(checkout, name):
    before = contents(checkout)
    with pytest.raises(ValueError, match=f"^name: {name!r}; give a Python name in lower case"):
        write(checkout, name)
    assert contents(checkout) == before


def test_refuses_a_known_method(checkout):
    with pytest.raises(ValueError, match="'yarn' is a known method. Choose another name than clex"):
        write(checkout, "yarn")


@pytest.mark.parametrize("name", ["base", "apply_rotary"])
def test_refuses_names_used_within_the_package(checkout, name):
    with pytest.raises(ValueError, match=f"{name!r} is used within"):
        write(checkout, name)


@pytest.mark.parametrize("member", ["Lin", "", "../lin", "lin/topic"])
def test_refuses_member(checkout, member):
    with pytest.raises(ValueError, match="^member: .*; give lower-case letters, digits and"):
        write(checkout, member=member)


@pytest.mark.parametrize("path", sorted(WRITTEN - set(ROWS)))
def test_never_writes_over_a_file(checkout, path):
    (checkout / path).parent.mkdir(parents=True, exist_ok=True)
    (checkout / path).write_text("somebody's work")
    before = contents(checkout)
    with pytest.raises(ValueError, match=f"^name: 'long_ramp'; .*{path} is there already"):
        write(checkout)
    assert contents(checkout) == before


def test_refuses_a_folder_that_is_no_checkout(tmp_path):
    with pytest.raises(ValueError, match=r"^root: .*pi_16x\.yaml is missing\. Give the root of"):
        write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_drafts_are_clean(checkout, root, run):
    write(checkout)
    code = [checkout / path for path in WRITTEN if path.endswith(".py")]
    for check in (["check"], ["format", "--check"]):
        done = run("ruff", *check, "--config", root / "pyproject.toml", *code)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.upstream
def test_draft_works_and_its_test_can_fail(checkout, root, run):
    write(checkout)
    (checkout / "modelgenerator/long_context").symlink_to(root / "modelgenerator/long_context")
    method, test = checkout / METHODS / "long_ramp.py", "test_long_ramp.py"
    here = {"cwd": checkout, "PYTHONPATH": str(checkout)}  # the copy, not what is installed
    pytest_ = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]

    passed = run(*pytest_, **here)
    assert passed.returncode == 0, passed.stdout
    assert "7 passed" in passed.stdout

    parsed = run("mgen", "fit", "--config", CONFIG, "--print_config", **here)
    assert parsed.returncode == 0, parsed.stderr[-2000:]
    assert yaml.safe_load(parsed.stdout)["model"]["init_args"]["pe"]["init_args"]["factor"] == 16.0

    method.write_text(method.read_text().replace("/ self.factor", "/ self.factor**2"))
    failed = run(*pytest_, **here)
    assert failed.returncode == 1
    assert f"{test}::test_frequencies_by_hand" in failed.stdout
