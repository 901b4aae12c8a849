# SPDX-License-Identifier: Apache-2.0
import importlib.util

import pytest
from torch.nn.attention import (
    current_flash_attention_impl,
    list_flash_attention_impls,
    register_flash_attention_impl,
)

from modelgenerator.long_context.callbacks import FlashAttention


class Handle:
    """What an implementation gives torch: a way to take it out again."""

    def __init__(self):
        self.removed = False

    def remove(self):
        self.removed = True


def test_active_for_the_run_and_no_longer():
    handle = Handle()
    register_flash_attention_impl("ours", register_fn=lambda: handle)
    callback = FlashAttention("ours")
    assert current_flash_attention_impl() is None
    callback.setup(None, None, "fit")
    assert current_flash_attention_impl() == "ours"
    callback.teardown(None, None, "fit")
    assert current_flash_attention_impl() is None
    assert handle.removed


def test_unknown_name():
    with pytest.raises(ValueError, match="'FA9' is not known to this torch; give one of FA3"):
        FlashAttention("FA9")


@pytest.mark.skipif(
    importlib.util.find_spec("flash_attn") is not None, reason="the package is installed"
)
@pytest.mark.parametrize("name", ["FA3", "FA4"])
def test_missing_package_is_said_before_training(name):
    assert name in list_flash_attention_impls()
    with pytest.raises(ValueError, match=f"'{name}' cannot be used here .*Install its package"):
        FlashAttention(name).setup(None, None, "fit")
    assert current_flash_attention_impl() is None
