# SPDX-License-Identifier: Apache-2.0
"""Configuration of a DNA encoder with an extended context; goes with modeling_long_dna.py."""

from transformers import PretrainedConfig


class LongDnaConfig(PretrainedConfig):
    """Shape of the encoder and the positional method it was extended with.

    Args:
        vocab_size: Tokens.
        hidden_size: Width.
        num_hidden_layers: Layers.
        num_attention_heads: Heads of a layer.
        intermediate_size: Width of the SwiGLU feed-forward.
        layer_norm_eps: Epsilon of every normalisation.
        normalization_type: LayerNorm or RMSNorm.
        add_linear_bias: Whether linear layers have biases.
        rotary_percent: Share of a head's channels that rotate.
        max_position_embeddings: Context of the pretraining, in nucleotides.
        extended_max_position_embeddings: Context that `positional` was set up for, in nucleotides.
        positional: `method`, a name, and `options`, what it was made with.
    """

    model_type = "long_dna"

    def __init__(
        self,
        vocab_size: int = 16,
        hidden_size: int = 1024,
        num_hidden_layers: int = 24,
        num_attention_heads: int = 16,
        intermediate_size: int = 2816,
        layer_norm_eps: float = 1e-5,
        normalization_type: str = "LayerNorm",
        add_linear_bias: bool = True,
        rotary_percent: float = 1.0,
        max_position_embeddings: int = 4000,
        extended_max_position_embeddings: int = 64000,
        positional: dict | None = None,
        pad_token_id: int = 0,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.layer_norm_eps = layer_norm_eps
        self.normalization_type = normalization_type
        self.add_linear_bias = add_linear_bias
        self.rotary_percent = rotary_percent
        self.max_position_embeddings = max_position_embeddings
        self.extended_max_position_embeddings = extended_max_position_embeddings
        self.positional = positional or {"method": "rope", "options": {}}
        super().__init__(pad_token_id=pad_token_id, **kwargs)
