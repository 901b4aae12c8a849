# SPDX-License-Identifier: Apache-2.0
import errno
import sys

import pytest

from modelgenerator.long_context import cli
from modelgenerator.long_context.commands import list_methods


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("plot: no"), "mgen-lc: plot: no"),
        (OSError(errno.ENOSPC, "No space left on device", "a.png"), "device: a.png). Make room"),
        (KeyboardInterrupt(), "mgen-lc: interrupted."),
    ],
)
def test_what_ends_a_command_is_said_in_a_line(monkeypatch, error, said):
    def run(options):
        raise error

    monkeypatch.setattr(sys, "argv", ["mgen-lc", "list"])
    monkeypatch.setattr(list_methods, "run", run)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert said in str(ended.value)


def test_an_error_of_ours_is_not_hidden(monkeypatch):
    def run(options):
        raise FileNotFoundError(errno.ENOENT, "No such file")

    monkeypatch.setattr(sys, "argv", ["mgen-lc", "list"])
    monkeypatch.setattr(list_methods, "run", run)
    with pytest.raises(FileNotFoundError):
        cli.main()
