# SPDX-License-Identifier: Apache-2.0
"""AIDO.DNA's tokenizer as a tokenizer.json: one token a nucleotide, [CLS] before, [SEP] after."""

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


def nucleotide_tokenizer(tokens: list[str], longest: int) -> PreTrainedTokenizerFast:
    """A tokenizer that plain transformers loads, without code of its own.

    Lower case counts as upper case, as in GenomeWindows; letters that are no token become [UNK].

    Args:
        tokens: The vocabulary, in the order of its ids.
        longest: Nucleotides the model was extended to; longer input is warned of.
    """
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    letters = [token for token in tokens if len(token) == 1]
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(letter.lower(), letter) for letter in letters]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    names = ("pad", "mask", "cls", "sep", "unk")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=longest + 2,
        model_input_names=["input_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in names},
    )
