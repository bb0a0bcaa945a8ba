"""Do a site's labels make the model better on it, and do wrong ones make it worse?

    python -m benchmarks.learning [--data PATH] [--seeds N] [--many N] [--report FOLDER] [--json FILE]

Three tables. A blog of the development part (`yasoob`) in the order of time, as if live: a moderator labels
its first 50, 100, 200 and 300 comments, a challenger learns from them, and both models meet everything that
came later (so each line has later comments of its own). Then what the whole retraining run says, in which a
fifth of the labels are wrong, or one of four moderators is always wrong: is the challenger promoted, and is
it worse on later comments? And the time and memory of a run with many labels.
"""

import multiprocessing
import random
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from benchmarks.figures import MEGABYTE, keep, median_and_range, parser_for
from classifier import Classifier
from classifier.evaluation import compare, regression
from classifier.registry import load_shipped
from classifier.retraining import Example, fit_challenger
from moderation.domain.settling import Taught
from moderation.domain.sources import Source, Teacher
from moderation.domain.training_set import LabelledText
from workers.retraining import examples_from, split_by_time

BLOG, SITE = "blog_staticman dev sites", "yasoob/personal_blog"
AFTER = (50, 100, 200, 300)
TAUGHT = 250
FALSE_ALARMS = 0.01
WRONG_SHARE, MODERATORS = 0.2, 4
START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 1000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """A comment and whether it is spam."""

    comment: dict[str, Any]
    spam: bool


@dataclass(frozen=True)
class Ending:
    """Of a run: whether the challenger is promoted, and both areas on later comments."""

    promoted: bool
    champion: float
    challenger: float


def main() -> None:
    """Replay, print the tables, and keep the figures."""
    parser = parser_for(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/comments.parquet"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--many", type=int, default=100_000, help="labels of the large run; 0: none")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="draw the picture there")
    options = parser.parse_args()
    blog = read_blog(options.data)
    figures: dict[str, Any] = {"replay": tell_replay(blog), "wrong": tell_wrong(blog, options.seeds)}
    if options.many:
        figures["many"] = tell_many(options.data, options.many)
    if options.report is not None:
        draw(figures["replay"], options.report)
    keep(options, "learning", figures)


def read_blog(path: Path) -> list[Judged]:
    """The blog's comments in the order of time."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, filters=[("source", "=", BLOG), ("site", "=", SITE)]).to_pylist()
    ordered = sorted(
        (row for row in table if row["spam"] is not None), key=lambda row: row["written_at"] or ""
    )
    return [Judged(_comment(row), bool(row["spam"])) for row in ordered]


def tell_replay(blog: Sequence[Judged]) -> list[dict[str, Any]]:
    """How both models do on what came after so many labels."""
    shipped, found = load_shipped(), []
    print(f"{len(blog)} comments of {SITE}, {sum(one.spam for one in blog)} of them spam\n")
    print(f"{'after labels':<14}{'later: ham, spam':>18}{'recall at 1 %':>24}{'gain, 95 %':>24}{'AUC':>18}")
    for n in (n for n in AFTER if n < len(blog) - 50):
        challenger = fit_challenger(shipped, _examples(_taught(blog[:n]), shipped), version=f"after-{n}")
        later = blog[n:]
        truth = np.array([one.spam for one in later])
        old, new = (_scores(model, later) for model in (shipped, challenger))
        line: dict[str, Any] = {
            "labels": n,
            "recall": [_recall(scores, truth) for scores in (old, new)],
            "gain": _interval(old, new, truth),
            "auc": [float(roc_auc_score(truth, scores)) for scores in (old, new)],
            "later": [int((~truth).sum()), int(truth.sum())],
        }
        found.append(line)
        recall, gain = "{:.2f} -> {:.2f}".format(*line["recall"]), "{:+.2f} to {:+.2f}".format(*line["gain"])
        later_ones, areas = "{}, {}".format(*line["later"]), "{:.3f} -> {:.3f}".format(*line["auc"])
        print(f"{n:<14}{later_ones:>18}{recall:>24}{gain:>24}{areas:>18}")
    return found


def tell_wrong(blog: Sequence[Judged], seeds: int) -> dict[str, Any]:
    """What runs say when labels are wrong; the same with right ones beside it."""
    kinds: dict[str, Callable[[Sequence[Judged], random.Random], list[LabelledText]]] = {
        "all labels right": lambda part, _: _taught(part),
        "a fifth wrong, at random": _taught_carelessly,
        "one of four moderators always wrong": lambda part, chance: _taught_by_four(part, chance, liars=1),
        "every label wrong": lambda part, _: _taught(_turned(part)),
    }
    said = f"{TAUGHT} labels, {seeds} seeds"
    print(f"\n{said:<40}{'promoted':>10}{'AUC later, champion':>27}{'challenger':>27}")
    found: dict[str, Any] = {}
    for name, teach in kinds.items():
        chances = tqdm(range(seeds), unit=" runs", leave=False, disable=None)
        endings = [_run(blog, teach, random.Random(seed)) for seed in chances]
        promoted = sum(one.promoted for one in endings)
        harmful = sum(one.promoted and one.challenger < one.champion for one in endings)
        areas = [[getattr(one, which) for one in endings] for which in ("champion", "challenger")]
        found[name] = {"promoted": promoted, "promoted_and_worse": harmful, "areas": areas}
        told = "".join(f"{median_and_range(of_one, 3):>27}" for of_one in areas)
        print(f"{name:<40}{promoted:>10}{told}   promoted and worse: {harmful}")
    return found


def tell_many(path: Path, count: int) -> dict[str, float]:
    """The time and memory of a run with so many labels, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found: dict[str, float] = pool.apply(_run_many, (path, count))
    print(f"\n{found['labels']:,.0f} labelled texts: {found['seconds']:.0f} s, {found['megabytes']:,.0f} MB")
    for step in ("training set", "challenger", "gate"):
        print(f"  {step:<14}{found[step]:6.1f} s")
    return found


def draw(replay: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Recall after so many labels, both models."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    labels = [line["labels"] for line in replay]
    for place, name in enumerate(("as shipped", "with the blog's labels")):
        axis.plot(labels, [100 * line["recall"][place] for line in replay], marker="o", label=name)
    axis.set_xlabel("labels")
    axis.set_ylabel("later spam found at 1 % false alarms, %")
    axis.set_ylim(0, 100)
    axis.legend()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "learning.svg", metadata={"Date": None})


def _run(
    blog: Sequence[Judged],
    teach: Callable[[Sequence[Judged], random.Random], list[LabelledText]],
    chance: random.Random,
) -> Ending:
    """One retraining run on a random order of the blog: what is left over is what comes later."""
    shuffled = chance.sample(blog, len(blog))
    taught, later = teach(shuffled[:TAUGHT], chance), shuffled[TAUGHT:]
    champion = load_shipped()
    teaching, judging = split_by_time(examples_from(taught, champion).examples)
    challenger = fit_challenger(champion, teaching, version="challenger")
    comparison = compare(champion, challenger, judging)
    promoted = comparison.better and not comparison.worse_in and not regression(champion, challenger).lost
    truth = np.array([one.spam for one in later])
    areas = [float(roc_auc_score(truth, _scores(model, later))) for model in (champion, challenger)]
    return Ending(promoted, *areas)


def _run_many(path: Path, count: int) -> dict[str, float]:
    texts, times = _many(path, count), [time.perf_counter()]
    champion = load_shipped()
    examples = examples_from(texts, champion).examples
    times.append(time.perf_counter())
    teaching, judging = split_by_time(examples)
    challenger = fit_challenger(champion, teaching, version="challenger")
    times.append(time.perf_counter())
    compare(champion, challenger, judging)
    regression(champion, challenger)
    times.append(time.perf_counter())
    steps = dict(zip(("training set", "challenger", "gate"), np.diff(times).tolist(), strict=True))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    return {"labels": len(texts), "seconds": times[-1] - times[0], "megabytes": most, **steps}


def _many(path: Path, count: int) -> list[LabelledText]:
    """Comments of the training part that somebody labelled, in an order of chance."""
    import pyarrow.parquet

    columns = ["text", "author", "author_url", "thread_title", "spam", "toxicity"]
    table = pyarrow.parquet.read_table(path, columns=columns, filters=[("split", "=", "train")])
    places = random.Random(0).sample(range(len(table)), len(table))
    texts: list[LabelledText] = []
    for row in table.take(places).to_pylist():
        said = {name: bool(row[name]) for name in ("spam", "toxicity") if row[name] is not None}
        if said and len(texts) < count:
            texts.append(_text(len(texts), _comment(row), said, f"mod_{len(texts) % MODERATORS}"))
    return texts


def _taught(part: Sequence[Judged]) -> list[LabelledText]:
    return [_text(n, one.comment, {"spam": one.spam}) for n, one in enumerate(part)]


def _turned(part: Sequence[Judged]) -> list[Judged]:
    return [replace(one, spam=not one.spam) for one in part]


def _taught_carelessly(part: Sequence[Judged], chance: random.Random) -> list[LabelledText]:
    return _taught([replace(one, spam=one.spam != (chance.random() < WRONG_SHARE)) for one in part])


def _taught_by_four(part: Sequence[Judged], chance: random.Random, liars: int) -> list[LabelledText]:
    """Each comment is labelled by one of four moderators, of whom some say the opposite of the truth."""
    texts = []
    for n, one in enumerate(part):
        who = chance.randrange(MODERATORS)
        texts.append(_text(n, one.comment, {"spam": one.spam != (who < liars)}, moderator=f"mod_{who}"))
    return texts


def _text(
    n: int, comment: dict[str, Any], said: Mapping[str, bool], moderator: str = "mod_0"
) -> LabelledText:
    at, teacher = START + timedelta(minutes=n), Teacher(Source.MODERATOR, "site_1", moderator)
    taught = tuple(Taught(category, value, teacher, False, at) for category, value in said.items())
    return LabelledText(f"sub_{n}", comment, f"c_{n}", taught)


def _examples(texts: Sequence[LabelledText], champion: Classifier) -> list[Example]:
    teaching, judging = split_by_time(examples_from(texts, champion).examples)
    return [*teaching, *judging]


def _scores(model: Classifier, part: Sequence[Judged]) -> Floats:
    return np.asarray(model.score([one.comment for one in part])[:, 0], dtype=np.float64)


def _recall(scores: Floats, truth: NDArray[np.bool_]) -> float:
    """The share of spam found by the lowest threshold with at most 1 % false alarms."""
    ham = np.sort(scores[~truth])[::-1]
    return float((scores[truth] > ham[int(FALSE_ALARMS * len(ham))]).mean())


def _interval(old: Floats, new: Floats, truth: NDArray[np.bool_]) -> tuple[float, float]:
    """95 % bootstrap interval of the gain in recall, over spam and ham apart."""
    chance = np.random.default_rng(0)
    spam, ham = np.flatnonzero(truth), np.flatnonzero(~truth)
    gains = []
    for _ in range(ROUNDS):
        drawn = np.concatenate([chance.choice(spam, len(spam)), chance.choice(ham, len(ham))])
        gains.append(_recall(new[drawn], truth[drawn]) - _recall(old[drawn], truth[drawn]))
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)


def _comment(row: Mapping[str, Any]) -> dict[str, Any]:
    author = {"name": row["author"] or "", "url": row["author_url"] or "", "email": ""}
    return {"body": row["text"], "author": author, "thread": {"title": row["thread_title"] or ""}}


if __name__ == "__main__":
    main()
