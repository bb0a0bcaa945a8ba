"""Is a promise kept? "99 % of what is published by itself is fine", on replayed comments, with many seeds.

    python -m benchmarks.promises [--data PATH] [--seeds N] [--share 0.99] [--report FOLDER] [--json FILE]

Comments of the development part come in a random order, as if live, to a site that made the promise on its
first day. Each is judged by the policy; what is held is labelled by a person who knows the truth, and so is
one of a hundred of what is published (a spot check). The promise is proven anew as the proving job does it.
Three kinds of traffic: talk pages of which one in fifty comments is toxic, discussions with one in eight, a
blog with a fifth of spam. Each as it is, and 20,000 comments drawn from it, because a proof takes labels and
a site lives longer than these files are long. Told are how much was published without a person, in all and in
the second half, what share of it was fine, and for how many seeds that was what was promised; beside it the
model's own thresholds, which promise nothing, and the most that any threshold could publish.
"""

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.figures import keep, parser_for
from classifier.categories import CATEGORIES
from classifier.dataset import read_rows
from classifier.registry import load_shipped
from moderation.domain.policy import PolicySettings, Signals, Threshold
from moderation.domain.promises import Judged, Promise, Proven, prove
from moderation.domain.rules import category_scores, promises
from moderation.scoring import thresholds_from
from moderation.services.proofs import GROWTH

SPOT_CHECKS = 0.01
LONG = 20_000
TALK, DISCUSSION = "wiki-context CAT", "jigsaw2018 (toxicity only, lower-cased)"
BLOG, HAM, SPAM_SHARE = "blog_staticman dev sites", "blog_stackexchange", 0.2


@dataclass(frozen=True)
class Arrival:
    """A comment's scores and whether publishing it would be wrong."""

    scores: dict[str, float]
    wrong: bool


@dataclass(frozen=True)
class Traffic:
    """A kind of comments, and the category in which they may be wrong."""

    name: str
    category: str
    arrivals: Sequence[Arrival]
    long: bool

    def of_seed(self, seed: int) -> list[Arrival]:
        """In an order of this seed."""
        chance = random.Random(seed)
        if self.long:
            return chance.choices(self.arrivals, k=LONG)
        return chance.sample(self.arrivals, len(self.arrivals))


@dataclass(frozen=True)
class Outcome:
    """Of a replay: the shares published without a person, in all and in the second half, and fine of them."""

    published: float
    later: float
    fine: float


def main() -> None:
    """Replay, print the table, and keep the figures."""
    parser = parser_for(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/comments.parquet"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--share", type=float, default=0.99)
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="draw the picture there")
    options = parser.parse_args()
    kinds, points = read_traffic(options.data)
    figures: dict[str, Any] = {}
    print(f"{'traffic':<38}{'published, %':>20}{'second half':>20}{'fine, %':>24}{'kept':>8}{'most':>7}")
    for kind in kinds:
        most = most_possible(kind, options.share)
        for promised in (True, False):
            policy = PolicySettings(promises={kind.category: Promise(options.share)} if promised else {})
            seeds = tqdm(range(options.seeds), unit=" seeds", leave=False, disable=None)
            outcomes = [replay(kind.of_seed(seed), kind.category, policy, points) for seed in seeds]
            name = f"{kind.name}{'' if promised else ', the thresholds'}"
            figures[name] = tell(name, outcomes, options.share, most)
    if options.report is not None:
        draw(figures, options.share, options.report)
    keep(options, "promises", figures)


def read_traffic(path: Path) -> tuple[list[Traffic], dict[str, Threshold]]:
    """The kinds of traffic, and the model's thresholds."""
    model, rows = load_shipped(), read_rows(path, "dev")
    scores = model.score(rows.comments)

    def of(source: str, category: str) -> list[Arrival]:
        k = CATEGORIES.index(category)
        chosen = [n for n in range(len(rows)) if rows.sources[n] == source and rows.labels[n, k] in (0, 1)]
        return [
            Arrival(dict(zip(CATEGORIES, map(float, scores[n]), strict=True)), bool(rows.labels[n, k] == 1))
            for n in chosen
        ]

    blog, ham = of(BLOG, "spam"), [one for one in of(HAM, "spam") if not one.wrong]
    more = round(sum(one.wrong for one in blog) / SPAM_SHARE) - len(blog)
    named: list[tuple[str, str, list[Arrival]]] = [
        ("talk pages", "toxicity", of(TALK, "toxicity")),
        ("discussions", "toxicity", of(DISCUSSION, "toxicity")),
        ("a blog", "spam", [*blog, *random.Random(0).sample(ham, more)]),
    ]
    kinds = [
        Traffic(f"{name}, {LONG if long else len(arrivals):,}", category, arrivals, long)
        for name, category, arrivals in named
        for long in (False, True)
    ]
    return kinds, thresholds_from(model.card)


def most_possible(kind: Traffic, share: float) -> float:
    """What the best threshold would publish of the whole, were the truth known."""
    wrong = best = 0
    for count, one in enumerate(sorted(kind.arrivals, key=lambda one: one.scores[kind.category]), 1):
        wrong += one.wrong
        best = count if wrong <= (1 - share) * count else best
    return best / len(kind.arrivals)


def replay(
    arrivals: Sequence[Arrival], category: str, policy: PolicySettings, points: dict[str, Threshold]
) -> Outcome:
    """One site's life with these comments in this order."""
    judged: list[Judged] = []
    proven: dict[str, Proven] | None = None
    published: list[int] = []
    chance, tried_with = random.Random(len(arrivals)), 100.0
    # Only the category at issue: nobody said whether the others are true.
    points = {name: point if name == category else Threshold(None, 1.1) for name, point in points.items()}
    for n, one in enumerate(arrivals):
        held = is_held(one, policy, points, proven)
        if not held:
            published.append(n)
        if held or chance.random() < SPOT_CHECKS:
            judged.append(Judged(one.scores, {category: one.wrong}))
        if policy.promises and len(judged) >= GROWTH * tried_with:
            proven, tried_with = prove(policy.promises, judged, before=proven), len(judged)
    fine = sum(not arrivals[n].wrong for n in published)
    half = len(arrivals) // 2
    return Outcome(
        len(published) / len(arrivals),
        sum(n >= half for n in published) / (len(arrivals) - half),
        fine / len(published) if published else 1.0,
    )


def is_held(
    one: Arrival, policy: PolicySettings, points: dict[str, Threshold], proven: dict[str, Proven] | None
) -> bool:
    """Whether the rules at issue leave a comment to a person (or reject it: it is not published)."""
    signals = Signals("", one.scores, operating_points=points, proven=proven)
    rules: tuple[Callable[..., Any], ...] = (category_scores, promises)
    return any(True for rule in rules for _ in rule(signals, policy))


def tell(name: str, outcomes: Sequence[Outcome], share: float, most: float) -> dict[str, Any]:
    """Print a line; gives its figures."""
    values = {what: [getattr(one, what) for one in outcomes] for what in ("published", "later", "fine")}
    kept = sum(fine >= share for fine in values["fine"])
    print(
        f"{name:<38}{_range(values['published'], 0):>20}{_range(values['later'], 0):>20}"
        f"{_range(values['fine'], 2):>24}{f'{kept}/{len(outcomes)}':>8}{100 * most:>7.0f}"
    )
    return values | {"kept": kept, "most": most}


def draw(figures: dict[str, Any], share: float, folder: Path) -> None:
    """How much was published and what share of it was fine, a point a seed."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, found in figures.items():
        marker = "x" if "thresholds" in name else "o"
        axis.scatter(
            [100 * one for one in found["published"]],
            [100 * one for one in found["fine"]],
            s=14,
            marker=marker,
            label=name,
        )
    axis.axhline(100 * share, linestyle=":", color="grey")
    axis.set_xlabel("published without a person, %")
    axis.set_ylabel("of these fine, %")
    axis.legend(fontsize=7)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "promises.svg", metadata={"Date": None})


def _range(values: Sequence[float], digits: int) -> str:
    low, middle, high = (100 * value for value in (min(values), statistics.median(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


if __name__ == "__main__":
    main()
