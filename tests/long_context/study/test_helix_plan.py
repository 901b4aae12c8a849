# SPDX-License-Identifier: Apache-2.0
"""The plans of experiments/long_context/helix: the budget of the five methods, and the rules."""

from pathlib import Path

import pytest
import yaml

from modelgenerator.backbones.positional import RotaryGeometry, get_positional
from modelgenerator.long_context.study import read_plan

ROOT = Path(__file__).parents[3]
EXPERIMENTS = ROOT / "experiments/long_context"
TINY = RotaryGeometry(64, 4, original_max_position_embeddings=512, num_layers=4)


@pytest.fixture(autouse=True)
def _in_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def given(name):
    return yaml.safe_load((EXPERIMENTS / name).read_text())


def test_same_budget_seeds_and_tests_as_the_five():
    ours, theirs = given("helix/ablations.yaml"), given("sweep/tiny.yaml")
    for key in ("configs", "regimes", "seeds", "fit", "test", "test_sets"):
        assert ours[key] == theirs[key], key


def test_the_gentle_rate_is_all_that_differs():
    ours, theirs = given("helix/gentle.yaml"), given("sweep/tiny.yaml")
    for key in ("configs", "regimes", "seeds", "test"):
        assert ours[key] == theirs[key], key
    assert ours["test_sets"]["held_out"] == theirs["test_sets"]["held_out"]
    rate = "model.optimizer.init_args.lr"
    assert ours["fit"] == {**theirs["fit"], rate: pytest.approx(theirs["fit"][rate] / 10)}
    for name in ("ntk", "yarn", "clex"):
        assert theirs["methods"][name].items() <= ours["methods"][name].items()


def test_defaults_are_chosen_without_the_main_test_genome():
    for cell in read_plan(EXPERIMENTS / "helix/zero_shot.yaml").cells:
        assert cell.fit is None
        for arguments in cell.tests.values():
            assert "--data.test_fasta" not in arguments


@pytest.mark.parametrize("name", sorted(p.stem for p in EXPERIMENTS.glob("helix/*.yaml")))
def test_every_row_is_a_method_of_its_own(name):
    """Its options are allowed, and no two rows are the same method."""
    made = []
    for method in given(f"helix/{name}.yaml")["methods"].values():
        config = yaml.safe_load((ROOT / method["config"]).read_text())
        pe = config["model"]["init_args"]["pe"]
        changed = {
            name.removeprefix("model.pe."): value
            for name, value in method.get("options", {}).items()
            if name.startswith("model.pe.")
        }
        options = {**pe.get("init_args", {}), **changed}
        made.append((pe["class_path"], get_positional(pe["class_path"])(TINY, **options).options))
    assert all(made.count(row) == 1 for row in made)
    read_plan(EXPERIMENTS / f"helix/{name}.yaml")
