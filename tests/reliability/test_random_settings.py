# SPDX-License-Identifier: Apache-2.0
"""Random `model.pe` and `data` settings through the parser of `mgen`, and what is made of them.

Each is accepted and works, or is refused with a message that names what was given; no other
exception. `MGEN_LC_FUZZ=10000` tries so many.
"""

import contextlib
import inspect
import io
import os
import warnings
from unittest import mock

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelgenerator.backbones.positional import POSITIONAL, RotaryGeometry
from modelgenerator.long_context.data import GenomeWindows
from modelgenerator.long_context.data.genome_module import GenomeModule

FUZZ = settings(
    max_examples=int(os.environ.get("MGEN_LC_FUZZ", 40)),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CONFIG = """
model:
  class_path: modelgenerator.long_context.tasks.MaskedLM
  init_args: {backbone: modelgenerator.long_context.backbones.aido_dna_tiny}
data:
  class_path: modelgenerator.long_context.data.GenomeWindows
  init_args: {fasta: demo, window: 512}
"""


def arguments_of(cls):
    names = inspect.signature(cls).parameters
    return [name for name in names if name not in ("self", "geometry", "kwargs")]


OPTIONS = {name: [*arguments_of(cls), "no_such"] for name, cls in POSITIONAL.items()}
DATA = [*arguments_of(GenomeWindows), *arguments_of(GenomeModule), "no_such"]
VALUES = st.one_of(
    st.sampled_from([
        "0", "1", "2", "16", "16.0", "0.5", "-1", "1e6", "1e30", "1e400", ".nan", ".inf", "-.inf",
        "null", "true", "false", "", " ", "[]", "[1]", "[512, 1024]", "[4.0, .nan]", "{}", "{a: 1}",
        "channels", "turns", "yarn", "none", "[", "{", "'", "*", "&a", "!!python/name:os.system",
        "0x10", "1_000", "é", "\n", "demo", "factor", "=",
    ]),
    st.integers(-(10**20), 10**20).map(str),
    st.integers(1, 64).map(str),
    st.floats().map(str),
    st.floats(1.0, 64.0).map(str),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
)  # fmt: skip


@st.composite
def asked_for(draw):
    """Arguments of a command line: a method, some of its options, some of the data's."""
    method = draw(st.sampled_from([*POSITIONAL, "yern", "", "torch.nn.Linear", "os.system"]))
    names = st.lists(st.sampled_from(OPTIONS.get(method, ["factor"])), max_size=3, unique=True)
    pe = {name: draw(VALUES) for name in draw(names)}
    data = {name: draw(VALUES) for name in draw(st.lists(st.sampled_from(DATA), max_size=2))}
    return method, pe, data


@pytest.fixture(scope="module")
def parse(tmp_path_factory):
    """The parser that `mgen` makes, without what it does afterwards; None where it refuses."""
    from modelgenerator import main

    config = tmp_path_factory.mktemp("config") / "small.yaml"
    config.write_text(CONFIG)
    kept = []

    class Parser(main.MyLightningCLI):
        def parse_arguments(self, parser, args):
            kept.append(parser)
            raise InterruptedError

    with (
        mock.patch.object(main, "MyLightningCLI", Parser),
        mock.patch("sys.argv", ["mgen", "fit"]),
        contextlib.suppress(InterruptedError),
    ):
        main.cli_main()

    def parse(arguments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            try:
                return kept[0].parse_args(["fit", "--config", str(config), *arguments]), ""
            except SystemExit as stop:
                if stop.code != 2:
                    raise
                return None, said.getvalue()

    return parse


def make(cls, *positional, **options):
    """An object, or None if it is refused with a message that names one of the options."""
    try:
        return cls(*positional, **options)
    except ValueError as error:
        if not any(name in str(error) for name in options):
            raise AssertionError(f"the message names no option of {sorted(options)}") from error
        return None


@given(asked_for())
@FUZZ
def test_settings_work_or_are_refused_by_name(parse, asked):
    method, pe, data = asked
    given = [f"--model.pe={method}"]
    given += [f"--model.pe.{name}={value}" for name, value in pe.items()]
    given += [f"--data.{name}={value}" for name, value in data.items()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config, said = parse(given)
        if config is None:
            assert any(word in said for word in ("pe", *data)), said
            return
        accepted = config.fit.model.init_args.pe
        if method == "":
            assert accepted is None
        else:
            chosen = {**accepted.init_args}
            cls = POSITIONAL[accepted.class_path.rsplit(".", 1)[1]]
            embedding = make(cls, RotaryGeometry(16, 4, 10000.0, 512), **chosen)
            if embedding is not None:
                try:
                    table = embedding.eval()(66)
                except ValueError as error:  # CLEX is not defined beyond it
                    if "max_factor" not in str(error):
                        raise
                else:
                    assert torch.isfinite(table.cos).all()
                    assert torch.isfinite(table.sin).all()
        make(GenomeWindows, **config.fit.data.init_args)
