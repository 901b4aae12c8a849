# SPDX-License-Identifier: Apache-2.0
"""A DNA encoder with an extended context, for plain transformers: torch and this folder, no more.

Loads with `AutoModelForMaskedLM.from_pretrained(FOLDER, trust_remote_code=True)`. The files beside
it are the positional method, as in the package modelgenerator-long-context.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import MaskedLMOutput

from .base import RotaryGeometry
from .configuration_long_dna import LongDnaConfig
from .positional_method import method
from .rotation import apply_rotary


def positional(geometry: RotaryGeometry, options: dict) -> nn.Module:
    """The method with its options; what calibration files said is among the weights."""
    if options.get("kappa_start") is not None:
        options = {**options, "kappa_start": None}
    if options.get("calibration") is None:
        return method(geometry, **options)
    made = method(geometry, **{**options, "temperature": "none", "calibration": None})
    made.temperature, made.calibration = options["temperature"], options["calibration"]
    made.register_buffer("logit_std", torch.ones(geometry.num_heads))
    return made


class RMSNorm(nn.Module):
    """Root mean square normalisation, in float32."""

    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * (wide * scale).to(x.dtype)


def norm(config: LongDnaConfig) -> nn.Module:
    """The configuration's normalisation."""
    kind = {"LayerNorm": nn.LayerNorm, "RMSNorm": RMSNorm}[config.normalization_type]
    return kind(config.hidden_size, eps=config.layer_norm_eps)


class SelfAttention(nn.Module):
    """Full attention over one row's own tokens; no score is stored."""

    def __init__(self, config: LongDnaConfig):
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.query, self.key, self.value = (
            nn.Linear(width, width, bias=config.add_linear_bias) for _ in range(3)
        )

    def forward(self, x: Tensor, table, sharpness: Tensor | None) -> Tensor:
        shape = (*x.shape[:2], self.heads, -1)
        q, k, v = (
            project(x).view(shape).transpose(1, 2)  # [B, H, S, head width]
            for project in (self.query, self.key, self.value)
        )
        q, k = apply_rotary(q, table), apply_rotary(k, table)
        if sharpness is not None:  # of each head of this layer [H]
            q = q * sharpness.to(q.dtype)[:, None, None]
        out = F.scaled_dot_product_attention(q, k, v)
        return out.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Attention with its normalisation before it and the residual around it."""

    def __init__(self, config: LongDnaConfig):
        super().__init__()
        self.ln = norm(config)
        self.self = SelfAttention(config)
        self.output = nn.ModuleDict(
            {
                "dense": nn.Linear(
                    config.hidden_size, config.hidden_size, bias=config.add_linear_bias
                )
            }
        )

    def forward(self, x: Tensor, table, sharpness: Tensor | None) -> Tensor:
        return x + self.output["dense"](self.self(self.ln(x), table, sharpness))


class SwiGLU(nn.Module):
    """Gated feed-forward."""

    def __init__(self, config: LongDnaConfig):
        super().__init__()
        wide, bias = config.intermediate_size, config.add_linear_bias
        self.up_proj = nn.Linear(config.hidden_size, wide, bias=bias)
        self.gate_proj = nn.Linear(config.hidden_size, wide, bias=bias)
        self.down_proj = nn.Linear(wide, config.hidden_size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One layer, normalised before each part."""

    def __init__(self, config: LongDnaConfig):
        super().__init__()
        self.attention = Attention(config)
        self.ln = norm(config)
        self.mlp = SwiGLU(config)

    def forward(self, x: Tensor, table, sharpness: Tensor | None) -> Tensor:
        x = self.attention(x, table, sharpness)
        return x + self.mlp(self.ln(x))


class Encoder(nn.Module):
    """Embedding, layers and final normalisation, with one rotary table a forward."""

    def __init__(self, config: LongDnaConfig):
        super().__init__()
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": nn.Embedding(
                    config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
                )
            }
        )
        layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.encoder = nn.ModuleDict({"layer": layers, "ln": norm(config)})
        head_width = config.hidden_size // config.num_attention_heads
        geometry = RotaryGeometry(
            rotary_dim=int(head_width * config.rotary_percent),
            num_heads=config.num_attention_heads,
            original_max_position_embeddings=config.max_position_embeddings,
            num_layers=config.num_hidden_layers,
        )
        self.rotary_pos_emb = positional(geometry, config.positional["options"])

    def forward(self, ids: Tensor) -> list[Tensor]:
        """Hidden states [B, S, width] before the layers and after each, the last normalised."""
        x = self.embeddings["word_embeddings"](ids)
        table = self.rotary_pos_emb(ids.shape[1], ids.device)
        if self.training:  # methods that draw at random draw anew for the next forward
            self.rotary_pos_emb.step += 1
        sharpness = self.rotary_pos_emb.layer_sharpness(ids.shape[1])
        states = [x]
        for index, layer in enumerate(self.encoder["layer"]):
            x = layer(x, table, None if sharpness is None else sharpness[index])
            states.append(x)
        return [*states[:-1], self.encoder["ln"](x)]


class Predictions(nn.Module):
    """Logits of the tokens, tied to the embedding."""

    def __init__(self, config: LongDnaConfig):
        super().__init__()
        self.transform = nn.ModuleDict(
            {"dense": nn.Linear(config.hidden_size, config.hidden_size), "LayerNorm": norm(config)}
        )
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.transform["LayerNorm"](F.gelu(self.transform["dense"](hidden)))
        return self.decoder(hidden) + self.bias


class LongDnaForMaskedLM(PreTrainedModel):
    """Masked language model of DNA; every row is encoded at its own length, without padding."""

    config_class = LongDnaConfig
    base_model_prefix = "bert"
    # Transformers 5 reads what is tied to what, 4 only the keys.
    _tied_weights_keys = {
        "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight"
    }

    def __init__(self, config: LongDnaConfig):
        super().__init__(config)
        self.bert = Encoder(config)
        self.cls = nn.ModuleDict({"predictions": Predictions(config)})
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.bert.embeddings["word_embeddings"]

    def get_output_embeddings(self) -> nn.Module:
        return self.cls["predictions"].decoder

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            module.weight.data.normal_(0.0, 0.02)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        **kwargs,
    ) -> MaskedLMOutput:
        """Logits [B, S, vocab], zero where padded; loss over labels that are not -100."""
        if attention_mask is None or bool(attention_mask.all()):
            states = self.bert(input_ids)
        else:
            keep = attention_mask.bool()
            rows = [self.bert(ids[own][None]) for ids, own in zip(input_ids, keep, strict=True)]
            states = [
                torch.cat([layer[0] for layer in layers]) for layers in zip(*rows, strict=True)
            ]
            blank = states[0].new_zeros(*input_ids.shape, states[0].shape[-1])
            states = [blank.masked_scatter(keep[..., None], state) for state in states]
        logits = self.cls["predictions"](states[-1])
        if attention_mask is not None:
            logits = logits * attention_mask[..., None]
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten())
        return MaskedLMOutput(
            loss=loss,
            logits=logits,
            hidden_states=tuple(states) if output_hidden_states else None,
        )
