# SPDX-License-Identifier: Apache-2.0
import math

import pytest

from modelgenerator.backbones.positional.temperature import check_temperature, temperature_factor


@pytest.mark.parametrize("rule", ["none", "yarn", "log_n", "sqrt_log_n"])
def test_exactly_one_up_to_the_original_context(rule):
    assert temperature_factor(rule, 1.0, 4000) == 1.0
    assert temperature_factor(rule, 0.5, 4000) == 1.0


def test_reference_numbers(vectors):
    factor, original = vectors["factor"], vectors["original_max_position_embeddings"]
    yarn = temperature_factor("yarn", factor, original)
    log_n = temperature_factor("log_n", factor, original)
    assert yarn == pytest.approx(vectors["yarn_attention_factor"], rel=1e-12)
    assert log_n == pytest.approx(vectors["log_n_attention_factor"], rel=1e-12)
    # logits get the square, which is ln(s L) / ln(L)
    assert log_n**2 == pytest.approx(math.log(factor * original) / math.log(original), rel=1e-12)
    half = temperature_factor("sqrt_log_n", factor, original)
    assert half**4 == pytest.approx(log_n**2, rel=1e-12)  # logits: the root of those of log_n
    assert temperature_factor("none", factor, original) == 1.0


def test_unknown_rule():
    with pytest.raises(ValueError, match="temperature='yern' .* one of none, yarn, log_n"):
        check_temperature("yern")
