# SPDX-License-Identifier: Apache-2.0
"""A study's YAML as a list of cells."""

import re
from pathlib import Path

import pytest
import yaml

from modelgenerator.long_context.study import read_plan

ROOT = Path(__file__).parents[3]
SMALL = {
    "scale": "small",
    "methods": {
        "yarn": {"config": "yarn.yaml", "options": {"model.pe.factor": 4.0}},
        "clex": {
            "config": "clex.yaml",
            "seed_options": ["model.pe.seed"],
            "test": {"model.pe.max_factor": 32},
        },
    },
    "regimes": {
        "tuned": {"configs": ["pose.yaml"], "options": {"data.window": 512}},
        "zero_shot": None,
    },
    "seeds": [0, 1],
    "fit": {"trainer.max_steps": 3},
    "test": {"data.lengths": [512, 1024]},
    "test_sets": {
        "held_out": {"options": {"data.test_fasta": "demo_held_out"}},
        "blocks": {"configs": ["analysis.yaml"]},
    },
}


@pytest.fixture
def plan(tmp_path):
    """Write a plan, changed in places, with the configs it names; and read it."""
    for name in ("yarn", "clex", "pose", "analysis"):
        (tmp_path / f"{name}.yaml").write_text("{}")

    def plan(**changes):
        path = tmp_path / "study.yaml"
        path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
        return read_plan(path)

    return plan


def value(arguments, name):
    return arguments[arguments.index(name) + 1]


def test_untrained_cells_come_first_and_once(plan):
    assert [cell.name for cell in plan().cells] == [
        "zero_shot/yarn",
        "zero_shot/clex",
        "tuned/yarn-0",
        "tuned/clex-0",
        "tuned/yarn-1",
        "tuned/clex-1",
    ]


def test_a_method_may_take_part_in_some_regimes_only(plan):
    methods = {**SMALL["methods"], "yarn": {"config": "yarn.yaml", "regimes": ["zero_shot"]}}
    names = [cell.name for cell in plan(methods=methods, seeds=[0]).cells]
    assert names == ["zero_shot/yarn", "zero_shot/clex", "tuned/clex-0"]


def test_arguments_of_a_trained_cell(plan):
    cell = plan().cells[-1]
    assert [Path(x).name for x in cell.fit if x.endswith(".yaml")] == ["clex.yaml", "pose.yaml"]
    assert value(cell.fit, "--trainer.max_steps") == "3"
    assert value(cell.fit, "--data.window") == "512"
    for seeded in ("--seed_everything", "--data.train_seed", "--model.pe.seed"):
        assert value(cell.fit, seeded) == "1"
    assert "--model.pe.max_factor" not in cell.fit


def test_arguments_of_the_tests(plan):
    first, *_, last = plan().cells
    assert first.fit is None
    assert list(first.tests) == ["held_out", "blocks"]
    held_out, blocks = last.tests.values()
    assert value(held_out, "--data.lengths") == "[512, 1024]"
    assert value(held_out, "--data.test_fasta") == "demo_held_out"
    assert value(held_out, "--model.pe.max_factor") == "32"
    assert [Path(x).name for x in blocks if x.endswith(".yaml")] == ["clex.yaml", "analysis.yaml"]
    assert "--data.test_fasta" not in blocks
    assert value(first.tests["blocks"], "--model.pe.factor") == "4.0"


def test_result_files(plan):
    cell = plan().cells[-1]
    assert cell.result("held_out") == "tuned/clex-1.json"
    assert cell.result("blocks") == "tuned/clex-1-blocks.json"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regime": {}}, "regime is not known. Did you mean regimes"),
        ({"methods": {}}, "methods is missing or empty"),
        ({"methods": {"yarn": {}}}, "methods.yarn.config is missing"),
        ({"methods": {"yarn": {"cfg": 1}}}, "methods.yarn.cfg is not known"),
        ({"methods": {"yarn": {"config": "no.yaml"}}}, "config no.yaml is neither beside"),
        (
            {"methods": {"yarn": {"config": "yarn.yaml", "regimes": ["tune"]}}},
            "methods.yarn.regimes: tune is none of the plan's regimes: tuned, zero_shot",
        ),
        ({"regimes": {"tuned": {"opts": 1}}}, "regimes.tuned.opts is not known"),
        ({"test_sets": {"a": {"fasta": 1}}}, "test_sets.a.fasta is not known"),
        ({"seeds": [-1]}, r"seeds: \[-1\]; give whole numbers from 0"),
        ({"seeds": [1, 1]}, r"seeds: \[1, 1\]; give each once"),
        ({"seeds": 3}, "seeds: 3 is not allowed; give a list"),
        ({"methods": ["yarn"]}, r"methods: \['yarn'\] is not allowed; give a table"),
        ({"methods": {"yarn": "yarn.yaml"}}, "methods.yarn: 'yarn.yaml' is not allowed"),
        ({"methods": {"yarn": {"config": ["a"]}}}, r"yarn.config: \['a'\] .* give a file"),
        (
            {"methods": {"yarn": {"config": "yarn.yaml", "regimes": "tuned"}}},
            "methods.yarn.regimes: 'tuned' is not allowed; give a list",
        ),
        ({"methods": {"a/b": {"config": "yarn.yaml"}}}, "methods: 'a/b' is not allowed as a name"),
        ({"regimes": {"t": {"options": [1]}}}, r"regimes.t.options: \[1\] .* give a table"),
        ({"configs": "pose.yaml"}, "configs: 'pose.yaml' is not allowed; give a list"),
        ({"test": "x"}, "test: 'x' is not allowed; give a table"),
        ({"scale": 3}, "scale: 3 is not allowed as a name"),
    ],
)
def test_bad_plans_are_refused(plan, changes, message):
    with pytest.raises(ValueError, match=message):
        plan(**changes)


def test_a_file_that_is_no_plan(tmp_path):
    with pytest.raises(ValueError, match="no such study"):
        read_plan(tmp_path / "no.yaml")
    (tmp_path / "list.yaml").write_text("[1]")
    with pytest.raises(ValueError, match="give a table with scale"):
        read_plan(tmp_path / "list.yaml")
    (tmp_path / "twice.yaml").write_text("scale: a\nseeds: [0]\nseeds: [1]\n")
    with pytest.raises(ValueError, match="'seeds' is given twice"):
        read_plan(tmp_path / "twice.yaml")
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(ValueError, match="not a study's YAML"):
        read_plan(tmp_path / "broken.yaml")


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("experiments/long_context/*/*.yaml")), ids=lambda f: f.name
)
def test_the_shipped_plans_are_whole(file, monkeypatch, genome_windows):
    monkeypatch.chdir(ROOT)
    if "methods" not in yaml.safe_load(file.read_text()):
        pytest.skip("a config of mgen, no plan")
    plan = read_plan(file)
    results = [cell.result(test_set) for cell in plan.cells for test_set in cell.tests]
    assert len(set(results)) == len(results)
    for cell in plan.cells:  # each would find out hours into the study
        for arguments in (cell.fit, *cell.tests.values()):
            if arguments is not None and cell.seed == plan.cells[0].seed:
                genome_windows(arguments)


def test_the_job_array_has_a_job_for_every_cell():
    sweep = ROOT / "experiments/long_context/sweep"
    for script, plan in (("slurm.sh", "full.yaml"), ("full_7b.yaml", "full_7b.yaml")):
        (last,) = re.findall(r"--array=0-(\d+)", (sweep / script).read_text())
        assert int(last) == len(read_plan(sweep / plan).cells) - 1
