"""An encoder small enough for a test: one layer that knows nothing, and numbers of words for a tokenizer."""

from collections.abc import Callable, Sequence

from transformers import BertConfig, BertModel

_WORDS, _PADDING = 512, 0
_SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def small_encoder(_: object) -> tuple[BertModel, Callable[[Sequence[str]], list[list[int]]], int]:
    """What `encoders.load_encoder` gives."""
    known: dict[str, int] = {}

    def encode(texts: Sequence[str]) -> list[list[int]]:
        return [[1, *(known.setdefault(word, 2 + len(known)) for word in text.split()), 1] for text in texts]

    return BertModel(BertConfig(vocab_size=_WORDS, **_SIZES), add_pooling_layer=False), encode, _PADDING
