"""Begin the network's table with what an encoder knows of words. Needs PyTorch (the `train` extra).

The encoder reads each word by itself; a table of character n-grams is fitted so that a word's rows sum up to
what it made of it. So words that mean alike begin alike, and a new spelling near the old one, before any
comment was learnt (Bojanowski et al. 2017 learn such tables from text; here an encoder has read it already).
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from classifier.encoders import Encoder, load_encoder
from classifier.hashing import hash_words
from classifier.teacher import padded_tokens

Progress = Callable[[str], None]
Floats = NDArray[np.float32]
# What was seen once may be anything; of the rest, so many of the most frequent are read.
_FEWEST, _MOST_WORDS, _LONGEST_WORD = 2, 1 << 17, 40
_READ_AT_ONCE = 1024
# As wide as vectors begin that are drawn at random, so nothing else about learning changes.
_SPREAD, _NOISE = 0.12, 0.03
_ROUNDS, _BATCH, _RATE = 6, 1024, 5e-3
# A word counts by the root of how often it is seen, but not by more than this, and between these bounds.
_MOST_SEEN, _COUNTS_LEAST, _COUNTS_MOST = 50, 0.2, 3.0


def first_table(
    words: Sequence[str],
    seen: NDArray[np.int64],
    encoder: Encoder,
    sizes: tuple[int, int],
    seed: int,
    progress: Progress = print,
) -> Floats:
    """Rows (2**bits, width) for `sizes`, (bits, width), from words and how often each is seen (n,).

    ModelError when the encoder's package is missing.
    """
    bits, width = sizes
    frequent = np.argsort(-seen, kind="stable")[:_MOST_WORDS]
    frequent = frequent[seen[frequent] >= _FEWEST]
    chosen = [words[i] for i in frequent.tolist()]
    counts = np.sqrt(np.minimum(seen[frequent], _MOST_SEEN))
    progress(f"the encoder reads {len(chosen)} words")
    aims = _directions(_read(chosen, encoder), counts / counts.sum(), width)
    return _fitted(chosen, aims, counts / counts.mean(), bits, seed)


def _read(words: Sequence[str], encoder: Encoder) -> Floats:
    """What the encoder makes of each word by itself: the mean over its tokens (n, size)."""
    network, encode, padding = load_encoder(encoder)
    network.eval()
    encoded = encode([word[:_LONGEST_WORD] for word in words])
    found = np.empty((len(words), network.config.hidden_size), np.float32)
    order = np.argsort([len(tokens) for tokens in encoded], kind="stable")
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for first in range(0, len(order), _READ_AT_ONCE):
            part = order[first : first + _READ_AT_ONCE]
            ids, there = padded_tokens([encoded[i] for i in part.tolist()], padding)
            states = network(input_ids=ids, attention_mask=there).last_hidden_state.float()
            # Not of the first and the last token: they stand for no part of the word.
            inside = functional.pad(there[:, 2:], (1, 1))[..., None].float()
            found[part] = ((states * inside).sum(1) / inside.sum(1).clamp(min=1)).numpy()
    return found


def _directions(vectors: Floats, shares: NDArray[np.float64], width: int) -> Floats:
    """Where the words differ most (n, width): principal components of the vectors at length 1."""
    apart = vectors - shares @ vectors
    apart /= np.linalg.norm(apart, axis=1, keepdims=True) + 1e-9
    _, directions = np.linalg.eigh((apart * shares[:, None]).T @ apart)
    found = apart @ directions[:, ::-1][:, :width]
    return np.asarray(found * (_SPREAD / found.std(axis=0).mean()), dtype=np.float32)


def _fitted(words: Sequence[str], aims: Floats, counts: NDArray[np.float64], bits: int, seed: int) -> Floats:
    """A table (2**bits, width) of n-grams whose rows sum up to the words' aims, as `network` adds them."""
    torch.manual_seed(seed)
    hashed = hash_words(words, bits)
    columns = np.insert(hashed.columns, hashed.starts, hashed.own)
    sizes = hashed.counts + 1
    starts = np.cumsum(sizes) - sizes
    table = torch.nn.EmbeddingBag(1 << bits, aims.shape[1], mode="sum")
    torch.nn.init.normal_(table.weight, std=_NOISE)
    optimiser = torch.optim.Adam(table.parameters(), lr=_RATE)
    each = torch.from_numpy(counts.clip(_COUNTS_LEAST, _COUNTS_MOST).astype(np.float32))
    draw = np.random.default_rng(seed)
    for _ in range(_ROUNDS):
        for part in np.array_split(draw.permutation(len(words)), max(1, len(words) // _BATCH)):
            size = sizes[part]
            begins = np.cumsum(size) - size
            within = np.arange(size.sum()) + np.repeat(starts[part] - begins, size)
            sums = table(torch.from_numpy(columns[within]), torch.from_numpy(begins))
            made = sums / torch.from_numpy(size.astype(np.float32)).sqrt()[:, None]
            errors = (made - torch.from_numpy(aims[part])).square().mean(1)
            optimiser.zero_grad()
            (errors * each[part]).mean().backward()
            optimiser.step()
    return np.asarray(table.weight.detach().numpy(), dtype=np.float32).copy()
