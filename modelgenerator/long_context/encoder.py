# SPDX-License-Identifier: Apache-2.0
"""The seam to upstream's encoder: a swapped rotary embedding and attention without an s x s tensor.

The only file that knows upstream's encoder classes. `install` changes the class of two kinds of
module on one encoder instance and its rotary embedding, and nothing else: parameters, their names,
state-dict keys and LoRA targets stay upstream's, and `uninstall` puts everything back.
"""

import math
import warnings
from typing import NamedTuple, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributed import ProcessGroup
from torch.nn.attention import SDPBackend
from transformers.modeling_outputs import BaseModelOutputWithPoolingAndCrossAttentions

from modelgenerator.backbones.positional import (
    SPECIAL_TOKENS,
    RotaryEmbedding,
    RotaryGeometry,
    RotaryTable,
    apply_rotary,
)
from modelgenerator.huggingface_models.rnabert.modeling_rnabert import (
    RNABertModel,
    RNABertSelfAttention,
)
from modelgenerator.long_context.context_parallel import (
    TokenShards,
    divide,
    gather,
    to_heads,
    to_tokens,
)
from modelgenerator.long_context.kernels import report_kernel


class Rows(NamedTuple):
    """What attention must know of the tokens of a batch.

    Attributes:
        table: Rotary table of the tokens that this process holds.
        lengths: Tokens of each sequence when the batch is packed into one row of [1, total, width];
            None when every row of [batch, seq_len, width] is one whole sequence.
        shards: How the tokens are divided when several processes share them.
        sharpness: Factor on the logits by layer, head and token [layers, H, n], or [layers, H, 1]
            for all tokens alike; None where layers do not differ.
    """

    table: RotaryTable
    lengths: Optional[tuple[int, ...]] = None
    shards: Optional[TokenShards] = None
    sharpness: Optional[Tensor] = None


class LongSelfAttention(RNABertSelfAttention):
    """Self-attention over whole sequences through `scaled_dot_product_attention`.

    Takes `Rows` where upstream takes rotary angles. Memory grows with the sequence length, not with
    its square, as no score is ever stored.
    """

    layer_index: int  # from 0; `install` sets it

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Optional[Tensor] = None,
        head_mask: Optional[Tensor] = None,
        encoder_hidden_states: Optional[Tensor] = None,
        encoder_attention_mask: Optional[Tensor] = None,
        past_key_value: Optional[tuple] = None,
        output_attentions: Optional[bool] = False,
        rotary_pos_emb: Optional[Rows] = None,
    ) -> tuple[Tensor]:
        rows = rotary_pos_emb
        batch, tokens, _ = hidden_states.shape
        hidden_states = hidden_states.to(_compute_dtype(hidden_states))  # autocast would thrice
        shape = (batch, tokens, self.num_attention_heads, self.attention_head_size)
        query = self.query(hidden_states).view(shape).transpose(1, 2)  # [B, H, S, Dh]
        key = self.key(hidden_states).view(shape).transpose(1, 2)
        value = self.value(hidden_states).view(shape).transpose(1, 2)
        query, key = self.rotate(query, rows), apply_rotary(key, rows.table)
        if rows.shards is not None:
            together = to_heads(torch.cat((query, key, value), dim=-1), rows.shards)
            query, key, value = together.chunk(3, dim=-1)
        if rows.lengths is None:
            context = self._attend(query, key, value)
        else:
            parts = (part.split(rows.lengths, dim=2) for part in (query, key, value))
            context = torch.cat([self._attend(*qkv) for qkv in zip(*parts, strict=True)], dim=2)
        if rows.shards is not None:
            context = to_tokens(context, rows.shards)
        return (context.transpose(1, 2).reshape(batch, tokens, self.all_head_size),)

    def rotate(self, query: Tensor, rows: Rows) -> Tensor:
        """Queries [B, H, S, Dh] rotated, and as much sharper as this layer is."""
        query = apply_rotary(query, rows.table)
        if rows.sharpness is None:
            return query
        return query * rows.sharpness[self.layer_index].to(query.dtype)[..., None]

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        dropout = self.dropout.p if self.training else 0.0
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)


class LongModel(RNABertModel):
    """Upstream's encoder with one rotary table a forward and no attention mask.

    Padding is taken out before the first layer and put back, as zeros, after the last: a sequence
    gives the same result alone and in any batch, whatever its method makes of its length.
    """

    # A backbone asks for all hidden states at every call; only a task knows whether it wants them.
    drop_hidden_states = False
    # Processes that share every sequence, each with some of its tokens; None: no sharing.
    context_parallel_group: Optional[ProcessGroup] = None
    _warned = False
    _kernel: Optional[SDPBackend] = None

    def forward(
        self,
        input_ids: Optional[Tensor] = None,
        attention_mask: Optional[Tensor] = None,
        token_type_ids: Optional[Tensor] = None,
        position_ids: Optional[Tensor] = None,
        head_mask: Optional[Tensor] = None,
        inputs_embeds: Optional[Tensor] = None,
        encoder_hidden_states: Optional[Tensor] = None,
        encoder_attention_mask: Optional[Tensor] = None,
        past_key_values: Optional[tuple] = None,
        use_cache: Optional[bool] = None,
        output_attentions: Optional[bool] = None,
        output_hidden_states: Optional[bool] = None,
        return_dict: Optional[bool] = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Encode token ids [batch, seq_len] into hidden states [batch, seq_len, hidden].

        Raises:
            ValueError: If attention probabilities or a head mask are asked for, or anything that
                only a decoder has, as no attention probability is ever formed; if not exactly one
                of `input_ids` and `inputs_embeds` is given; or if the mask is not of whole rows
                with padding around them.
        """
        refused = {
            "output_attentions": output_attentions or self.config.output_attentions,
            "head_mask": head_mask is not None,
            "encoder_hidden_states": encoder_hidden_states is not None,
            "past_key_values": past_key_values is not None,
        }
        if any(refused.values()):
            names = ", ".join(name for name, asked in refused.items() if asked)
            raise ValueError(
                f"{names} cannot be used with `model.pe`: the long-context encoder never forms "
                "attention probabilities. Leave it out, or leave `model.pe` out to run upstream's "
                "own encoder on sequences short enough for it."
            )
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give exactly one of input_ids and inputs_embeds.")
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        if return_dict is None:
            return_dict = self.config.use_return_dict

        longest = (input_ids if inputs_embeds is None else inputs_embeds).shape[1]
        if not self._warned:
            self._warned = warn_if_beyond(self.rotary_pos_emb, longest - SPECIAL_TOKENS)

        hidden = self.embeddings(input_ids=input_ids, inputs_embeds=inputs_embeds)
        tokens = hidden.shape[1]
        keep = None if attention_mask is None else attention_mask.bool()
        if keep is None or bool(keep.all()):
            keep, lengths = None, None
            table = self.rotary_pos_emb(hidden.shape[1], hidden.device)
        else:
            _check_mask(keep, hidden)
            lengths = tuple(n for n in keep.sum(dim=1).tolist() if n)
            table_of = {n: self.rotary_pos_emb(n, hidden.device) for n in set(lengths)}
            table = RotaryTable(
                *(torch.cat(part, dim=-2) for part in zip(*map(table_of.get, lengths), strict=True))
            )
            hidden = hidden[keep].unsqueeze(0)  # [1, total, hidden]
        dtype = _compute_dtype(hidden)
        if not table.cos.requires_grad:  # what is learned gets its gradients in float32
            table = RotaryTable(table.cos.to(dtype), table.sin.to(dtype))
        if self._kernel is None:
            self._kernel = self._report_kernel(hidden, lengths, dtype)
        shards = None
        if self.context_parallel_group is not None:
            shards = divide(hidden.shape[1], self.context_parallel_group)
            hidden = shards.own(hidden, dim=1)
            table = RotaryTable(*(shards.own(part, dim=-2) for part in table))
        sharpness = self._sharpness(lengths or (tokens,))
        if shards is not None and sharpness is not None and sharpness.shape[-1] > 1:
            sharpness = shards.own(sharpness, dim=-1)

        output = self.encoder(
            hidden,
            output_hidden_states=output_hidden_states and not self.drop_hidden_states,
            rotary_pos_emb=Rows(table, lengths, shards, sharpness),
        )
        last = _unpack(_whole(output.last_hidden_state, shards), keep)
        states = output.hidden_states
        if states is not None:
            states = tuple(_unpack(_whole(state, shards), keep) for state in states)
        pooled = self.pooler(last) if self.pooler is not None else None
        if not return_dict:
            return (last, pooled) + (() if states is None else (states,))
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=last, pooler_output=pooled, hidden_states=states
        )

    def _sharpness(self, lengths: tuple[int, ...]) -> Optional[Tensor]:
        """Factor on the logits of every layer, for sequences of these lengths in one row."""
        found = [self.rotary_pos_emb.layer_sharpness(n) for n in lengths]
        if found[0] is None:
            return None
        if len(found) == 1:
            return found[0][..., None]
        return torch.cat(
            [x[..., None].expand(-1, -1, n) for x, n in zip(found, lengths, strict=True)], dim=-1
        )

    def _report_kernel(
        self, hidden: Tensor, lengths: Optional[tuple[int, ...]], dtype: torch.dtype
    ) -> SDPBackend:
        config = self.config
        return report_kernel(
            batch=hidden.shape[0],
            tokens=max(lengths) if lengths else hidden.shape[1],
            num_heads=config.num_attention_heads,
            head_dim=config.hidden_size // config.num_attention_heads,
            dtype=dtype,
            device=hidden.device,
            dropout=config.attention_probs_dropout_prob if self.training else 0.0,
        )


def _check_mask(keep: Tensor, hidden: Tensor) -> None:
    """Refuse what cannot be packed: a token after a gap would come to stand beside another."""
    if keep.shape != hidden.shape[:2]:
        raise ValueError(
            f"attention_mask of shape {list(keep.shape)} is not allowed with `model.pe`: give one "
            f"of {list(hidden.shape[:2])}, 1 for tokens and 0 for padding."
        )
    starts = keep.int().diff(dim=1, prepend=keep.new_zeros(len(keep), 1).int()).eq(1).sum(dim=1)
    most = int(starts.max())
    if most != 1:
        found = "has gaps within a row" if most > 1 else "leaves no token"
        raise ValueError(
            f"attention_mask {found}: with `model.pe` padding is before or after the tokens of a "
            "row. Give the tokens of a row without gaps."
        )


def _compute_dtype(hidden: Tensor) -> torch.dtype:
    """The type that linear layers give their results in."""
    kind = hidden.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype


def _whole(x: Tensor, shards: Optional[TokenShards]) -> Tensor:
    """The tokens of all processes, where they are shared."""
    return x if shards is None else gather(x, shards)


def _unpack(packed: Tensor, keep: Optional[Tensor]) -> Tensor:
    """Packed tokens [1, total, width] back to [batch, seq_len, width], zero where padded."""
    if keep is None:
        return packed
    return packed.new_zeros(*keep.shape, packed.shape[-1]).masked_scatter(keep[..., None], packed)


def warn_if_beyond(embedding: RotaryEmbedding, nucleotides: int) -> bool:
    """Warn of windows longer than a method was set up for; whether it did."""
    reach = embedding.max_position_embeddings
    if nucleotides <= reach:
        return False
    original = embedding.original_max_position_embeddings
    warnings.warn(
        f"Windows of {nucleotides:,} nt are longer than the {reach:,} nt that model.pe "
        f"({type(embedding).__name__}) was set up for from an original context of {original:,} nt. "
        f"A factor of {math.ceil(nucleotides / original)} would cover them.",
        stacklevel=2,
    )
    return True


def rotary_geometry(config, from_scratch: bool) -> RotaryGeometry:
    """What the encoder's configuration says of its rotary embedding.

    A configuration made from scratch says 512 positions whatever was meant, so its original
    context is left open and the method must be told.
    """
    head_dim = config.hidden_size // config.num_attention_heads
    percent = config.rotary_percent
    return RotaryGeometry(
        rotary_dim=head_dim if percent >= 1.0 else int(head_dim * percent),
        num_heads=config.num_attention_heads,
        base=10000.0,  # upstream never passes another one on to its RotaryEmbedding
        original_max_position_embeddings=None if from_scratch else config.max_position_embeddings,
        num_layers=config.num_hidden_layers,
    )


def install(model: RNABertModel, embedding: RotaryEmbedding) -> None:
    """Give an encoder instance a rotary embedding and attention of linear memory.

    Installing again replaces the embedding.

    Args:
        model: Upstream's encoder, with or without LoRA on its linear layers.
        embedding: The positional method.

    Raises:
        ValueError: If the model is not upstream's rotary encoder.
    """
    if not isinstance(model, RNABertModel) or model.config.position_embedding_type != "rope":
        kind = getattr(getattr(model, "config", None), "position_embedding_type", None)
        raise ValueError(
            f"`model.pe` needs an encoder with rotary position embeddings; {type(model).__name__} "
            f"(position_embedding_type={kind!r}) has none. Use an AIDO.DNA or AIDO.RNA backbone."
        )
    model.__class__ = LongModel
    model.rotary_pos_emb = embedding
    for index, layer in enumerate(model.encoder.layer):
        layer.attention.self.__class__ = LongSelfAttention
        layer.attention.self.layer_index = index


def uninstall(model: LongModel, rotary_pos_emb: nn.Module) -> None:
    """Give an encoder its upstream classes and the rotary embedding it had before `install`."""
    model.__class__ = RNABertModel
    model.rotary_pos_emb = rotary_pos_emb
    for layer in model.encoder.layer:
        layer.attention.self.__class__ = RNABertSelfAttention
        del layer.attention.self.layer_index
