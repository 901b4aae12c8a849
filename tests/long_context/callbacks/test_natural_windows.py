# SPDX-License-Identifier: Apache-2.0
from types import SimpleNamespace

import pytest

from modelgenerator.long_context.callbacks.natural_windows import natural_test_sets


def test_windows_with_copies_are_left_out(windows):
    trainer = SimpleNamespace(datamodule=windows)
    assert windows.test_sets == [("natural", 64), ("copies", 64), ("natural", 256), ("copies", 256)]
    assert natural_test_sets(trainer, "X") == {0: 64, 2: 256}


def test_other_data_is_refused():
    with pytest.raises(ValueError, match="X compares windows of several lengths, and list has no"):
        natural_test_sets(SimpleNamespace(datamodule=[]), "X")
