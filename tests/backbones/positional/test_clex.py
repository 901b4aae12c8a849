# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch
from torch.testing import assert_close

from modelgenerator.backbones.positional import RotaryGeometry, clex, rope
from modelgenerator.backbones.positional.frequencies import ntk_exponents, rope_frequencies


@pytest.fixture
def trained(load_vectors):
    """Random weights, and the frequencies that the released code makes of them."""
    vectors = load_vectors("clex_weights_d16")

    def make(**options):
        geometry = RotaryGeometry(16, 4, original_max_position_embeddings=512)
        pe = clex(geometry, **options).eval()
        with torch.no_grad():
            for name, parameter in pe.named_parameters():
                parameter.copy_(torch.tensor(vectors[name]))
        return pe

    make.vectors = vectors
    return make


def at(pe, *extensions):
    lengths = [int(t * pe.original_max_position_embeddings) for t in extensions]
    return torch.stack([pe.inverse_frequencies(n).detach() for n in lengths])


def test_reference_vectors_untrained(vectors, geometry_of, assert_frequencies):
    pe = clex(geometry_of(vectors), max_factor=vectors["factor"]).eval()
    assert_frequencies(pe.inverse_frequencies(vectors["seq_len"]), vectors["clex_zero_init"])


def test_reference_vectors_with_weights(trained, assert_frequencies):
    # the reference is float32 throughout; its own rounding is 1e-5
    inv_freq = at(trained(), *trained.vectors["t"])
    assert_frequencies(inv_freq, trained.vectors["inv_freq"], rtol=1e-4)


def test_agrees_with_the_equation_as_published(trained):
    # log theta itself by the midpoint rule in small steps, without the detour by the NTK path
    pe, t = trained(), 3.0
    up, down = pe.up_proj.detach().double(), pe.down_proj.detach().double()
    start = rope_frequencies(16, 1e4).log()
    exponents = ntk_exponents(16)

    def velocity(t, log_theta):
        log_ntk = start - exponents * math.log(2 * t - 1)
        return torch.tanh((log_theta + log_ntk) @ up) @ down - exponents * 2 / (2 * t - 1)

    log_theta, steps = start, 2000
    h = (t - 1.0) / steps
    for k in range(steps):
        now = 1.0 + k * h
        half = log_theta + 0.5 * h * velocity(now, log_theta)
        log_theta = log_theta + h * velocity(now + 0.5 * h, half)
    assert_close(at(pe, t)[0], log_theta.exp().float(), rtol=1e-6, atol=0)


def test_default_step_is_as_good_as_the_released_one(trained):
    assert_close(
        at(trained(), 2.0, 16.0), at(trained(time_step=0.01), 2.0, 16.0), rtol=1e-6, atol=0
    )


def test_silu_is_another_equation(trained):
    assert not torch.allclose(at(trained(act="silu"), 4.0), at(trained(), 4.0), rtol=1e-3)


def test_number_of_parameters(aido_dna):
    assert sum(p.numel() for p in clex(aido_dna).parameters()) == 64**2
    assert sum(p.numel() for p in clex(aido_dna, param_factor=2).parameters()) == 2 * 64**2


def test_start_of_training(aido_dna):
    torch.manual_seed(0)
    pe = clex(aido_dna)
    assert not pe.down_proj.any()
    assert pe.up_proj.abs().max() <= 1 / math.sqrt(64)  # Kaiming-uniform, a = sqrt(5)
    assert pe.up_proj.std().item() == pytest.approx(1 / math.sqrt(3 * 64), rel=0.05)
    pe.train()(100).cos.sum().backward()
    assert not pe.up_proj.grad.any()  # W_down is zero
    assert pe.down_proj.grad.abs().sum() > 0


def test_evaluation_sees_an_optimiser_step(small):
    pe = clex(small)
    before = at(pe.eval(), 4.0)
    optimiser = torch.optim.SGD(pe.parameters(), lr=1e-4)
    pe.train()(600).cos.sum().backward()
    optimiser.step()
    assert not torch.equal(at(pe.eval(), 4.0), before)


def test_plain_rope_within_the_original_context_still_has_a_gradient(trained):
    pe = trained()
    table = pe(512)
    assert torch.equal(table.cos, rope(pe.geometry)(512).cos)
    table.cos.sum().backward()  # DistributedDataParallel waits for every parameter
    assert all(p.grad is not None and not p.grad.any() for p in pe.parameters())


def test_extension_in_evaluation(aido_dna):
    pe, whole = clex(aido_dna).eval(), clex(aido_dna, whole_factors=True).eval()
    lengths = (9, 4002, 6000, 8002, 64000, 64002)
    expected = [1, 1, 1.5, 2.0005, 16, 16]
    assert [pe.applied_factor(n) for n in lengths] == pytest.approx(expected)
    assert [whole.applied_factor(n) for n in lengths] == [1, 1, 2, 2, 16, 16]


@pytest.mark.parametrize("training", [False, True])
def test_longer_than_max_factor(aido_dna, training):
    pe = clex(aido_dna, max_factor=2.0).train(training)
    pe(8002)
    with pytest.raises(
        ValueError,
        match="max_factor=2.0 is too small for 8003 tokens.*up to 8002 tokens.*at least 3",
    ):
        pe(8003)


def draws(pe, seq_len, steps=300):
    drawn = []
    for pe.step in range(steps):
        drawn.append(pe.drawn(seq_len))
    return drawn


def test_training_draw(aido_dna):
    continuous = draws(clex(aido_dna, max_factor=4.0), 8002)
    assert 2.0005 <= min(continuous) < 2.05
    assert 3.95 < max(continuous) <= 4.0
    whole = draws(clex(aido_dna, max_factor=4.0, whole_factors=True), 8002)
    assert set(whole) == {2.0, 3.0, 4.0}
    spread = draws(clex(aido_dna, max_factor=4.0, whole_factors=True, positions="random"), 8002)
    assert set(spread) == {1.0, 2.0, 3.0, 4.0}
    assert draws(clex(aido_dna, max_factor=4.0), 8002) == continuous
    assert draws(clex(aido_dna, max_factor=4.0, seed=1), 8002) != continuous


def test_training_uses_the_drawn_extension(trained):
    pe = trained(whole_factors=True)
    for pe.step in range(4):
        t = pe.train().drawn(600)
        assert torch.equal(pe.inverse_frequencies(600), pe.eval().inverse_frequencies(int(t * 512)))


def test_random_positions(small):
    pe = clex(small, positions="random").train()
    for seq_len in (100, 514, 2050):  # 1, 1 and 4 original contexts
        contexts = max(1, seq_len // 512)
        for pe.step in range(5):
            positions = pe.positions(seq_len)
            places = int(pe.drawn(seq_len) * seq_len)
            assert positions.shape == (seq_len,)
            assert positions[0] == 0
            assert positions[-1] == places // contexts - 1
            assert (positions[:-1].diff() > 0).all()
            assert positions[-2] <= (places - 2) / contexts
            assert torch.equal((positions[1:-1] * contexts).round(), positions[1:-1] * contexts)
            assert torch.equal(pe.positions(seq_len), positions)
    assert torch.equal(pe.eval().positions(600), torch.arange(600.0))


def test_random_positions_of_few_tokens(small):
    pe = clex(small, positions="random").train()
    assert [pe(n).cos.shape[0] for n in (1, 2, 3)] == [1, 2, 3]


def test_log_scale(aido_dna):
    pe = clex(aido_dna, log_scale=True).eval()
    assert pe.attention_factor(4002) == 1.0
    assert pe.attention_factor(64000) ** 2 == pytest.approx(math.log(64000) / math.log(4000))
    assert clex(aido_dna).attention_factor(64000) == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_factor": 1.0}, "max_factor=1.0 is not allowed: give a finite number above 1"),
        ({"param_factor": 0}, "param_factor=0 is not allowed: give an integer of at least 1"),
        ({"param_factor": 1.5}, "param_factor=1.5 is not allowed: give an integer"),
        ({"time_step": 0.0}, "time_step=0.0 is not allowed: .* above 0 and at most 1"),
        ({"time_step": 2.0}, "time_step=2.0 is not allowed"),
        ({"act": "relu"}, "act='relu' is not allowed: give one of tanh, silu"),
        ({"positions": "sorted"}, "positions='sorted' is not allowed: give one of arange, random"),
        ({"max_factor": 2.5, "whole_factors": True}, "max_factor=2.5 is not allowed with whole"),
        ({"seed": 0.5}, "seed=0.5 is not allowed"),
    ],
)
def test_refuses(aido_dna, options, message):
    with pytest.raises(ValueError, match=message):
        clex(aido_dna, **options)
