"""Train the model that the repository ships."""

import re
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.card import fingerprint, new_card, rounded
from classifier.categories import CATEGORIES
from classifier.dataset import SOURCES, Rows, for_training, joined, read_rows
from classifier.encoders import ENCODERS, OF_MANY_LANGUAGES, require
from classifier.errors import ModelError
from classifier.evaluation import report
from classifier.excerpts import excerpts
from classifier.foreign import fit_foreign
from classifier.grammar import MADE, made_abroad, made_comments
from classifier.logistic import fit_line
from classifier.manifest import sha256, write_durably
from classifier.mix import choose_operating_points, mixed_labels
from classifier.model import CARD_FILE, MODEL_FILE, Classifier, card_bytes, model_bytes
from classifier.network import Abroad, Network, Weights
from classifier.plan import Plan, abroad_plan

Progress = Callable[[str], None]
_HELD_BACK = 0.05
_SPAM = 0
# So many comments it takes to level a category of other languages, and at least this share of the fine ones
# may be held there: a smaller one cannot be told from a few hundred.
_FEWEST_TO_LEVEL, _LEAST_HELD = 50, 0.01
# From which log-odds, before calibration, a stretch of a long text counts: for toxicity a little below what
# is held. Chosen on dev; of the other categories the worst stretch tells in any case.
_CLEAR = np.array([1.0 if category == "toxicity" else -np.inf for category in CATEGORIES], np.float32)
_LICENCES = (
    "The weights were learnt from CC0, CC BY, CC BY-SA, MIT and Apache comments and from third-party blog "
    "comments without a stated licence, with sentence encoders (Apache 2.0 and MIT) as teachers. Words are "
    "hashed, so no word of any comment is in the model. Sets for evaluation only were not trained on."
)


def train(
    data: Path,
    *,
    version: str,
    opinions_file: Path | None = None,
    seed: int = 0,
    limit: int | None = None,
    encoder: str = "small",
    progress: Progress = print,
) -> Classifier:
    """Fit the shipped model on the train split of a parquet file, and measure it on dev.

    `encoder`: the one of `encoders.ENCODERS` that the teacher starts from. `opinions_file`: keeps what the
    teacher thought, so that only the first training on the same rows asks it. `limit`: only so many random
    rows of each split, and no teacher. ModelError when the file cannot be read or a package is missing.
    """
    rows = _at_most(for_training(read_rows(data, "train")), limit, seed)
    dev = _at_most(read_rows(data, "dev"), limit, seed)
    progress(f"{len(rows)} rows to train on, {len(dev)} to measure on")
    try:
        from classifier.student import fit_network
    except ImportError as error:
        raise ModelError(f"training needs {error.name}: pip install 'greenroom[train]'") from None
    held = np.random.default_rng(seed).uniform(size=len(rows)) < _HELD_BACK
    learnt, opinions = rows.take(~held), None
    if limit is None:
        learnt, opinions = _taught(rows, held, opinions_file, seed, encoder, progress)
    plan, made = Plan(seed=seed), _made(seed, limit)
    weights = replace(fit_network(learnt, opinions, plan, *made, progress), clear=_CLEAR)
    weights = calibrated(weights, rows.take(held), dev)
    network = Network(weights)
    if in_other_languages(learnt).any():
        progress("learning other languages")
        checked = (rows.take(held), dev)
        network = Network(weights, _abroad(network, (learnt, opinions), made, checked, plan, progress))
    progress("measuring on dev")
    teachers = f"{ENCODERS[encoder].name}, {OF_MANY_LANGUAGES.name}" if limit is None else None
    parameters = {**asdict(plan), "teacher": teachers}
    everything = reduce(joined, (rows, *made))
    return Classifier(network, _measured_card(version, network, seed, everything, dev, parameters))


def _made(seed: int, limit: int | None) -> tuple[Rows, Rows]:
    """Made comments in English and in other languages; of few rows to train on not more than these."""
    share = 1.0 if limit is None else min(1.0, limit / sum(MADE.values()))
    return made_comments(seed, share), made_abroad(seed, share)


def _measured_card(
    version: str, network: Network, seed: int, rows: Rows, dev: Rows, parameters: dict[str, Any]
) -> dict[str, Any]:
    scores = Classifier(network, {"version": version}).score(dev.comments)
    points = choose_operating_points(dev, scores)
    return new_card(
        version,
        created_at=time.time(),
        parent=None,
        seed=seed,
        data=_data(rows, dev),
        parameters=parameters,
        operating_points=points,
        summary=summary(scores, dev, points),
        metrics=metrics_by_source(scores, dev, points),
        licences=_LICENCES,
    )


def calibrated(weights: Weights, held: Rows, dev: Rows) -> Weights:
    """The weights with a slope and an intercept for each logit, fitted on rows held back (Platt 1999).

    The rows count as in the mix a blog sees (`mix`): on rows as they come, every probability would be that of
    a data set that was chosen to be half toxic. Spam is fitted on the blogs of dev: the network is surer of
    blogs that it knows than it may be of the next one.
    """
    network = Classifier(Network(weights), {"version": "uncalibrated"})
    slope, shift = weights.slope.copy(), weights.shift.copy()
    for rows, categories in ((dev, (_SPAM,)), (held, range(_SPAM + 1, len(CATEGORIES)))):
        logits = network.logits(rows.comments)
        for k in categories:
            labels, natural = mixed_labels(rows, k)
            known = natural > 0
            if len(np.unique(labels[known])) < 2:
                continue
            counts = natural[known] * known.sum()
            line = fit_line(logits[known, k : k + 1].astype(np.float64), labels[known], counts, strength=1e-3)
            if line.coef[0] > 0:
                slope[k], shift[k] = line.coef[0], line.intercept
    return replace(weights, slope=slope, shift=shift)


def _abroad(
    english: Network,
    taught: tuple[Rows, NDArray[np.float32] | None],
    made: tuple[Rows, Rows],
    checked: tuple[Rows, Rows],
    plan: Plan,
    progress: Progress,
) -> Abroad:
    """What reads other languages, learnt from the rows in these alone, and tells them from English.

    `checked`: rows held back, to level its scores on, and those of dev, for how many English ones are held.
    """
    from classifier.student import fit_network, with_made

    (learnt, opinions), (held, dev) = taught, checked
    foreign = in_other_languages(learnt)
    asked = None if opinions is None else opinions[foreign]
    theirs, asked = with_made(learnt.take(foreign), asked, made[1])
    labelled = labelled_in(theirs)
    theirs_plan = abroad_plan(plan, knows_words=opinions is not None)
    weights = fit_network(theirs, asked, theirs_plan, progress=progress)
    bars = hold_bars(english, dev)
    weights = levelled(weights, english, held.take(in_other_languages(held)), labelled, bars)
    table, scale, bias = fit_foreign(reduce(joined, (learnt, *made)), english.weights.table_bits, plan.seed)
    return Abroad(weights, labelled, table, scale, bias)


def in_other_languages(rows: Rows) -> NDArray[np.bool_]:
    """Which rows are discussions in another language than English (n,)."""
    return np.asarray((rows.languages != "en") & ~np.char.startswith(rows.sources, "blog"))


def labelled_in(rows: Rows) -> NDArray[np.int64]:
    """The categories but spam of which the rows have comments of both kinds."""
    both = (rows.labels == 1).any(axis=0) & (rows.labels == 0).any(axis=0)
    return np.flatnonzero(both & (np.arange(len(CATEGORIES)) != _SPAM))


def hold_bars(network: Network, dev: Rows) -> NDArray[np.float64]:
    """Of each category the log-odds from which a comment is held, and the share of fine English ones that
    are (7, 2); NaN where nothing is."""
    scores = Classifier(network, {"version": "unlevelled"}).score(dev.comments)
    points, bars = choose_operating_points(dev, scores), np.full((len(CATEGORIES), 2), np.nan)
    for k, category in enumerate(CATEGORIES):
        bar = points[category]["hold"]["threshold"] if category in points else None
        labels, natural = mixed_labels(dev, k)
        fine = (natural > 0) & (labels == 0)
        if bar is not None and fine.any():
            bars[k] = np.log(bar / (1 - bar)), np.average(scores[fine, k] >= bar, weights=natural[fine])
    return bars


def levelled(
    weights: Weights,
    english: Network,
    held: Rows,
    categories: NDArray[np.int64],
    bars: NDArray[np.float64],
) -> Weights:
    """The weights for other languages, with logits of these categories so that together with the English ones
    as many fine comments are held (`hold_bars`) as in English.

    First they get the mean and the spread of the English ones, so that both have the same say. Of what a blog
    sees in another language no sample is at hand, and how much of it is toxic is not known: how much of what
    is fine costs a person's time is what can be levelled.
    """
    if len(held) < _FEWEST_TO_LEVEL:
        return weights
    aim, found = (
        Classifier(network, {"version": "unlevelled"}).logits(held.comments).astype(np.float64)
        for network in (english, Network(weights))
    )
    slope, shift = np.ones(len(CATEGORIES)), np.zeros(len(CATEGORIES))
    slope[categories] = (aim.std(axis=0) / np.maximum(found.std(axis=0), 1e-6))[categories]
    shift[categories] = (aim.mean(axis=0) - slope * found.mean(axis=0))[categories]
    both = (aim + found * slope + shift) / 2
    for k in categories.tolist():
        fine, (bar, share) = held.labels[:, k] == 0, bars[k]
        if fine.sum() >= _FEWEST_TO_LEVEL and not np.isnan(bar):
            # Half of what is added counts.
            shift[k] += 2 * (bar - np.quantile(both[fine, k], 1 - max(share, _LEAST_HELD)))
    return replace(
        weights,
        slope=(weights.slope * slope).astype(np.float32),
        shift=(weights.shift * slope + shift).astype(np.float32),
    )


def _taught(
    rows: Rows, held: NDArray[np.bool_], path: Path | None, seed: int, encoder: str, progress: Progress
) -> tuple[Rows, NDArray[np.float32]]:
    """What the network learns from: rows not held back, pieces of them, and the teacher's opinions."""
    # It reads words too, hours later: whoever has opinions and not this had better know now.
    require(OF_MANY_LANGUAGES)
    pieces, owners = excerpts(rows, seed)
    opinions = _opinions(rows, pieces, path, seed, encoder, progress)
    kept = ~held[owners]
    learnt = joined(rows.take(~held), pieces.take(kept))
    return learnt, np.concatenate([opinions[: len(rows)][~held], opinions[len(rows) :][kept]])


def _opinions(
    rows: Rows,
    pieces: Rows,
    path: Path | None,
    seed: int,
    encoder: str,
    progress: Progress,
) -> NDArray[np.float32]:
    of = "-".join(
        [
            fingerprint(_as_text(rows)),
            fingerprint(_as_text(pieces)),
            sha256(rows.label_weights.tobytes()),
            str(seed),
            encoder,
            OF_MANY_LANGUAGES.name,
        ]
    )
    if path is not None and path.is_file():
        with np.load(path) as kept:
            if str(kept["of"]) == of:
                progress(f"the teacher's opinions are in {path}")
                return np.asarray(kept["logits"], dtype=np.float32)
    require(ENCODERS[encoder], OF_MANY_LANGUAGES)
    from classifier.polyglot import opinions_on_languages
    from classifier.teacher import opinions

    # A seed of its own: with the other one its first draws would be those that chose the rows held back.
    logits = opinions(rows, pieces, seed + 1, encoder, progress)
    of_languages = opinions_on_languages(rows, seed + 1, progress)
    logits[: len(rows)] = _of_both(logits[: len(rows)], of_languages)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:  # given a path, numpy would add a suffix to it
            np.savez(file, logits=logits, of=of)
    return logits


def _of_both(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean where both were asked: on emoji it is better than either."""
    mean = (first + second) / 2
    return np.where(np.isnan(second), first, np.where(np.isnan(first), second, mean))


def _as_text(rows: Rows) -> Any:
    return (f"{c}{labels.tolist()}" for c, labels in zip(rows.comments, rows.labels, strict=True))


def metrics_by_source(scores: Any, rows: Rows, points: Any) -> dict[str, Any]:
    """`evaluation.report` for each source, only the categories it has labels of."""
    found: dict[str, Any] = {}
    for source in np.unique(rows.sources):
        chosen = rows.sources == source
        measured = report(scores[chosen], rows.labels[chosen], np.ones(int(chosen.sum())), points)
        found[str(source)] = {name: rounded(part) for name, part in measured.items() if part["n"]}
    return found


def summary(scores: Any, rows: Rows, points: Any) -> dict[str, Any]:
    """One line of measures per category over all dev sources together."""
    measured = report(scores, rows.labels, np.ones(len(rows)), points)
    names = ("n", "positives", "auc", "log_loss", "calibration_error")
    return {category: rounded({name: part[name] for name in names}) for category, part in measured.items()}


def write_shipped(classifier: Classifier, out: Path) -> Path:
    """Write the model's folder under `out`, and the digests of its files into `out`/__init__.py."""
    folder = out / classifier.version
    folder.mkdir(parents=True, exist_ok=True)
    model = model_bytes(classifier)
    card = card_bytes({**classifier.card, "sha256": sha256(model)})
    write_durably(folder / MODEL_FILE, model)
    write_durably(folder / CARD_FILE, card)
    digests = f'MODEL_SHA256 = "{sha256(model)}"\nCARD_SHA256 = "{sha256(card)}"\n'
    source = (
        '"""The model in this folder and the digests of its files; written by `greenroom train`."""\n\n'
        f'VERSION = "{classifier.version}"\n{digests}'
    )
    write_durably(out / "__init__.py", source.encode())
    return folder


def next_version(out: Path, day: str) -> str:
    """The first free version of a day: 2026.11.22-1, then -2."""
    taken = [p.name for p in out.glob(f"{day}-*")] if out.is_dir() else []
    numbers = [int(found[1]) for name in taken if (found := re.fullmatch(rf"{re.escape(day)}-(\d+)", name))]
    return f"{day}-{max(numbers, default=0) + 1}"


def _at_most(rows: Rows, limit: int | None, seed: int) -> Rows:
    if limit is None or limit >= len(rows):
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).choice(len(rows), limit, replace=False)))


def _data(rows: Rows, dev: Rows) -> dict[str, Any]:
    names, counts = np.unique(rows.sources, return_counts=True)
    sources = {
        str(name): {"rows": int(count), "weight": SOURCES.get(str(name), (1.0, None))[0]}
        for name, count in zip(names, counts, strict=True)
    }
    return {
        "fingerprint": fingerprint(_as_text(rows)),
        "rows": len(rows),
        "dev_rows": len(dev),
        "sources": sources,
    }
