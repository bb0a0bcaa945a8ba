"""Learn the network's weights from labels and from a teacher's opinion. Needs PyTorch (the `train` extra).

Comments without a label of a category still teach it through the teacher's probability (Hinton et al. 2015).
Each epoch shows some labelled comments disguised, about other people, or inside longer innocent text, so that
the network scores what is said and not how or about whom; and a share of the texts that nobody labelled.
In the last epochs a long text is judged by the worst of its stretches, as in use.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from classifier.categories import CATEGORIES
from classifier.corpus import KNOWN, Batches, Corpus, Ids, read_corpus, sizes_in
from classifier.dataset import Rows, is_labelled, joined
from classifier.encoders import OF_MANY_LANGUAGES
from classifier.facts import FACTS
from classifier.network import STRETCH_LESS, Weights, stretch_places
from classifier.plan import Plan, last_part
from classifier.word_vectors import first_table

Progress = Callable[[str], None]
_LABELS = len(CATEGORIES)
_CHUNK = 8192


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
        self.hidden = torch.nn.Linear(2 * plan.windows + plan.inward, plan.hidden)
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
        judged = torch.cat([self._judge(texts, inward, direct) for texts in batch["groups"]])
        logits, parts = judged[batch["places"]].tensor_split([len(batch["facts"])])
        if len(parts):
            owners = batch["owners"][:, None].expand(-1, _LABELS)
            logits = logits.scatter_reduce(0, owners, parts - STRETCH_LESS, "amax")
        return torch.cat([logits[:, :1] + self._about(batch, direct)[:, None], logits[:, 1:]], 1)

    def _judge(self, texts: Mapping[str, Any], inward: torch.Tensor, direct: torch.Tensor) -> torch.Tensor:
        """Logits (n, 7) of texts or stretches, without facts."""
        ids, there = texts["ids"], texts["there"]
        length = there.sum(1).clamp(min=1)[:, None]
        kept = there
        if self.training:
            kept = there * (torch.rand_like(there) > self.plan.words_dropped)
        words = (direct[ids][..., :_LABELS] + self.pairs(texts["own"])) * kept[..., None]
        pairs = self.pairs(texts["pairs"]) * (kept[:, 1:] * kept[:, :-1])[..., None]
        x = functional.pad(inward[ids] * kept[..., None], (0, 0, 1, 1))
        seen = torch.relu(self.window(torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], -1))) * there[..., None]
        pooled = torch.cat([seen.max(1).values, seen.sum(1) / length], 1)
        pooled = torch.cat([pooled, (inward[ids] * kept[..., None]).sum(1) / length], 1)
        inner: torch.Tensor = self.out(self.drop(torch.relu(self.hidden(self.drop(pooled)))))
        return (words.sum(1) + pairs.sum(1)) / length.sqrt() + inner

    def _about(self, batch: Mapping[str, Any], direct: torch.Tensor) -> torch.Tensor:
        total = (self.facts(batch["facts"])[..., 0] * batch["facts_there"]).sum(1)
        for part, column in (("names", _LABELS), ("addresses", _LABELS + 1)):
            there = batch[f"{part}_there"]
            root = there.sum(1).clamp(min=1).sqrt()
            total = total + (direct[batch[part]][..., column] * there).sum(1) / root
        return total


def fit_network(
    rows: Rows,
    teacher: NDArray[np.float32] | None,
    plan: Plan,
    made: Rows | None = None,
    abroad: Rows | None = None,
    progress: Progress = print,
) -> Weights:
    """Weights learnt from rows (weighted, NaN where nobody labelled) and a teacher's logits (n, 7), NaN where
    it was not asked. The last epochs are learnt twice, with made comments and without, and the mean counts;
    both times from those made in other languages (`abroad`) too.

    The same input and seed give the same weights on the same kind of machine.
    """
    torch.manual_seed(plan.seed)
    torch.use_deterministic_algorithms(True)
    # Nothing reads memory before it is written, and filling it would take a seventh of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False
    student, shares = Student(plan), teacher_shares(rows, plan)
    learn(student, rows, *aims(rows, teacher, shares), plan, progress)
    if plan.last_epochs:
        study = (rows, teacher) if abroad is None else with_made(rows, teacher, abroad)
        studies = [study] if made is None else [study, with_made(*study, made)]
        ends = []
        for some, opinions in studies:
            end = copy.deepcopy(student)
            aimed = aims(some, opinions, teacher_shares(some, plan))
            learn(end, some, *aimed, last_part(plan), progress)
            ends.append(end)
        student = mean_of(ends)
    return exported(student)


def mean_of(students: Sequence[Student]) -> Student:
    """A student whose weights are the mean of those of others, which went on from the same one.

    Its errors are fewer than those of either where both know something, and it keeps most of what one alone
    learnt (Wortsman et al. 2022, "Model soups").
    """
    states = [student.state_dict() for student in students]
    mean = copy.deepcopy(students[0])
    mean.load_state_dict({name: sum(s[name] for s in states) / len(states) for name in states[0]})
    return mean


def with_made(
    rows: Rows, teacher: NDArray[np.float32] | None, made: Rows
) -> tuple[Rows, NDArray[np.float32] | None]:
    """The same and made comments, about which no teacher is asked: what they are is known."""
    if teacher is not None:
        teacher = np.concatenate([teacher, np.full(made.labels.shape, np.nan, np.float32)])
    return joined(rows, made), teacher


def teacher_shares(rows: Rows, plan: Plan) -> NDArray[np.float64]:
    """How much of what to predict is the teacher's opinion (n,): less where it studied few comments."""
    return np.where(rows.languages == "en", plan.teacher_share, plan.foreign_share)


def learn(
    student: Student,
    rows: Rows,
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    plan: Plan,
    progress: Progress = print,
) -> None:
    """Train the student for a plan's epochs; it ends as the running average of what it was at each step."""
    torch.manual_seed(plan.seed)
    corpus = read_corpus(rows, plan.seed, plan.mistyped)
    progress(f"{len(rows)} comments, {len(corpus.words)} different words")
    if plan.knows_words:
        _begin(student, corpus, plan, progress)
    batches = Batches(corpus.words, plan.table_bits, plan.pair_bits)
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


def _begin(student: Student, corpus: Corpus, plan: Plan, progress: Progress) -> None:
    """Let the student know words before it learns."""
    seen = np.bincount(np.concatenate(corpus.bodies), minlength=len(corpus.words))
    seen[: len(KNOWN)] = 0
    sizes = (plan.table_bits, plan.inward)
    table = first_table(corpus.words, seen, OF_MANY_LANGUAGES, sizes, plan.seed, progress)
    with torch.no_grad():
        student.inward.weight.copy_(torch.from_numpy(table))


def aims(
    rows: Rows, teacher: NDArray[np.float32] | None, shares: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What to predict (n, 7) and how much each counts (n, 7); `shares` (n,) of it are the teacher's."""
    known = ~np.isnan(rows.labels)
    targets, weights = np.nan_to_num(rows.labels), np.where(known, rows.label_weights, 0.0)
    if teacher is not None:
        asked = ~np.isnan(teacher)
        opinion = np.nan_to_num(1 / (1 + np.exp(-teacher.astype(np.float64))))
        share = shares[:, None]
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
        stretch=plan.stretch,
    )


def _steps(
    student: Student, corpus: Corpus, batches: Batches, targets: Any, weights: Any, rows: Rows, plan: Plan
) -> Any:
    """Train, and yield (step, share done, running loss) after each batch."""
    draw = np.random.default_rng(plan.seed)
    english, labelled = rows.languages == "en", is_labelled(rows)
    fine = np.flatnonzero((rows.labels[:, 1] == 0) & np.char.startswith(rows.sources, "wiki"))
    epochs = list(_epochs(weights.sum(axis=1) > 0, labelled, corpus, draw, plan))
    total = sum(map(len, epochs))
    unlabelled = replace(plan, padded=plan.unlabelled_padded, other_terms=0.0)
    optimiser = _optimiser(student, plan)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / 100, max(0.03, 1 - step / total))
    )
    student.train()
    step, running = 0, 0.0
    for epoch in epochs:
        for chosen in epoch:
            shown = [
                _shown(corpus, i, bool(english[i]), fine, draw, plan if labelled[i] else unlabelled)
                for i in chosen.tolist()
            ]
            bodies, *others = (list(part) for part in zip(*shown, strict=True))
            stretches = stretches_of(bodies, plan.stretch) if plan.by_stretches else []
            batch = batches.of(bodies, stretches, *others)
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


def _epochs(
    learnt: NDArray[np.bool_],
    labelled: NDArray[np.bool_],
    corpus: Corpus,
    draw: np.random.Generator,
    plan: Plan,
) -> Iterator[list[Ids]]:
    """Each has all labelled rows, and the next ones of those that nobody labelled: none comes again before
    all have been shown."""
    always, others = np.flatnonzero(learnt & labelled), np.flatnonzero(learnt & ~labelled)
    share = int(plan.unlabelled * len(others))
    rounds = [draw.permutation(others) for _ in range(int(np.ceil(plan.epochs * plan.unlabelled)))]
    queue = np.concatenate([others[:0], *rounds])
    for epoch in range(plan.epochs):
        yield _epoch(np.concatenate([always, queue[epoch * share : (epoch + 1) * share]]), corpus, draw, plan)


def _epoch(learnt: Ids, corpus: Corpus, draw: np.random.Generator, plan: Plan) -> list[Ids]:
    """These rows in batches of like lengths, in random order."""
    order = draw.permutation(learnt)
    batches = []
    for i in range(0, len(order), _CHUNK):
        part = order[i : i + _CHUNK]
        part = part[np.argsort([len(corpus.bodies[k]) for k in part], kind="stable")]
        batches += [part[j : j + plan.batch] for j in range(0, len(part), plan.batch)]
    return [batches[i] for i in draw.permutation(len(batches))]


def _shown(
    corpus: Corpus, i: int, english: bool, fine: Ids, draw: np.random.Generator, plan: Plan
) -> tuple[list[int], list[int], list[int], list[int]]:
    """One comment as it is shown this time: body, facts, name, addresses."""
    body, facts, lot = corpus.bodies[i], corpus.facts[i], draw.uniform()
    if lot < plan.disguised:
        body = corpus.disguised[i] or body
    elif lot > 1 - plan.other_terms:
        body = corpus.others[i] or body
    start = int(draw.integers(max(len(body) - plan.longest, 0) + 1)) if draw.uniform() < 0.3 else 0
    body = body[start : start + plan.longest]
    if english and len(fine) and len(body) < plan.longest // 2 and draw.uniform() < plan.padded:
        padding = [word for k in draw.choice(fine, draw.integers(1, 4)) for word in corpus.bodies[k][:90]]
        body = padding + body if draw.uniform() < 0.5 else body + padding
        # As in use. From the first epoch on it would make spam among other comments all that is looked for.
        facts = [*sizes_in(body), *facts[2:]] if plan.by_stretches else facts
    if draw.uniform() < plan.context_kept:
        return body, facts, corpus.names[i], corpus.addresses[i]
    # Numbers of links and words hold without any context.
    return body, facts[:2], [], []


def stretches_of(bodies: list[list[int]], size: int) -> list[tuple[int, list[int]]]:
    """Which text it is of and the words of each stretch that a long text is read in too."""
    return [
        (i, body[start:end])
        for i, body in enumerate(bodies)
        for start, end in stretch_places(len(body), size)
    ]


def _whole(values: torch.Tensor) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Numbers of -127..127 and the scale of each column; the largest 1 in 100,000 are cut off."""
    array = _numpy(values)
    scale = np.maximum(np.quantile(np.abs(array), 0.99999, axis=0), 1e-9).astype(np.float32) / 127
    return np.clip(np.rint(array / scale), -127, 127).astype(np.int8), scale


def _numpy(values: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(values.detach().numpy(), dtype=np.float32).copy()
