# SPDX-License-Identifier: Apache-2.0
import json
import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modelgenerator.backbones.positional import RotaryGeometry, gene, helix, ntk, pi, rope, yarn
from modelgenerator.backbones.positional.skip import PositionSkip

AIDO_DNA = RotaryGeometry(64, 16, original_max_position_embeddings=4000)
SMALL = RotaryGeometry(16, 4, original_max_position_embeddings=512)
PLAIN_YARN = {"overshoot": 0.0, "beta_fast": 32.0}


def perturbed(pe, size=0.3):
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in pe.parameters():
            parameter.copy_(size * torch.randn(parameter.shape, generator=generator))
    return pe


@pytest.fixture
def calibration(tmp_path):
    """Write a calibration of SMALL, changed in places."""

    def write(**changes):
        content = {
            "schema": "calibration/1",
            "logit_std": [[1.0, 2.0, 4.0, 1.83], [1.0, 2.0, 2.0, 1.83]],
            "num_heads": 4,
            "rotary_dim": 16,
            "original_max_position_embeddings": 512,
            **changes,
        }
        path = tmp_path / "calibration.json"
        path.write_text(json.dumps(content))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("factor", "expected"),
    [  # theta * s^(-w), w of YaRN at 16, theta = 0.01: derived by hand from its 5.673e-3 at 16
        (1, 1e-2),
        (2, 8.678699837836e-03),
        (4, 7.531983087525e-03),
        (8, 6.536782040029e-03),
        (16, 5.673076923077e-03),
        (32, 4.923493177234e-03),
    ],
)
def test_yarn_exponents_at_channel_16(factor, expected, assert_frequencies):
    pe = helix(AIDO_DNA, path="yarn_exponents", **PLAIN_YARN).eval()
    inv_freq = pe.inverse_frequencies(4000 * factor)
    plain = rope(AIDO_DNA).inverse_frequencies(1)
    assert_frequencies(inv_freq[16:17], [expected])
    assert_frequencies(inv_freq[31:], [float(plain[31].double()) / factor])


@pytest.mark.parametrize("seq_len", [4002, 8000, 33333, 64000, 128000])
@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("yarn", lambda s: yarn(AIDO_DNA, s)),
        ("gene", lambda s: gene(AIDO_DNA, s, random_scale=False)),
        ("ntk", lambda s: ntk(AIDO_DNA, s)),
        ("pi", lambda s: pi(AIDO_DNA, s)),
    ],
)
def test_without_overshoot_a_path_is_its_method_at_the_length(path, same, seq_len):
    pe = helix(AIDO_DNA, path=path, **PLAIN_YARN).eval()
    method = same(pe.extension(seq_len)).eval()
    assert torch.equal(pe.inverse_frequencies(seq_len), method.inverse_frequencies(seq_len))


def test_yarn_exponents_meet_yarn_at_the_factor_and_leave_it_below():
    exponents, path = (
        helix(AIDO_DNA, path=p, **PLAIN_YARN).eval() for p in ("yarn_exponents", "yarn")
    )
    torch.testing.assert_close(
        exponents.inverse_frequencies(64000), path.inverse_frequencies(64000), rtol=1e-6, atol=0
    )
    ratio = exponents.inverse_frequencies(16000) / path.inverse_frequencies(16000)
    assert ratio.max() > 1.15  # slowed less at 4x: up to 25 %


def test_overshoot_slows_unfinished_channels_by_a_power_of_s():
    plain = rope(AIDO_DNA).inverse_frequencies(1)
    inv_freq = helix(AIDO_DNA, overshoot=0.5).eval().inverse_frequencies(64000)
    assert torch.equal(inv_freq[:16], plain[:16])  # more than 8 turns in 4,000 up to channel 15
    torch.testing.assert_close(inv_freq[23:], plain[23:] * 16**-1.5, rtol=1e-6, atol=0)


@pytest.mark.parametrize("learned", ["none", "shared", "per_head"])
@pytest.mark.parametrize("path", ["yarn", "yarn_exponents", "gene", "ntk", "pi"])
def test_plain_rope_bit_for_bit_up_to_l_whatever_was_learned(path, learned):
    pe = perturbed(helix(SMALL, path=path, delta=learned, kappa=learned), size=3.0).eval()
    for seq_len in (1, 512, 514):
        expected = rope(SMALL)(seq_len)
        table = pe(seq_len)
        assert torch.equal(table.cos.expand(4, -1, -1), expected.cos.expand(4, -1, -1))
        assert torch.equal(table.sin.expand(4, -1, -1), expected.sin.expand(4, -1, -1))
    assert not torch.equal(pe(515).cos[..., :514, :], pe(514).cos)


@settings(max_examples=40, deadline=None)
@given(seq_len=st.integers(515, 40000), size=st.floats(0, 20), seed=st.integers(0, 99))
def test_unfinished_channels_stay_in_the_trained_range(seq_len, size, seed):
    """No learned exponent turns them further than the longest pretraining window did."""
    pe = helix(SMALL, delta="per_head").eval()
    torch.manual_seed(seed)
    with torch.no_grad():
        pe.delta.normal_().mul_(size)
    plain = rope(SMALL).inverse_frequencies(1)
    unfinished = plain * 512 < 2 * math.pi
    assert 0 < unfinished.sum() < 8
    turned = pe.inverse_frequencies(seq_len) * seq_len / (plain * 512)
    assert (turned[:, unfinished] <= 1.0 + 1e-5).all()


def test_learning_finds_back_from_beyond_the_bound():
    pe = helix(SMALL, delta="shared", overshoot=0.0).eval()
    start = pe.inverse_frequencies(8192).detach()
    with torch.no_grad():
        pe.delta.fill_(-1.0)
    inv_freq = pe.inverse_frequencies(8192)
    assert torch.equal(inv_freq[-1], start[-1])
    inv_freq[-1].backward()
    assert pe.delta.grad[-1] < 0  # a larger exponent, a slower channel


@pytest.mark.parametrize(
    ("delta", "kappa", "numbers", "shape"),
    [
        ("none", "none", 0, (600, 8)),
        ("shared", "none", 8, (600, 8)),
        ("shared", "shared", 9, (600, 8)),
        ("none", "per_head", 4, (4, 600, 8)),
        ("per_head", "shared", 33, (4, 600, 8)),
        ("per_head", "per_head", 36, (4, 600, 8)),
    ],
)
def test_learned_parts(delta, kappa, numbers, shape):
    pe = helix(SMALL, delta=delta, kappa=kappa).eval()
    assert sum(p.numel() for p in pe.parameters()) == numbers
    table, free = pe(600), helix(SMALL).eval()(600)
    assert table.cos.shape == shape
    assert torch.equal(table.cos.expand(4, -1, -1), free.cos.expand(4, -1, -1))  # zero: no bit


def test_fast_channels_cannot_be_moved():
    pe = perturbed(helix(SMALL, delta="per_head")).eval()
    assert torch.equal(
        pe.inverse_frequencies(8192)[:, 0], rope(SMALL).inverse_frequencies(1)[:1].expand(4)
    )
    assert not torch.equal(pe.inverse_frequencies(8192)[0], pe.inverse_frequencies(8192)[1])


def test_exponents_by_hand():
    pe = helix(SMALL, delta="shared", kappa="per_head", temperature="none").eval()
    with torch.no_grad():
        pe.delta.fill_(0.5)
        pe.kappa.copy_(torch.tensor([0.0, 0.5, 1.0, -0.5]))
    # s = 16: the last channel by 16^-(1 + 0.25 + 0.5); logits by 1, 4, 16 and 1/4
    last = rope(SMALL).inverse_frequencies(1)[-1]
    torch.testing.assert_close(pe.inverse_frequencies(8192)[-1], last / 128)
    torch.testing.assert_close(pe.attention_factor(8192).square(), torch.tensor([1, 4, 16, 0.25]))


def test_sharpness_follows_the_tokens_not_the_draw():
    pe = helix(SMALL).train()
    factors = set()
    for pe.step in range(20):
        factors.add(pe.drawn(2050))
        assert pe.attention_factor(2050) == helix(SMALL).eval().attention_factor(2050)
    assert len(factors) > 3


def test_training_draw():
    """A quarter of all steps at each end, the rest between, evenly in ln s."""
    pe = helix(SMALL, 16.0).train()
    found = Counter()
    for pe.step in range(2000):
        factor = pe.drawn(2050)
        assert 2050 / 512 <= factor <= 16.0
        middle = 2050 / 512 < factor < 16.0
        found["middle" if middle else factor] += 1
        found["below 8"] += middle and factor < 8.0
    assert found[2050 / 512] == pytest.approx(500, abs=80)
    assert found[16.0] == pytest.approx(500, abs=80)
    assert found["below 8"] == pytest.approx(500, abs=80)  # 8 is the middle of ln 4..16


@pytest.mark.parametrize(
    ("options", "training", "short", "long"),
    [  # s at 512 and at 16,384 nt, for a factor of 16
        ({}, False, 1.0, 32.0),
        ({"random_scale": False}, True, 1.0, 32.0),
        ({"eval_scale": "factor"}, False, 16.0, 32.0),
        ({"eval_scale": "factor", "random_scale": False}, True, 16.0, 32.0),
    ],
)
def test_factor_of_a_length(options, training, short, long):
    pe = helix(SMALL, **options).train(training)
    assert pe.applied_factor(512) == short
    assert pe.applied_factor(16384) == long


def test_calibrated_by_hand(calibration):
    pe = helix(SMALL, temperature="calibrated", calibration=calibration()).eval()
    # Head 2 has variances 16 and 4, in harmonic mean 6.4; ln 16 = 2.7726.
    expected = [(1 + 2 * math.log(16) / v) ** 0.5 for v in (1.0, 4.0, 6.4, 1.83**2)]
    assert pe.attention_factor(8192).square().tolist() == pytest.approx(expected, rel=1e-5)
    assert expected[3] == pytest.approx(1.630, abs=1e-3)  # as YaRN's 1.631
    assert torch.equal(pe.attention_factor(514), torch.ones(4))
    assert pe(8192).cos.shape == (4, 8192, 8)


def test_calibration_travels_with_the_weights(calibration):
    first = helix(SMALL, temperature="calibrated", calibration=calibration())
    other = calibration(logit_std=[[9.0, 9.0, 9.0, 9.0]])
    second = helix(SMALL, temperature="calibrated", calibration=other)
    assert not torch.equal(first.attention_factor(8192), second.attention_factor(8192))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.attention_factor(8192), second.attention_factor(8192))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 8}, "measured on an encoder with num_heads=8, this one has 4"),
        ({"rotary_dim": 64}, "with rotary_dim=64, this one has 16"),
        (
            {"original_max_position_embeddings": 4000},
            "original_max_position_embeddings=4000, this one has 512: calibrate this one",
        ),
        ({"schema": "masked_lm/1"}, "is no calibration: give the file that `mgen-lc calibrate`"),
    ],
)
def test_calibration_of_something_else(calibration, changes, message):
    with pytest.raises(ValueError, match=message):
        helix(SMALL, temperature="calibrated", calibration=calibration(**changes))


@pytest.mark.parametrize(
    "logit_std",
    [
        None,
        [],
        [1.0, 2.0, 4.0, 1.83],
        [[1.0, 2.0]],
        [[1.0, 2.0, 4.0, 1.83], [1.0]],
        [[1.0, 2.0, 4.0, 0.0]],
        [[1.0, 2.0, 4.0, -1.0]],
        [[1.0, 2.0, 4.0, math.nan]],
        [["1", "2", "4", "8"]],
    ],
)
def test_calibration_with_spreads_that_cannot_be(calibration, logit_std):
    with pytest.raises(ValueError, match="not hold a number above 0 for each of 4 heads"):
        helix(SMALL, temperature="calibrated", calibration=calibration(logit_std=logit_std))


def test_calibration_that_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match=r"none\.json' cannot be read \(No such file"):
        helix(SMALL, temperature="calibrated", calibration=str(tmp_path / "none.json"))
    (tmp_path / "text.json").write_text("no JSON")
    with pytest.raises(ValueError, match=r"text\.json' is no calibration"):
        helix(SMALL, temperature="calibrated", calibration=str(tmp_path / "text.json"))


LAYERED = RotaryGeometry(16, 4, original_max_position_embeddings=512, num_layers=2)
KAPPA = [[0.0, 0.5, 0.25, 1.0], [0.1, 0.0, 0.0, 0.0]]


@pytest.fixture
def kappa_start(tmp_path):
    """Write exponents of LAYERED's heads, changed in places."""

    def write(**changes):
        content = {
            "schema": "head_calibration/1",
            "kappa": KAPPA,
            "num_heads": 4,
            "rotary_dim": 16,
            "original_max_position_embeddings": 512,
            **changes,
        }
        path = tmp_path / "heads.json"
        path.write_text(json.dumps(content))
        return str(path)

    return write


def test_sharpness_by_layer_and_head(kappa_start):
    pe = helix(LAYERED, kappa="per_layer", kappa_start=kappa_start(), temperature="none").eval()
    sharpness = pe.layer_sharpness(8192)  # 16 to the exponents
    expected = [[1.0, 4.0, 2.0, 16.0], [16**0.1, 1.0, 1.0, 1.0]]
    torch.testing.assert_close(sharpness, torch.tensor(expected))
    assert torch.equal(pe.layer_sharpness(514), torch.ones(2, 4))
    # The table knows nothing of it, and other methods nothing of layers.
    assert pe(8192).cos.shape == (8192, 8)
    assert pe.attention_factor(8192) == 1.0
    assert helix(LAYERED, kappa="per_head").layer_sharpness(8192) is None
    assert yarn(LAYERED).layer_sharpness(8192) is None


def test_sharpness_by_layer_multiplies_the_temperature(kappa_start):
    options = {"kappa": "per_layer", "kappa_start": kappa_start()}
    pe, plain = helix(LAYERED, **options), helix(LAYERED)
    assert pe.attention_factor(8192) == plain.attention_factor(8192) > 1.0


def test_sharpness_by_layer_starts_at_zero_and_travels_with_the_weights(kappa_start):
    plain = helix(LAYERED, kappa="per_layer")
    assert torch.equal(plain.layer_sharpness(8192), torch.ones(2, 4))
    started = helix(LAYERED, kappa="per_layer", kappa_start=kappa_start())
    plain.load_state_dict(started.state_dict())
    assert plain.kappa.tolist() == started.kappa.tolist()
    perturbed(started).reset_parameters()
    torch.testing.assert_close(started.kappa.detach(), torch.tensor(KAPPA))


def test_skipped_positions_do_not_sharpen_by_layer(kappa_start):
    """Rows of the original context have no more keys than in pretraining, wherever they stand."""
    pe = helix(LAYERED, kappa="per_layer", kappa_start=kappa_start()).train()
    pe.skip = PositionSkip(8192)
    assert torch.equal(pe.layer_sharpness(514), torch.ones(2, 4))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_heads": 8}, "measured on an encoder with num_heads=8, this one has 4"),
        ({"rotary_dim": 64}, "with rotary_dim=64, this one has 16"),
        ({"original_max_position_embeddings": 64}, "this one has 512: calibrate this one with"),
        ({"schema": "calibration/1"}, "give the file that `mgen-lc calibrate-heads` wrote"),
        ({"kappa": None}, "not hold an exponent of at least 0 for each of 4 heads of 2 layers"),
        ({"kappa": KAPPA[:1]}, "heads of 2 layers"),
        ({"kappa": [row[:3] for row in KAPPA]}, "heads of 2 layers"),
        ({"kappa": [KAPPA[0], [0.0]]}, "heads of 2 layers"),
        ({"kappa": [KAPPA[0], [-0.1] * 4]}, "an exponent of at least 0"),
        ({"kappa": [KAPPA[0], [math.inf] * 4]}, "an exponent of at least 0"),
    ],
)
def test_kappa_start_of_something_else(kappa_start, changes, message):
    with pytest.raises(ValueError, match=message):
        helix(LAYERED, kappa="per_layer", kappa_start=kappa_start(**changes))


def test_kappa_start_that_cannot_be_used(kappa_start, tmp_path):
    with pytest.raises(ValueError, match="no effect with kappa='per_head'"):
        helix(LAYERED, kappa="per_head", kappa_start=kappa_start())
    with pytest.raises(ValueError, match="needs the number of layers"):
        helix(SMALL, kappa="per_layer")
    with pytest.raises(
        ValueError, match=r"kappa_start=.*none\.json' cannot be read \(No such file"
    ):
        helix(LAYERED, kappa="per_layer", kappa_start=str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, "factor=1.0 is not allowed: give a finite number above 1"),
        ({"path": "clex"}, "path='clex' is not allowed: give one of yarn, yarn_exponents, gene"),
        ({"overshoot": -0.1}, "overshoot=-0.1 is not allowed: give a finite number of at least 0"),
        ({"beta_fast": 1.0}, "beta_fast=1.0 is not allowed: give a finite number above 1"),
        ({"delta": "heads"}, "delta='heads' is not allowed: give one of none, shared, per_head"),
        ({"kappa": True}, "kappa=True is not allowed: give one of none, shared, per_head"),
        ({"temperature": "hot"}, "temperature='hot' is not allowed: .* sqrt_log_n, calibrated"),
        ({"temperature": "calibrated"}, "needs calibration=FILE.*`mgen-lc calibrate`"),
        ({"calibration": "a.json"}, "calibration='a.json' has no effect with temperature='log_n'"),
        ({"eval_scale": "long"}, "eval_scale='long' is not allowed: give one of length, factor"),
        ({"random_scale": "no"}, "random_scale='no' is not allowed: give true or false"),
        ({"seed": -1}, "seed=-1 is not allowed"),
        ({"lr_multiplier": 0.0}, "lr_multiplier=0.0 is not allowed"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        helix(SMALL, **options)


def test_parameters_of_another_geometry():
    other = helix(AIDO_DNA, delta="per_head")
    with pytest.raises(RuntimeError, match=r"size mismatch for delta.*\[16, 32\].*\[4, 8\]"):
        helix(SMALL, delta="per_head").load_state_dict(other.state_dict())
