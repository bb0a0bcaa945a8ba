"""Ask a language model what it thinks of the training comments. Needs PyTorch (the `train` extra).

A sentence encoder (`encoders`) is fine-tuned on the English labels and then scores English comments in every
category. It knows what words mean; the small network learns that from it, and only that one is shipped.
"""

import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.encoders import ENCODERS, Encode, Encoder, load_encoder
from classifier.facts import about, body_of
from classifier.perturbation import other_terms
from classifier.text import pieces, tokens

Progress = Callable[[str], None]
Ids = NDArray[np.int64]
# What a teacher is shown of these comments when it studies them.
Show = Callable[[Ids, np.random.Generator], list[list[int]]]
_SORTED_AT_ONCE, _TOKENS_ASKED_AT_ONCE = 4096, 16384
_HEAD_RATE, _DECAY, _WARM_UP = 1e-3, 0.01, 0.06
# So often a comment is shown with its author and thread, where it has them, or about other people.
_CONTEXT, _OTHER_TERMS = 0.6, 0.4
_MOST_CHARACTERS = 2500

# How much of a large and uniform source is studied, and how often a small and precious one.
_STUDIED: Mapping[str, float] = {
    "blog_stackexchange": 0.35,
    "blog_tulloss_weak": 0.5,
    "blog_lucascs": 2.0,
    "blog_staticman archive_fever": 3.0,
    "davidson tweets (keyword-sampled)": 0.15,
    "paradetox": 0.4,
    "wiki-context CAT": 0.8,
    "hatemoji-build": 2.0,
    "jigsaw2018 (six labels, lower-cased, no punctuation)": 2.0,
}
# Of how many comments of a large and uniform source it is asked.
_ASKED: Mapping[str, int] = {
    "blog_stackexchange": 5000,
    "davidson tweets (keyword-sampled)": 5000,
    "paradetox": 14000,
}


class Teacher(torch.nn.Module):
    """The encoder, its mean and maximum over the tokens, and a line for each category."""

    def __init__(self, encoder: Any, padding: int) -> None:
        super().__init__()
        self.encoder, self.padding = encoder, padding
        self.head = torch.nn.Linear(2 * encoder.config.hidden_size, len(CATEGORIES))

    def forward(self, encoded: Sequence[list[int]]) -> torch.Tensor:
        """Logits (n, 7) of n comments' token ids, in half precision: faster where the machine knows it."""
        device = self.head.weight.device
        ids, there = (part.to(device) for part in padded_tokens(encoded, self.padding))
        with torch.autocast(device.type, dtype=torch.bfloat16):
            states = self.encoder(input_ids=ids, attention_mask=there).last_hidden_state.float()
            mask = there[..., None].float()
            mean = (states * mask).sum(1) / mask.sum(1)
            largest = (states - 1e4 * (1 - mask)).amax(1)
            logits: torch.Tensor = self.head(torch.cat([mean, largest], 1))
        return logits.float()


class _Shown:
    """Comments as token ids: alone, with what is known of their author and thread, and about other people."""

    def __init__(self, rows: Rows, encode: Encode, swapping: random.Random) -> None:
        bodies = [body_of(comment) for comment in rows.comments]
        words = [_words(body) for body in bodies]
        contexts = [_context(comment) for comment in rows.comments]
        others = [other_terms(body, swapping) for body in bodies]
        known = [i for i, context in enumerate(contexts) if context]
        swapped = [i for i, (body, other) in enumerate(zip(bodies, others, strict=True)) if body != other]
        self.alone = encode(words)
        self.lengths = lengths_of(self.alone)
        self.with_context = dict(zip(known, encode([contexts[i] + words[i] for i in known]), strict=True))
        self.about_others = dict(zip(swapped, encode([_words(others[i]) for i in swapped]), strict=True))

    def to_study(self, chosen: Ids, draw: np.random.Generator) -> list[list[int]]:
        lots = draw.uniform(size=(len(chosen), 2))
        return [self._one(i, *lot) for i, lot in zip(chosen.tolist(), lots, strict=True)]

    def to_ask(self) -> list[list[int]]:
        return [self.with_context.get(i, alone) for i, alone in enumerate(self.alone)]

    def _one(self, i: int, context: float, other: float) -> list[int]:
        if i in self.with_context and context < _CONTEXT:
            return self.with_context[i]
        if i in self.about_others and context < _OTHER_TERMS:
            return self.about_others[i]
        return self.alone[i]


def opinions(
    rows: Rows, more: Rows, seed: int, encoder: str = "small", progress: Progress = print
) -> NDArray[np.float32]:
    """Logits (n + m, 7) of a teacher that studied the English of these rows, about them and about m more; NaN
    for those it was not asked about. On a GPU where PyTorch finds one.

    ModelError when the encoder's package is missing.
    """
    draw = np.random.default_rng(seed)
    teacher, encode = new_teacher(ENCODERS[encoder], seed)
    shown = _Shown(rows, encode, random.Random(seed))  # noqa: S311 - no secret
    rounds = (drawn(rows, _STUDIED, draw) for _ in range(ENCODERS[encoder].rounds))
    study(teacher, shown.to_study, shown.lengths, rows, rounds, ENCODERS[encoder], draw, progress)
    asked = np.unique(drawn(rows, _shares(rows, _ASKED), draw))
    about_rows = answers(teacher, shown.to_ask(), asked, progress)
    pieces_encoded = encode([_words(body_of(comment)) for comment in more.comments])
    return np.concatenate([about_rows, answers(teacher, pieces_encoded, np.arange(len(more)), progress)])


def new_teacher(encoder: Encoder, seed: int) -> tuple[Teacher, Encode]:
    """One that has studied nothing yet, and what makes token ids of texts for it; the same for the same seed.

    ModelError when the encoder's package is missing.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    network, encode, padding = load_encoder(encoder)
    return Teacher(network, padding).to("cuda" if torch.cuda.is_available() else "cpu"), encode


def study(
    teacher: Teacher,
    show: Show,
    lengths: Ids,
    rows: Rows,
    rounds: Iterable[Ids],
    encoder: Encoder,
    draw: np.random.Generator,
    progress: Progress,
) -> None:
    """Fine-tune a teacher on the rows at these positions, round by round; a comment's length is in tokens."""
    batches = [
        batch
        for chosen in rounds
        for batch in _batches(draw.permutation(chosen), lengths, encoder.batch, draw)
    ]
    device = teacher.head.weight.device
    labels = torch.from_numpy(rows.labels.astype(np.float32)).to(device)
    weights = torch.from_numpy(rows.label_weights.astype(np.float32)).to(device) * ~torch.isnan(labels)
    labels = torch.nan_to_num(labels)
    optimiser = _optimiser(teacher, encoder)
    warm_up = 1 + _WARM_UP * len(batches)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warm_up, max(0.02, 1 - step / len(batches)))
    )
    teacher.train()
    running = torch.zeros((), device=device)
    for step, chosen in enumerate(batches):
        logits, at = teacher(show(chosen, draw)), torch.from_numpy(chosen).to(device)
        losses = functional.binary_cross_entropy_with_logits(logits, labels[at], reduction="none")
        loss = (losses * weights[at]).sum() / encoder.batch
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        rates.step()
        running = 0.98 * running + 0.02 * loss.detach()
        if step % 100 == 0:
            progress(f"teacher studies: {step / len(batches):4.0%}, loss {running.item():.4f}")


def _optimiser(teacher: Teacher, encoder: Encoder) -> torch.optim.Optimizer:
    learning = [p for p in teacher.encoder.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if p.ndim >= 2], "lr": encoder.rate},
        {"params": [p for p in learning if p.ndim < 2], "lr": encoder.rate, "weight_decay": 0.0},
        {"params": [teacher.head.weight], "lr": _HEAD_RATE},
        {"params": [teacher.head.bias], "lr": encoder.rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, weight_decay=_DECAY)


def answers(
    teacher: Teacher, encoded: Sequence[list[int]], asked: Ids, progress: Progress
) -> NDArray[np.float32]:
    """Logits (n, 7) about texts as token ids, NaN for those whose positions are not among the asked."""
    teacher.eval()
    logits = np.full((len(encoded), len(CATEGORIES)), np.nan, np.float32)
    order = asked[np.argsort([len(encoded[i]) for i in asked.tolist()], kind="stable")]
    ends = np.cumsum([len(encoded[i]) for i in order.tolist()]) // _TOKENS_ASKED_AT_ONCE
    cuts = np.split(order, np.flatnonzero(np.diff(ends)) + 1) if len(asked) else []
    with torch.inference_mode():
        for step, chosen in enumerate(cuts):
            logits[chosen] = teacher([encoded[i] for i in chosen.tolist()]).cpu().numpy()
            if step % 100 == 0:
                progress(f"teacher answers: {step / len(cuts):4.0%}")
    return logits


def drawn(rows: Rows, shares: Mapping[str, float], draw: np.random.Generator, default: float = 1.0) -> Ids:
    """English rows, each source in its share or the default: below 1 a sample, above 1 repeated."""
    chosen = []
    for source in np.unique(rows.sources):
        there = np.flatnonzero((rows.sources == source) & (rows.languages == "en"))
        share = shares.get(str(source), default)
        chosen += [there] * int(share) + [draw.permutation(there)[: int(share % 1 * len(there))]]
    return np.concatenate(chosen)


def _shares(rows: Rows, counts: Mapping[str, int]) -> dict[str, float]:
    return {source: min(1.0, n / max(1, (rows.sources == source).sum())) for source, n in counts.items()}


def _batches(order: Ids, lengths: Ids, size: int, draw: np.random.Generator) -> Iterator[Ids]:
    """Batches of like lengths, in random order within a part."""
    for start in range(0, len(order), _SORTED_AT_ONCE):
        part = order[start : start + _SORTED_AT_ONCE]
        part = part[np.argsort(lengths[part], kind="stable")]
        cuts = [part[i : i + size] for i in range(0, len(part), size)]
        for i in draw.permutation(len(cuts)):
            yield cuts[i]


def lengths_of(encoded: Sequence[list[int]]) -> Ids:
    """How many tokens each has (n,)."""
    return np.array([len(ids) for ids in encoded], dtype=np.int64)


def padded_tokens(encoded: Sequence[list[int]], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids in rows of one length (n, longest), and 1 where there is one."""
    shape = (len(encoded), max(map(len, encoded)))
    ids, there = np.full(shape, padding, np.int64), np.zeros(shape, np.int64)
    for i, row in enumerate(encoded):
        ids[i, : len(row)] = row
        there[i, : len(row)] = 1
    return torch.from_numpy(ids), torch.from_numpy(there)


def _context(comment: Mapping[str, Any]) -> str:
    """What is known of the author and the thread, "" where nothing is."""
    known = about(comment)
    return " ; ".join(map(_words, known)) + " ; " if any(known) else ""


def _words(text: str) -> str:
    return " ".join(word for piece in pieces(text[:_MOST_CHARACTERS]) for word in tokens(piece))
