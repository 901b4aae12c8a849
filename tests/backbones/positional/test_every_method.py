# SPDX-License-Identifier: Apache-2.0
"""What holds for every row of the table."""

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from modelgenerator.backbones.positional import (
    POSITIONAL,
    RotaryEmbedding,
    RotaryGeometry,
    apply_rotary,
    list_positional,
    rope,
)
from modelgenerator.backbones.positional.skip import PositionSkip

LEARNED = {
    "clex": {},
    "gene": {"learnable": True},
    "helix": {"delta": "per_head", "kappa": "per_head"},
}
DYNAMIC = {"ntk": {"dynamic": True}, "yarn": {"dynamic": True}, "clex": {}, "helix": {}}
STATIC = [name for name in POSITIONAL if name not in ("clex", "helix", "longrope")]
NEUTRAL = {  # plain RoPE up to the original context
    "rope": {},
    "pi": {"factor": 1.0},
    "ntk": {"factor": 1.0},
    "yarn": {"factor": 1.0},
    "llama3": {"factor": 1.0},
    "gene": {"factor": 1.0, "learnable": True},
    "longrope": {"long_factor": [1.0] * 8, "factor": 1.0},
    "clex": {},
    "helix": {"delta": "per_head", "kappa": "per_head"},
}
DRAWN = ("clex", "helix")  # training draws a factor of its own


@pytest.fixture(params=list_positional())
def method(request, build, small):
    """A method in evaluation, learned parameters away from their start."""
    torch.manual_seed(0)
    pe = build(request.param, small, **LEARNED.get(request.param, {})).eval()
    with torch.no_grad():
        for parameter in pe.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return pe


def scores(pe, seq_len):
    """Attention logits [H, n, n] of one query and one key, repeated at every position."""
    generator = torch.Generator().manual_seed(1)
    query, key = torch.randn(2, 1, pe.geometry.num_heads, 1, 16, generator=generator)
    table = pe(seq_len)
    rotated = [apply_rotary(x.expand(-1, -1, seq_len, -1), table) for x in (query, key)]
    return (rotated[0] @ rotated[1].transpose(-1, -2))[0]


def assert_same_table(a, b):
    assert torch.equal(a.cos, b.cos)
    assert torch.equal(a.sin, b.sin)


def test_names_a_rotary_embedding(method):
    assert isinstance(method, RotaryEmbedding)
    assert type(method).__doc__.count("Args:") == 1


def test_contract(method):
    for seq_len in (1, 2, 600):
        inv_freq = method.inverse_frequencies(seq_len)
        assert inv_freq.dtype == torch.float32
        assert inv_freq.shape in [(8,), (4, 8)]
        table = method(seq_len)
        assert table.cos.dtype == table.sin.dtype == torch.float32
        assert table.cos.shape == table.sin.shape == (*inv_freq.shape[:-1], seq_len, 8)
        assert torch.isfinite(table.cos).all()


def test_logits_depend_on_the_distance_only(method):
    logits = scores(method, 600)
    assert_close(logits[:, 1:, 1:], logits[:, :-1, :-1], rtol=0, atol=2e-3)


def test_attention_factor_squares_in_the_logits(method):
    factor = torch.as_tensor(method.attention_factor(600))[..., None, None].detach()
    first = method(600)
    unscaled = type(first)(first.cos / factor, first.sin / factor)
    x = torch.randn(1, 4, 600, 16)
    sharp = apply_rotary(x, first) @ apply_rotary(x, first).transpose(-1, -2)
    plain = apply_rotary(x, unscaled) @ apply_rotary(x, unscaled).transpose(-1, -2)
    assert_close(sharp, factor**2 * plain, rtol=1e-4, atol=1e-4)


def test_same_angles_after_a_cast(method):
    before = method(600)
    torch.nn.Sequential(method).to(torch.bfloat16)
    assert_same_table(method(600), before)


def test_same_angles_under_autocast(method):
    before = method(600)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_same_table(method(600), before)


def test_same_angles_with_a_low_default_dtype(method, build, small):
    before = method(600)
    torch.set_default_dtype(torch.bfloat16)
    try:
        again = type(method)(small, **method.options).eval()
        again.load_state_dict(method.state_dict())
        assert_same_table(again(600), before)
    finally:
        torch.set_default_dtype(torch.float32)


def test_made_on_the_meta_device(method, small):
    with torch.device("meta"):
        again = type(method)(small, **method.options).eval()
    again.to_empty(device="cpu")
    again.load_state_dict(method.state_dict())
    assert_same_table(again(600), method(600))


@pytest.mark.parametrize("name", list_positional())
def test_state_dict_is_empty_unless_learned(name, build, small):
    assert list(build(name, small).state_dict()) == (
        [] if name != "clex" else ["up_proj", "down_proj"]
    )
    if name in LEARNED:
        pe = build(name, small, **LEARNED[name])
        assert set(pe.state_dict()) == {key for key, _ in pe.named_parameters()}
        assert all(p.dtype == torch.float32 and p.requires_grad for p in pe.parameters())


@pytest.mark.parametrize("name", LEARNED)
def test_every_learned_parameter_gets_a_gradient(name, build, small):
    pe = build(name, small, **LEARNED[name]).train()
    with torch.no_grad():
        for parameter in pe.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    pe(600).cos.sum().backward()
    for parameter in pe.parameters():
        assert parameter.grad.dtype == torch.float32
        assert parameter.grad.abs().sum() > 0
        assert torch.isfinite(parameter.grad).all()


def test_survives_deepcopy_and_pickling(method):
    expected = method(600)
    assert_same_table(copy.deepcopy(method)(600), expected)
    assert_same_table(pickle.loads(pickle.dumps(method))(600), expected)


def test_options_make_it_again(method, small):
    again = type(method)(small, **method.options)
    assert again.options == method.options


def test_no_memory_of_earlier_calls(method, small):
    expected = {n: method(n) for n in (100, 600, 5000)}
    for n in (5000, 100, 600, 100, 5000):
        assert_same_table(method(n), expected[n])


def test_evaluation_never_draws(method):
    state = torch.get_rng_state()
    expected = method(600)
    for step in (1, 2, 3):
        method.step = step
        assert_same_table(method(600), expected)
    assert torch.equal(torch.get_rng_state(), state)


def test_training_leaves_the_global_generator_alone(method):
    state = torch.get_rng_state()
    method.train()(600)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", NEUTRAL)
@pytest.mark.parametrize("training", [False, True])
def test_plain_rope_bit_for_bit_at_factor_1(name, training, small):
    pe = POSITIONAL[name](small, **NEUTRAL[name]).train(training and name not in DRAWN)
    with torch.no_grad():
        if name in DRAWN:
            for parameter in pe.parameters():
                parameter.normal_()
    for seq_len in (1, 512, 514):
        assert torch.as_tensor(pe.attention_factor(seq_len)).eq(1.0).all()
        expected = rope(small)(seq_len)
        table = pe(seq_len)
        assert torch.equal(table.cos.expand(4, -1, -1), expected.cos.expand(4, -1, -1))
        assert torch.equal(table.sin.expand(4, -1, -1), expected.sin.expand(4, -1, -1))


@pytest.mark.parametrize("name", DYNAMIC)
def test_dynamic_is_plain_rope_up_to_the_original_context(name, small):
    pe = POSITIONAL[name](small, **DYNAMIC[name]).eval()
    pe(5000)
    for seq_len in (1, 512, 514):
        assert_same_table(pe(seq_len), rope(small)(seq_len))
    assert not torch.equal(pe(515).cos, rope(small)(515).cos)


@pytest.mark.parametrize("name", STATIC)
def test_static_methods_have_the_prefix_property(name, build, small):
    pe = build(name, small).eval()
    long, short = pe(8000), pe(400)
    assert torch.equal(long.cos[..., :400, :], short.cos)
    assert torch.equal(long.sin[..., :400, :], short.sin)


@pytest.mark.parametrize("name", DYNAMIC)
def test_dynamic_methods_have_no_prefix_property(name, small):
    # shows that the test above can fail
    pe = POSITIONAL[name](small, **DYNAMIC[name]).eval()
    assert not torch.equal(pe(8000).cos[:400], pe(400).cos)


@pytest.mark.parametrize("name", ["pi", "ntk", "yarn", "llama3", "gene"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_frequencies_decrease_between_pi_and_rope(name, build, geometries, data):
    geometry = data.draw(geometries)
    factor = data.draw(st.floats(1.0, 64.0))
    pe = build(name, geometry, factor=factor).eval()
    inv_freq = pe.inverse_frequencies(geometry.original_max_position_embeddings)
    plain = rope(geometry).inverse_frequencies(1)
    assert (inv_freq.diff() < 0).all()
    assert (inv_freq <= plain).all()
    assert (inv_freq >= plain / factor * (1 - 1e-6)).all()


@pytest.mark.parametrize("name", ["pi", "ntk", "yarn", "gene", "llama3", "clex"])
def test_angle_error_at_the_last_position(name, build, load_vectors):
    # against the reference frequencies in float64: 65,535 * theta
    vectors = load_vectors("d64_l4096_s16")
    key = {"clex": "clex_zero_init", "llama3": "llama3_lf1_hf4"}.get(name, name)
    pe = build(name, RotaryGeometry(64, 16, original_max_position_embeddings=4096)).eval()
    angle = 65535 * torch.tensor(vectors[key], dtype=torch.float64)
    table, factor = pe(65536), pe.attention_factor(65536)
    error = torch.hypot(table.cos[-1] - factor * angle.cos(), table.sin[-1] - factor * angle.sin())
    assert error.max() < 0.005 * factor


def test_skipped_positions_train_the_extended_context(method):
    reach = 64
    skip = PositionSkip(reach)
    whole = method(reach + 2)
    method.skip = skip
    assert_same_table(method(reach + 2), whole)  # evaluation is not touched
    method.train()
    method.step = 5
    table = method(12)
    positions = skip.positions(12, reach + 2, 5).long()
    assert positions[-1] > 11  # this step does skip
    method.skip = None
    far = method(reach + 2)
    assert torch.equal(table.cos, far.cos[..., positions, :])
    assert torch.equal(table.sin, far.sin[..., positions, :])
