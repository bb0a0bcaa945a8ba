"""Which parts of a comment raised a score, and by how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifier.categories import CATEGORIES
from classifier.facts import body_of
from classifier.network import Network
from classifier.text import Piece, located_pieces, parted, tokens
from classifier.vocabulary import Read

if TYPE_CHECKING:
    from classifier.model import Correction

Floats = NDArray[np.float64]
# A part counts as a reason from this share of the strongest part's weight, and from this weight, in log-odds.
_LEAST_SHARE, _LEAST_WEIGHT = 0.25, 0.2
# What a word does not begin or end with, when a person points at it.
_AROUND = " \t\r\n.,;:!?\"'()[]{}“”‘’…-–—"


@dataclass(frozen=True)
class Span:
    """Characters start..end of the original body added `weight` to the logit of a category."""

    start: int
    end: int
    category: str
    weight: float


class Attribution(NamedTuple):
    """What each piece of a body added to the logits (pieces, 7), and all that is due to no piece (7,)."""

    pieces: list[Piece]
    weights: Floats
    rest: Floats


def explain(
    network: Network, correction: "Correction | None", comment: Mapping[str, Any], limit: int
) -> list[Span]:
    """The parts that raised a score most, strongest first; neighbours that both did so make one span."""
    body = body_of(comment)
    pieces, weights, _ = attribute(network, correction, comment)
    spans = [
        span
        for k, category in enumerate(CATEGORIES)
        for span in _spans(body, pieces, weights[:, k], category)
    ]
    return sorted(spans, key=lambda span: (-span.weight, span.start, span.end, span.category))[:limit]


def attribute(network: Network, correction: "Correction | None", comment: Mapping[str, Any]) -> Attribution:
    """Share out the logits among the pieces of the body: all weights and the rest together are the logits.

    Exact: around any one comment the network is linear (its parts are sums, maxima and cut-offs at 0), so
    each word's part is its input times the slope there (Shrikumar et al. 2017). Of a long text only the
    stretch that decided counts.
    """
    pieces = [part for piece in located_pieces(body_of(comment)) for part in parted(piece)]
    reading = network.read([comment])
    body = reading.words.part(0, 1)
    logits = reading.logits[0].astype(np.float64)
    parts = _base(network, body)
    if network.other is not None and network.abroad is not None and len(reading.abroad):
        there, both = network.other.vocabulary.read([body_of(comment)]), network.abroad.categories
        parts[:, both] = (parts[:, both] + _base(network.other, there)[:, both]) / 2
    if correction is not None:
        from classifier.site_features import site_features

        row = site_features([comment], reading)
        logits = logits + (row @ correction.coef).toarray()[0] + correction.intercept
        hidden_coef, own = _corrected(correction, body, row)
        parts = parts + own + _inner(network, body, hidden_coef)[1:-1]
    # Piece after piece has its tokens; a body without any word has one that stands for nothing.
    counts = [len(tokens(piece.text)) for piece in pieces]
    owner = np.repeat(np.arange(len(pieces)), counts)
    weights = np.zeros((len(pieces), len(CATEGORIES)))
    np.add.at(weights, owner, parts[: len(owner)])
    return Attribution(pieces, weights, logits - weights.sum(axis=0))


def _base(network: Network, body: Read) -> Floats:
    """What words add to the base's logits (words, 7): in each category by what counts, whole or stretch."""
    _, stretches = network.stretches(body)
    starts, ends = np.append(body.starts, stretches.starts), np.append(body.ends, stretches.ends)
    judged = network.judge(network.pool(body))[1]
    if len(stretches.starts):
        judged = np.concatenate([judged, network.claims(stretches)])
    counts, out = judged.argmax(axis=0), network.weights.out * network.weights.slope
    parts = np.zeros((int(ends[0] - starts[0]) + 2, len(CATEGORIES)))
    for i in np.unique(counts).tolist():
        view = body._replace(starts=starts[i : i + 1], ends=ends[i : i + 1])
        near = slice(int(starts[i] - starts[0]), int(ends[i] - starts[0]) + 2)
        parts[near, counts == i] = (_direct(network, view) + _inner(network, view, out))[:, counts == i]
    return parts[1:-1]


def _direct(network: Network, view: Read) -> Floats:
    """What words and pairs of a text or stretch add straight to its logits (words + 2, 7).

    From the word before it to the word after.
    """
    near = view.part(0, 1)
    words = network.alone(near)[0].astype(np.float64)
    pairs = network.pairs(near, near.ids)[:, : len(CATEGORIES)].astype(np.float64)
    length = len(words) - 2
    words[[0, -1]] = pairs[0] = 0.0
    # A pair's part goes half to each of its words.
    words[:-1] += pairs / 2
    words[1:] += pairs / 2
    return np.asarray(words / np.sqrt(length) * network.weights.slope)


def _inner(network: Network, view: Read, out: NDArray[Any]) -> Floats:
    """What words add through convolution and hidden layer, which `out` (k, 7) follows: (words + 2, 7) too."""
    w, h, near = network.weights, network.windows, view.part(0, 1)
    convolved = network.convolved(near, near.ids)
    top, length = convolved.argmax(axis=0), len(convolved)
    active = network.judge(network.pool(view))[0][0] > 0
    slopes = w.hidden[:, active].astype(np.float64) @ out[active]
    # How much each of the h values around each word counts: once if it is the largest, and in the mean.
    open_ = (convolved > 0).astype(np.float64)
    count = open_[:, :, None] / length * slopes[h : 2 * h]
    count[top, np.arange(h)] += open_[top, np.arange(h)][:, None] * slopes[:h]
    # To the window around word t came the word before it, itself, and the word after it.
    around = np.pad(count, ((2, 2), (0, 0), (0, 0)))
    before, own, after = (part.astype(np.float64) for part in network.inward(near))
    windows = ((before, around[2:]), (own, around[1:-1]), (after, around[:-2]))
    parts = np.asarray(sum(np.einsum("th,thk->tk", values, slope) for values, slope in windows))
    parts[1:-1] += network.alone(near)[1][1:-1].astype(np.float64) @ slopes[2 * h :] / length
    return parts


def _corrected(correction: "Correction", body: Read, row: Any) -> tuple[Floats, Floats]:
    """The correction's line on the hidden layer (k, 7), and what its words and pairs add (words, 7)."""
    from classifier.site_features import AUTHOR_BITS, HIDDEN_VALUE, WORD_BITS, occurrences

    coef = correction.coef.toarray().astype(np.float64)
    hidden = coef[(1 << WORD_BITS) + (1 << AUTHOR_BITS) :] * HIDDEN_VALUE
    _, columns = occurrences(body)
    _, inverse, counts = np.unique(columns, return_inverse=True, return_counts=True)
    values = np.asarray(row[0, columns].toarray()).ravel() / counts[inverse]
    each = coef[columns] * values[:, None]
    n = int(body.ends[0] - body.starts[0])
    parts, pairs = each[:n].copy(), each[n:]
    parts[:-1] += pairs / 2
    parts[1:] += pairs / 2
    return hidden, parts


def _spans(body: str, pieces: list[Piece], weights: Floats, category: str) -> list[Span]:
    floor = max(_LEAST_WEIGHT, _LEAST_SHARE * weights.max(initial=0.0))
    found: list[Span] = []
    last = -1
    for i in np.flatnonzero(weights >= floor).tolist():
        start, end = _trimmed(body, pieces[i])
        if found and last == i - 1:
            before = found.pop()
            found.append(Span(before.start, end, category, before.weight + float(weights[i])))
        else:
            found.append(Span(start, end, category, float(weights[i])))
        last = i
    return found


def _trimmed(body: str, piece: Piece) -> tuple[int, int]:
    text = body[piece.start : piece.end]
    start = piece.start + len(text) - len(text.lstrip(_AROUND))
    end = piece.end - (len(text) - len(text.rstrip(_AROUND)))
    return (start, end) if start < end else (piece.start, piece.end)
