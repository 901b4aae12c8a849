# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.backbones.positional import (
    POSITIONAL,
    get_positional,
    list_positional,
    register_positional,
    rope,
    yarn,
)


def test_every_name_is_its_class_name():
    assert {name: cls.__name__ for name, cls in POSITIONAL.items()} == {n: n for n in POSITIONAL}
    assert list_positional() == sorted(POSITIONAL)
    assert get_positional("yarn") is yarn


def test_mistyped_name():
    with pytest.raises(
        ValueError,
        match=r"Unknown positional embedding 'yern'\. Did you mean 'yarn'\? Known: clex, gene, "
        r"helix, llama3, longrope, ntk, pi, rope, yarn\.$",
    ):
        get_positional("yern")


def test_name_like_no_other():
    with pytest.raises(ValueError, match=r"Unknown positional embedding 'alibi'\. Known: clex, "):
        get_positional("alibi")


def test_register(monkeypatch):
    monkeypatch.setattr("modelgenerator.backbones.positional.registry.POSITIONAL", dict(POSITIONAL))

    class mine(rope):
        pass

    register_positional("mine", mine)
    assert get_positional("mine") is mine
    assert "mine" in list_positional()
    with pytest.raises(ValueError, match=r"name='mine' is taken by .*mine: choose another name"):
        register_positional("mine", mine)


def test_register_refuses_a_name_that_configurations_would_not_find():
    class mine(rope):
        pass

    with pytest.raises(ValueError, match=r"name='other' is not the name of the class, mine, and"):
        register_positional("other", mine)
    assert "other" not in POSITIONAL


@pytest.mark.parametrize("cls", [dict, "yarn", None])
def test_register_refuses_other_classes(cls):
    with pytest.raises(ValueError, match="give a subclass of RotaryEmbedding"):
        register_positional("mine", cls)
    assert "mine" not in POSITIONAL


def test_register_refuses_a_known_name():
    class yarn(rope):
        pass

    with pytest.raises(ValueError, match=r"name='yarn' is taken by modelgenerator\..*yarn"):
        register_positional("yarn", yarn)
