"""Learn the network's weights from labels and from a teacher's opinion. Needs PyTorch (the `train` extra).

Comments without a label of a category still teach it through the teacher's probability (Hinton et al. 2015).
Each epoch shows some comments disguised, about other people, or inside longer innocent text, so that the
network scores what is said and not how or about whom.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.facts import FACTS, about, body_of, numbers_of, sizes_of
from classifier.hashing import hash_words, pair_columns, word_columns
from classifier.network import Weights
from classifier.perturbation import disguised, other_terms
from classifier.text import EMAIL, LINK, pieces, tokens
from classifier.vocabulary import NOTHING

Ids = NDArray[np.int64]
Progress = Callable[[str], None]
_LABELS = len(CATEGORIES)
_CHUNK = 8192


@dataclass(frozen=True)
class Plan:
    """How to train; the sizes decide the model's size and speed, the rest was chosen on dev."""

    table_bits: int = 17
    pair_bits: int = 16
    inward: int = 32
    windows: int = 64
    hidden: int = 64
    epochs: int = 8
    batch: int = 256
    rate: float = 2e-3
    decay: float = 0.02
    words_dropped: float = 0.15
    units_dropped: float = 0.3
    longest: int = 250
    disguised: float = 0.25
    other_terms: float = 0.3
    padded: float = 0.25
    context_kept: float = 0.6
    averaged: float = 0.995
    teacher_share: float = 0.7
    seed: int = 0


@dataclass
class Corpus:
    """Comments as word ids; `words[0]` is no word."""

    words: list[str]
    bodies: list[list[int]]
    disguised: list[list[int] | None]
    others: list[list[int] | None]
    facts: list[list[int]]
    names: list[list[int]]
    addresses: list[list[int]]


def read_corpus(rows: Rows, seed: int) -> Corpus:
    """The words of each comment, of a disguised copy and of one about other people (English only)."""
    draw, ids = random.Random(seed), _Ids()  # noqa: S311 - no secret
    corpus = Corpus(ids.words, [], [], [], [], [], [])
    for comment, language in zip(rows.comments, rows.languages, strict=True):
        text = body_of(comment)
        body = ids.of(text)
        other = other_terms(text, draw)
        corpus.bodies.append(body)
        corpus.disguised.append(ids.of(disguised(text, draw)) if language == "en" else None)
        corpus.others.append(ids.of(other) if other != text else None)
        context = about(comment)
        name, topic = ids.of(context.name), ids.of(context.topic)
        links = sum(body.count(known) for known in (ids.known[LINK], ids.known[EMAIL]))
        sizes = [int(part[0]) for part in sizes_of(np.array([links]), np.array([len(body)]))]
        numbers = numbers_of(context, len(name) if context.name else 0, len(set(topic).intersection(body)))
        corpus.facts.append([*sizes, *numbers])
        corpus.names.append(name if context.name else [])
        corpus.addresses.append(ids.of(context.addresses) if context.addresses else [])
    return corpus


class _Ids:
    def __init__(self) -> None:
        self.words = [""]
        self.known: dict[str, int] = {}
        for word in (NOTHING, LINK, EMAIL):
            self._id(word)

    def of(self, text: str) -> list[int]:
        return [self._id(word) for piece in pieces(text) for word in tokens(piece)] or [self.known[NOTHING]]

    def _id(self, word: str) -> int:
        known = self.known.get(word)
        if known is None:
            known = self.known[word] = len(self.words)
            self.words.append(word)
        return known


class Student(torch.nn.Module):
    """`network.Network` with weights that learn."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.inward = torch.nn.Embedding(1 << plan.table_bits, plan.inward)
        self.direct = torch.nn.Embedding(1 << plan.table_bits, _LABELS + 2)
        self.pairs = torch.nn.Embedding(1 << plan.pair_bits, _LABELS)
        self.facts = torch.nn.Embedding(FACTS, 1)
        self.window = torch.nn.Linear(3 * plan.inward, plan.windows)
        self.hidden = torch.nn.Linear(2 * plan.windows, plan.hidden)
        self.out = torch.nn.Linear(plan.hidden, _LABELS)
        self.drop = torch.nn.Dropout(plan.units_dropped)
        torch.nn.init.normal_(self.inward.weight, std=0.1)
        for table in (self.direct, self.pairs, self.facts):
            torch.nn.init.zeros_(table.weight)
        torch.nn.init.constant_(self.out.bias, -2.0)

    def forward(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Logits (n, 7)."""
        inward = functional.embedding_bag(batch["columns"], self.inward.weight, batch["starts"], mode="sum")
        direct = functional.embedding_bag(batch["columns"], self.direct.weight, batch["starts"], mode="sum")
        inward, direct = inward * batch["scale"], direct * batch["scale"]
        ids, there = batch["ids"], batch["there"]
        length = there.sum(1).clamp(min=1)[:, None]
        kept = there
        if self.training:
            kept = there * (torch.rand(there.shape) > self.plan.words_dropped)
        words = (direct[ids][..., :_LABELS] + self.pairs(batch["own"])) * kept[..., None]
        pairs = self.pairs(batch["pairs"]) * (kept[:, 1:] * kept[:, :-1])[..., None]
        x = functional.pad(inward[ids] * kept[..., None], (0, 0, 1, 1))
        seen = torch.relu(self.window(torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], -1))) * there[..., None]
        pooled = torch.cat([seen.max(1).values, seen.sum(1) / length], 1)
        inner = self.out(self.drop(torch.relu(self.hidden(self.drop(pooled)))))
        logits = (words.sum(1) + pairs.sum(1)) / length.sqrt() + inner
        return torch.cat([logits[:, :1] + self._about(batch, direct)[:, None], logits[:, 1:]], 1)

    def _about(self, batch: Mapping[str, Any], direct: torch.Tensor) -> torch.Tensor:
        total = (self.facts(batch["facts"])[..., 0] * batch["facts_there"]).sum(1)
        for part, column in (("names", _LABELS), ("addresses", _LABELS + 1)):
            there = batch[f"{part}_there"]
            root = there.sum(1).clamp(min=1).sqrt()
            total = total + (direct[batch[part]][..., column] * there).sum(1) / root
        return total


class Batches:
    """Makes tensors of comments: rows padded to one length, and the hashed columns of the words in them."""

    def __init__(self, words: Sequence[str], plan: Plan) -> None:
        columns, counts = [np.zeros(1, np.int64)], [np.ones(1, np.int64)]
        hashes, steps = [np.zeros(1, np.uint64)], [np.ones(1, np.uint64)]
        for i in range(1, len(words), _CHUNK):
            hashed = hash_words(words[i : i + _CHUNK], plan.table_bits)
            columns.append(np.insert(hashed.columns, hashed.starts, hashed.own))
            counts.append(np.diff(hashed.starts, append=len(hashed.columns)) + 1)
            hashes.append(hashed.hashes)
            steps.append(hashed.steps)
        self._columns, self._counts = np.concatenate(columns), np.concatenate(counts)
        self._starts = np.cumsum(self._counts) - self._counts
        self._hashes, self._steps = np.concatenate(hashes), np.concatenate(steps)
        self._own = word_columns(self._hashes, plan.pair_bits)
        self._bits = plan.pair_bits

    def of(
        self,
        bodies: Sequence[list[int]],
        facts: Sequence[list[int]],
        names: Sequence[list[int]],
        addresses: Sequence[list[int]],
    ) -> dict[str, torch.Tensor]:
        """What `Student` takes."""
        ids, there = _padded(bodies)
        flat = ids.ravel()
        pairs = np.append(pair_columns(self._hashes[flat], self._steps[flat], self._bits), 0)
        arrays: dict[str, NDArray[Any]] = {
            "there": there,
            "own": self._own[ids],
            "pairs": pairs.reshape(ids.shape)[:, :-1],
        }
        arrays["facts"], arrays["facts_there"] = _padded(facts)
        names_ids, arrays["names_there"] = _padded(names)
        addresses_ids, arrays["addresses_there"] = _padded(addresses)
        parts = {"ids": ids, "names": names_ids, "addresses": addresses_ids}
        distinct, places = np.unique(
            np.concatenate([part.ravel() for part in parts.values()]), return_inverse=True
        )
        ends = np.cumsum([part.size for part in parts.values()])
        for (name, part), end in zip(parts.items(), ends, strict=True):
            arrays[name] = places[end - part.size : end].reshape(part.shape)
        counts = self._counts[distinct]
        starts = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) + np.repeat(self._starts[distinct] - starts, counts)
        arrays["columns"], arrays["starts"] = self._columns[within], starts
        arrays["scale"] = (1 / np.sqrt(counts)).astype(np.float32)[:, None]
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def fit_network(
    rows: Rows, teacher: NDArray[np.float32] | None, plan: Plan, progress: Progress = print
) -> Weights:
    """Weights learnt from rows (weighted, NaN where nobody labelled) and a teacher's logits (n, 7), NaN where
    it was not asked. The same input and seed give the same weights on the same kind of machine."""
    torch.manual_seed(plan.seed)
    torch.use_deterministic_algorithms(True)
    corpus = read_corpus(rows, plan.seed)
    progress(f"{len(rows)} comments, {len(corpus.words)} different words")
    targets, weights = aims(rows, teacher, plan.teacher_share)
    student, batches = Student(plan), Batches(corpus.words, plan)
    average = {name: value.detach().clone() for name, value in student.named_parameters()}
    for step, share, loss in _steps(student, corpus, batches, targets, weights, rows, plan):
        if step % 8 == 0:
            pull = 1 - plan.averaged**8 if step > 200 else 0.3
            with torch.no_grad():
                for name, value in student.named_parameters():
                    average[name].lerp_(value, pull)
        if step % 200 == 0:
            progress(f"learning: {share:4.0%}, loss {loss:.4f}")
    student.load_state_dict(average)
    return exported(student)


def aims(
    rows: Rows, teacher: NDArray[np.float32] | None, share: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What to predict (n, 7) and how much each counts (n, 7)."""
    known = ~np.isnan(rows.labels)
    targets, weights = np.nan_to_num(rows.labels), np.where(known, rows.label_weights, 0.0)
    if teacher is not None:
        asked = ~np.isnan(teacher)
        opinion = np.nan_to_num(1 / (1 + np.exp(-teacher.astype(np.float64))))
        mixed = np.where(known, (1 - share) * targets + share * opinion, opinion)
        targets = np.where(asked, mixed, targets)
        weights = np.where(~known & asked, rows.label_weights, weights)
    return targets.astype(np.float32), weights.astype(np.float32)


def exported(student: Student) -> Weights:
    """The weights as `network` wants them, tables in whole numbers of 8 bits."""
    plan = student.plan
    table, table_scale = _whole(torch.cat([student.direct.weight, student.inward.weight], 1))
    pairs, pairs_scale = _whole(student.pairs.weight)
    window = student.window.weight.detach().numpy().reshape(plan.windows, 3, plan.inward)
    # To word t of a window came, in this order, the word before it, itself and the word after it.
    return Weights(
        table=table,
        table_scale=table_scale,
        pairs=pairs,
        pairs_scale=pairs_scale,
        facts=_numpy(student.facts.weight)[:, 0].copy(),
        window=np.ascontiguousarray(window.transpose(2, 1, 0).reshape(plan.inward, 3 * plan.windows)),
        window_bias=_numpy(student.window.bias),
        hidden=np.ascontiguousarray(_numpy(student.hidden.weight).T),
        hidden_bias=_numpy(student.hidden.bias),
        out=np.ascontiguousarray(_numpy(student.out.weight).T),
        bias=_numpy(student.out.bias),
        slope=np.ones(_LABELS, np.float32),
        shift=np.zeros(_LABELS, np.float32),
    )


def _steps(
    student: Student, corpus: Corpus, batches: Batches, targets: Any, weights: Any, rows: Rows, plan: Plan
) -> Any:
    """Train, and yield (step, share done, running loss) after each batch."""
    draw = np.random.default_rng(plan.seed)
    learnt = np.flatnonzero(weights.sum(axis=1) > 0)
    english = rows.languages == "en"
    quiet = np.flatnonzero((rows.labels[:, 1] == 0) & np.char.startswith(rows.sources, "wiki"))
    total = plan.epochs * len(_epoch(learnt, corpus, draw, plan))
    optimiser = _optimiser(student, plan)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 100, max(0.03, 1 - step / total))
    )
    student.train()
    step, running = 0, 0.0
    for _ in range(plan.epochs):
        for chosen in _epoch(learnt, corpus, draw, plan):
            shown = [_shown(corpus, i, bool(english[i]), quiet, draw, plan) for i in chosen]
            batch = batches.of(*(list(part) for part in zip(*shown, strict=True)))
            losses = functional.binary_cross_entropy_with_logits(
                student(batch), torch.from_numpy(targets[chosen]), reduction="none"
            )
            loss = (losses * torch.from_numpy(weights[chosen])).sum() / plan.batch
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            rates.step()
            step += 1
            running = 0.99 * running + 0.01 * loss.item()
            yield step, step / total, running


def _optimiser(student: Student, plan: Plan) -> torch.optim.Optimizer:
    tables = [student.inward, student.direct, student.pairs, student.facts]
    layers = [student.window, student.hidden, student.out]
    groups = [
        {"params": [table.weight for table in tables], "lr": plan.rate, "weight_decay": plan.decay},
        {"params": [p for layer in layers for p in layer.parameters()], "lr": plan.rate / 2},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=0.01, fused=True)


def _epoch(learnt: Ids, corpus: Corpus, draw: np.random.Generator, plan: Plan) -> list[Ids]:
    """All rows in batches of like lengths, in random order."""
    order = draw.permutation(learnt)
    batches = []
    for i in range(0, len(order), _CHUNK):
        part = order[i : i + _CHUNK]
        part = part[np.argsort([len(corpus.bodies[k]) for k in part], kind="stable")]
        batches += [part[j : j + plan.batch] for j in range(0, len(part), plan.batch)]
    return [batches[i] for i in draw.permutation(len(batches))]


def _shown(
    corpus: Corpus, i: int, english: bool, quiet: Ids, draw: np.random.Generator, plan: Plan
) -> tuple[list[int], list[int], list[int], list[int]]:
    """One comment as it is shown this time: body, facts, name, addresses."""
    body, lot = corpus.bodies[i], draw.uniform()
    if lot < plan.disguised:
        body = corpus.disguised[i] or body
    elif lot > 1 - plan.other_terms:
        body = corpus.others[i] or body
    start = int(draw.integers(max(len(body) - plan.longest, 0) + 1)) if draw.uniform() < 0.3 else 0
    body = body[start : start + plan.longest]
    if english and len(quiet) and len(body) < plan.longest // 2 and draw.uniform() < plan.padded:
        padding = [word for k in draw.choice(quiet, draw.integers(1, 4)) for word in corpus.bodies[k][:90]]
        body = padding + body if draw.uniform() < 0.5 else body + padding
    if draw.uniform() < plan.context_kept:
        return body, corpus.facts[i], corpus.names[i], corpus.addresses[i]
    # Numbers of links and words hold without any context.
    return body, corpus.facts[i][:2], [], []


def _padded(lists: Sequence[list[int]]) -> tuple[Ids, NDArray[np.float32]]:
    width = max([1, *map(len, lists)])
    ids, there = np.zeros((len(lists), width), np.int64), np.zeros((len(lists), width), np.float32)
    for row, values in enumerate(lists):
        ids[row, : len(values)] = values
        there[row, : len(values)] = 1
    return ids, there


def _whole(values: torch.Tensor) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Numbers of -127..127 and the scale of each column; the largest 1 in 100,000 are cut off."""
    array = _numpy(values)
    scale = np.maximum(np.quantile(np.abs(array), 0.99999, axis=0), 1e-9).astype(np.float32) / 127
    return np.clip(np.rint(array / scale), -127, 127).astype(np.int8), scale


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.detach().numpy(), dtype=np.float32).copy()
