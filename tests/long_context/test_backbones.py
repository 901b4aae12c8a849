# SPDX-License-Identifier: Apache-2.0
"""The shipped encoder and the shipped genomes."""

import gzip
import hashlib
import re
from functools import partial

import pytest
import torch

from modelgenerator.backbones import LegacyAdapterType
from modelgenerator.backbones.positional import apply_rotary, rope
from modelgenerator.long_context.backbones import ASSETS, LOCAL_OFFSETS, aido_dna_tiny
from modelgenerator.long_context.installation import base_encoder
from modelgenerator.tasks import MLM

ROPE = partial(rope, original_max_position_embeddings=512)


def test_shape_of_aido_dna_in_small():
    backbone = aido_dna_tiny(LegacyAdapterType.MASKED_LM, None)
    backbone.setup()
    config = backbone.encoder.config
    assert config.hidden_size // config.num_attention_heads == 64  # as AIDO.DNA-300M
    assert config.max_position_embeddings == 512
    assert config.normalization_type == "LayerNorm"
    assert config.vocab_size == 16
    decoder = backbone.decoder.predictions.decoder.weight
    assert torch.equal(decoder, backbone.encoder.embeddings.word_embeddings.weight), "tied"


def test_weights_are_small_enough_to_ship():
    assert (ASSETS / "aido_dna_tiny/model.safetensors").stat().st_size <= 12e6


def test_it_knows_dna_and_copies():
    """A masked base whose copy stands elsewhere in the window is recovered; a lone one seldom."""
    task = MLM(aido_dna_tiny, pe=rope)
    task.configure_model()
    task.eval()
    letters = "ACGT"
    generator = torch.Generator().manual_seed(0)
    random = "".join(letters[i] for i in torch.randint(0, 4, (400,), generator=generator))
    window = list(random[:300] + random[100:148] + random[300:])  # a copy of 48 at distance 200
    inside, outside = range(304, 346, 6), range(10, 90, 6)
    truth = {at: window[at] for at in (*inside, *outside)}
    for at in truth:
        window[at] = "[MASK]"
    batch = task.transform({"sequences": ["".join(window)]})
    with torch.no_grad():
        best = task(batch)[0, 1:-1].argmax(-1)
    vocabulary = task.backbone.decode_tokens(best[:, None])
    hits = {at: vocabulary[at].strip() == letter for at, letter in truth.items()}
    assert sum(hits[at] for at in inside) >= 5, "of 7"
    assert sum(hits[at] for at in outside) <= 10, "of 14: nothing to go by"


@pytest.mark.parametrize("rotary_percent", [1.0, 0.5])
def test_heads_start_on_single_neighbours(tiny_task, rotary_percent):
    """Without any training, head h of layer l looks at the offset given for it."""
    task = tiny_task(ROPE, config_overwrites={"rotary_percent": rotary_percent})
    model = base_encoder(task.backbone)
    table = model.rotary_pos_emb(66)
    for layer, offsets in zip(model.encoder.layer, LOCAL_OFFSETS, strict=True):
        attention = layer.attention.self
        query, key = (
            apply_rotary(bias.view(1, 4, 1, 64).expand(1, 4, 66, 64), table)
            for bias in (attention.query.bias.data, attention.key.bias.data)
        )
        weights = (query @ key.transpose(-1, -2) / 8).softmax(-1)[0]  # [H, n, n]
        for head, offset in enumerate(offsets):
            assert weights[head, 30].argmax() == 30 + offset
            assert weights[head, 30].max() > 0.9


def test_weights_folder_is_checked():
    with pytest.raises(ValueError, match="weights: no model.safetensors in 'nowhere'"):
        aido_dna_tiny(None, None, weights="nowhere")
    with pytest.raises(ValueError, match="weights='nowhere' has no effect with from_scratch=True"):
        aido_dna_tiny(None, None, weights="nowhere", from_scratch=True)


def test_heads_narrower_than_the_local_channels(tiny_task):
    narrow = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
    assert torch.isfinite(
        tiny_task(ROPE, config_overwrites=narrow)
        .backbone(torch.full((1, 9), 5), None)
        .last_hidden_state
    ).all()


@pytest.mark.parametrize(
    "path", sorted((ASSETS / "genomes").rglob("*.fa.gz")), ids=lambda p: p.name
)
def test_genomes_are_what_their_readme_says(path):
    readme = (ASSETS / "genomes/README.md").read_text()
    content = path.read_bytes()
    assert f"`{path.name}` | `{hashlib.sha256(content).hexdigest()}`" in readme
    head, *lines = gzip.decompress(content).decode().splitlines()
    record, sequence = head[1:].split()[0], "".join(lines)
    assert f"`{record}` | `{hashlib.sha256(sequence.encode()).hexdigest()}`" in readme
    assert f"{len(sequence):,}" in readme
    assert re.fullmatch("[ACGTN]+", sequence)
