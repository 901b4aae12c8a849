# SPDX-License-Identifier: Apache-2.0
from modelgenerator.long_context.report.colours import COLOURS, OTHER, method_order, styles


def test_a_method_keeps_its_colour_and_its_variants_differ():
    found = styles({"rope": "rope", "ntk": "ntk", "ntk_dynamic": "ntk", "mine": "new_method"})
    assert found["ntk"].colour == found["ntk_dynamic"].colour == COLOURS["ntk"]
    assert found["ntk"].line != found["ntk_dynamic"].line
    assert found["mine"].colour == OTHER
    assert len({style.marker for style in found.values()}) == 4
    assert styles({"ntk": "ntk"})["ntk"].colour == found["ntk"].colour


def test_methods_are_listed_in_one_order():
    given = ["clex", "unheard_of", None, "rope", "pi"]
    assert sorted(given, key=method_order) == [None, "rope", "pi", "clex", "unheard_of"]
