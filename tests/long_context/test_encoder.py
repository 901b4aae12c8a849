# SPDX-License-Identifier: Apache-2.0
"""The installed encoder against upstream's own, and against itself in any batch."""

import copy
from functools import partial

import pytest
import torch

from modelgenerator.backbones.positional import ntk, pi, rope, yarn
from modelgenerator.long_context.encoder import install, rotary_geometry, uninstall
from modelgenerator.long_context.installation import base_encoder

ROPE = partial(rope, original_max_position_embeddings=512)
METHODS = {
    "rope": ROPE,
    "pi": partial(pi, factor=4.0, original_max_position_embeddings=64),
    "ntk": partial(ntk, factor=4.0, original_max_position_embeddings=64),
    "ntk_dynamic": partial(ntk, factor=4.0, dynamic=True, original_max_position_embeddings=64),
    "yarn": partial(yarn, factor=4.0, original_max_position_embeddings=64),
    "yarn_dynamic": partial(yarn, factor=4.0, dynamic=True, original_max_position_embeddings=64),
}


def ids(batch=2, length=130, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(5, 9, (batch, length), generator=generator)


def encode(task, input_ids, attention_mask=None, **kwargs):
    if attention_mask is None:
        attention_mask = torch.ones_like(input_ids)
    with torch.no_grad():
        return task.backbone(input_ids=input_ids, attention_mask=attention_mask, **kwargs)


def test_plain_rope_gives_upstreams_numbers(tiny_task):
    upstream, ours = tiny_task(), tiny_task(ROPE)
    x = encode(upstream, ids()).last_hidden_state
    torch.testing.assert_close(encode(ours, ids()).last_hidden_state, x, atol=1e-5, rtol=1e-5)


def test_plain_rope_gives_upstreams_numbers_on_padded_rows(tiny_task):
    mask = torch.ones_like(ids())
    mask[1, 100:] = 0
    upstream, ours = tiny_task(), tiny_task(ROPE)
    x = encode(upstream, ids(), mask).last_hidden_state
    y = encode(ours, ids(), mask).last_hidden_state
    torch.testing.assert_close(y[mask.bool()], x[mask.bool()], atol=1e-5, rtol=1e-5)
    assert (y[~mask.bool()] == 0).all()


def test_gradients_are_upstreams(tiny_task):
    losses, gradients = [], []
    for task in (tiny_task(), tiny_task(ROPE)):
        hidden = task.backbone(ids(), torch.ones_like(ids())).last_hidden_state
        loss = hidden.square().mean()
        loss.backward()
        losses.append(loss.detach())
        gradients.append(torch.cat([p.grad.flatten() for p in task.backbone.encoder.parameters()]))
    torch.testing.assert_close(losses[1], losses[0])
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-5, rtol=1e-3)


def test_state_dict_and_modules_keep_their_names(tiny_task):
    upstream, ours = tiny_task(), tiny_task(METHODS["yarn"])
    assert list(upstream.state_dict()) == list(ours.state_dict())
    linear = [n for n, m in ours.named_modules() if isinstance(m, torch.nn.Linear)]
    assert linear == [n for n, m in upstream.named_modules() if isinstance(m, torch.nn.Linear)]


def test_uninstall_restores_upstream_bit_for_bit(tiny_task):
    task = tiny_task()
    before = encode(task, ids()).last_hidden_state
    model = base_encoder(task.backbone)
    stock = model.rotary_pos_emb
    install(model, METHODS["yarn"](rotary_geometry(model.config, from_scratch=True)))
    assert not torch.equal(encode(task, ids()).last_hidden_state, before)
    uninstall(model, stock)
    assert torch.equal(encode(task, ids()).last_hidden_state, before)


@pytest.mark.parametrize("name", METHODS)
def test_a_row_is_the_same_alone_and_in_any_batch(tiny_task, name):
    task = tiny_task(METHODS[name])
    lengths = (130, 50, 66, 67)  # around the original context of 64 and its two special tokens
    rows = [ids(1, n, seed=n)[0] for n in lengths]
    batch = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(r) for r in rows], batch_first=True)
    together = encode(task, batch, mask).last_hidden_state
    for row, hidden in zip(rows, together, strict=True):
        alone = encode(task, row[None]).last_hidden_state[0]
        torch.testing.assert_close(hidden[: len(row)], alone, atol=2e-5, rtol=1e-4)


def test_left_padding_and_a_row_of_padding_alone(tiny_task):
    task = tiny_task(METHODS["yarn_dynamic"])
    row = ids(1, 80)
    batch = torch.zeros(2, 100, dtype=torch.long)
    mask = torch.zeros_like(batch)
    batch[0, 20:], mask[0, 20:] = row[0], 1
    hidden = encode(task, batch, mask).last_hidden_state
    alone = encode(task, row).last_hidden_state[0]
    torch.testing.assert_close(hidden[0, 20:], alone, atol=2e-5, rtol=1e-4)
    assert (hidden[1] == 0).all()


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ([[1] * 9, [1, 1, 0, 1, 1, 1, 1, 0, 0]], "attention_mask has gaps within a row"),
        ([[0] * 9] * 2, "attention_mask leaves no token"),
        ([[[1] * 8 + [0]] * 9] * 2, r"attention_mask of shape \[2, 9, 9\] .* give one of \[2, 9\]"),
    ],
)
def test_masks_that_are_no_padding_are_refused(tiny_task, mask, message):
    with pytest.raises(ValueError, match=message):
        encode(tiny_task(METHODS["yarn"]), ids(2, 9), torch.tensor(mask))


def test_attention_factor_acts_on_logits(tiny_task):
    """A factor m on cos and sin multiplies logits by m^2, as scaling the query by m^2 would."""
    sharp = partial(yarn, factor=1.0, attention_factor=1.2, original_max_position_embeddings=512)
    ours, plain = tiny_task(sharp), tiny_task(ROPE)
    for layer in base_encoder(plain.backbone).encoder.layer:
        query = layer.attention.self.query
        query.weight.data *= 1.44
        query.bias.data *= 1.44
    x, y = (encode(task, ids()).last_hidden_state for task in (plain, ours))
    torch.testing.assert_close(y, x, atol=1e-5, rtol=1e-4)


class ByLayer(rope):
    """Plain RoPE whose heads get sharper with the length, each of each layer by its own power."""

    def layer_sharpness(self, seq_len):
        return (seq_len / 50) ** torch.linspace(0, 1, 8).reshape(2, 4)


BY_LAYER = partial(ByLayer, original_max_position_embeddings=512)


def test_sharpness_by_layer_acts_on_logits(tiny_task):
    ours, plain = tiny_task(BY_LAYER), tiny_task(ROPE)
    factors = base_encoder(ours.backbone).rotary_pos_emb.layer_sharpness(130)
    for layer, heads in zip(base_encoder(plain.backbone).encoder.layer, factors, strict=True):
        query = layer.attention.self.query
        scale = heads.repeat_interleave(query.out_features // 4)
        query.weight.data *= scale[:, None]
        query.bias.data *= scale
    x, y = (encode(task, ids()).last_hidden_state for task in (plain, ours))
    torch.testing.assert_close(y, x, atol=1e-5, rtol=1e-4)


def test_sharpness_by_layer_is_that_of_each_rows_own_length(tiny_task):
    task = tiny_task(BY_LAYER)
    mask = torch.ones_like(ids())
    mask[1, 70:] = 0
    both = encode(task, ids(), mask).last_hidden_state
    alone = encode(task, ids()[1:, :70]).last_hidden_state
    torch.testing.assert_close(both[1:, :70], alone, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        both[:1], encode(task, ids()[:1]).last_hidden_state, atol=1e-5, rtol=1e-4
    )


def test_positions_are_relative(tiny_task):
    """Reversing the tokens and the frequencies' sign reverses the output."""
    task = tiny_task(ROPE)
    forward = encode(task, ids()).last_hidden_state

    class Backwards(rope):
        def inverse_frequencies(self, seq_len):
            return -super().inverse_frequencies(seq_len)

    model = base_encoder(task.backbone)
    install(model, Backwards(rotary_geometry(model.config, True), 512))
    backward = encode(task, ids().flip(1)).last_hidden_state.flip(1)
    torch.testing.assert_close(backward, forward, atol=2e-5, rtol=1e-4)


def test_hidden_states_are_kept_only_when_asked_for(tiny_task):
    task = tiny_task(METHODS["yarn"])
    seen = []
    base_encoder(task.backbone).register_forward_hook(
        lambda module, args, output: seen.append(output.hidden_states)
    )
    assert encode(task, ids()).hidden_states is None
    assert seen == [None]
    states = encode(task, ids(), all_hidden_states=True).hidden_states
    assert len(states) == 3
    upstream = encode(tiny_task(), ids(), all_hidden_states=True).hidden_states
    assert [s.shape for s in states] == [s.shape for s in upstream]
    assert base_encoder(task.backbone)(ids(), output_hidden_states=True).hidden_states is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [("output_attentions", True), ("head_mask", torch.ones(4)), ("past_key_values", ())],
)
def test_what_needs_attention_probabilities_is_refused(tiny_task, name, value):
    model = base_encoder(tiny_task(METHODS["yarn"]).backbone)
    with pytest.raises(ValueError, match=f"{name} cannot be used with `model.pe`"):
        model(ids(), **{name: value})


def test_input_embeddings_work_where_upstream_fails(tiny_task):
    model = base_encoder(tiny_task(METHODS["yarn"]).backbone)
    with torch.no_grad():
        embedded = model(inputs_embeds=model.get_input_embeddings()(ids())).last_hidden_state
        assert torch.equal(embedded, model(ids()).last_hidden_state)
    with pytest.raises(ValueError, match="exactly one of input_ids and inputs_embeds"):
        model()


def test_an_encoder_without_rotary_embedding_is_refused():
    geometry = rotary_geometry.__globals__["RotaryGeometry"](16, 4, 10000.0, 512)
    with pytest.raises(ValueError, match="Linear .* has none. Use an AIDO.DNA or AIDO.RNA"):
        install(torch.nn.Linear(2, 2), rope(geometry))


def test_bfloat16_keeps_frequencies_exact(tiny_task):
    task = tiny_task(METHODS["yarn"])
    exact = base_encoder(task.backbone).rotary_pos_emb(300)
    before = encode(task, ids()).last_hidden_state
    with torch.autocast("cpu", torch.bfloat16):
        autocast = encode(task, ids()).last_hidden_state
        assert torch.equal(base_encoder(task.backbone).rotary_pos_emb(300).cos, exact.cos)
    task.to(torch.bfloat16)
    table = base_encoder(task.backbone).rotary_pos_emb(300)
    assert table.cos.dtype == torch.float32
    assert torch.equal(table.sin, exact.sin)
    half = encode(task, ids()).last_hidden_state
    for other in (autocast, half):
        assert torch.nn.functional.cosine_similarity(other.float(), before, dim=-1).min() > 0.99


def test_lora_and_copies_of_the_model(tiny_task):
    torch.manual_seed(0)
    task = tiny_task(METHODS["yarn"], use_peft=True)
    trainable = [n for n, p in task.named_parameters() if p.requires_grad and "lora" in n]
    assert len(trainable) == 2 * 2 * 2  # A and B of query and value, in two layers
    before = encode(task, ids()).last_hidden_state
    twin = copy.deepcopy(task)
    assert torch.equal(encode(twin, ids()).last_hidden_state, before)
    task.backbone(ids(), torch.ones_like(ids())).last_hidden_state.sum().backward()
    # LoRA's B starts at zero, so at first only B gets a gradient.
    assert all(p.grad.abs().sum() > 0 for n, p in task.named_parameters() if "lora_B" in n)


def test_recomputed_layers_give_the_same_loss_and_gradients(tiny_task):
    outcomes = []
    for checkpointing in (False, True):
        task = tiny_task(METHODS["yarn"]).train()
        if checkpointing:
            base_encoder(task.backbone).gradient_checkpointing_enable({"use_reentrant": False})
        mask = torch.ones_like(ids())
        mask[1, 90:] = 0
        loss = task.backbone(ids(), mask).last_hidden_state.square().mean()
        loss.backward()
        outcomes.append([loss.detach()] + [p.grad for p in task.backbone.encoder.parameters()])
    for plain, recomputed in zip(*outcomes, strict=True):
        assert torch.equal(plain, recomputed)


def test_partial_rotary_leaves_the_other_channels(tiny_task):
    overwrites = {"config_overwrites": {"rotary_percent": 0.5}}
    upstream = tiny_task(**copy.deepcopy(overwrites))
    ours = tiny_task(ROPE, **copy.deepcopy(overwrites))
    assert base_encoder(ours.backbone).rotary_pos_emb.geometry.rotary_dim == 32
    x, y = (encode(task, ids()).last_hidden_state for task in (upstream, ours))
    torch.testing.assert_close(y, x, atol=1e-5, rtol=1e-5)
