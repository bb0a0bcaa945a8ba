"""A spam campaign of 200 variants: what share is caught once people rejected the first, third and tenth?

    python -m benchmarks.campaign [--data PATH] [--seeds N] [--report FOLDER] [--json FILE]

Real spam comments of the development blogs are the seeds; `benchmarks/variants.py` makes variants of each.
Ten come to the queue and are rejected one by one through the same services as in production; then the policy
judges the others, without recording it: with every score calm, so that only the memory is measured, and with
the shipped model's scores. Every genuine comment of the development part is judged on a site whose people
rejected ten of each campaign: none should be caught. So is half of them on a site that approved the other
half and rejected all real spam. Last, the real spam is rejected in its own order, fifty at a time, and told
what share of it was a near-copy of an earlier one. No comment text is printed.
"""

import argparse
import random
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.figures import keep, parser_for
from benchmarks.variants import variants
from moderation import migrate
from moderation.database import Database, open_database
from moderation.domain.likeness import imprint_of
from moderation.domain.policy import CATEGORIES, PolicySettings, Threshold, Verdict
from moderation.domain.precedents import LEAST_PAIRS
from moderation.domain.rules import judge
from moderation.domain.status import Action
from moderation.models import Role
from moderation.scoring import Scorer, open_scorer, words_of
from moderation.services.accept import Entry, NewComment, accept_all
from moderation.services.access import ModeratorCaller, create_moderator, create_site
from moderation.services.following import follow_decisions
from moderation.services.moderate import Ruling, decide_item
from moderation.services.pending import (
    Judged,
    Taken,
    look_back,
    policies_for,
    read_taken,
    record_verdicts,
    signals_for,
    take_pending,
)
from moderation.services.queue import open_item_of
from moderation.services.traces import Traces, traces_of
from moderation.settings import load_settings

VARIANTS, REJECTED = 200, (1, 3, 10)
TARGETS = {1: 0.5, 3: 0.8, 10: 0.95}
CALM = dict.fromkeys(CATEGORIES, 0.01)
SUSPICIOUS = CALM | {"spam": 0.6}
SECRET = b"of a benchmark, for thirty-two bytes or more"
REJECT_AS_SPAM = Ruling(Action.REJECT, "spam")


@dataclass(frozen=True)
class Row:
    """A labelled comment of the development part."""

    comment: NewComment
    spam: bool


@dataclass(frozen=True)
class Caught:
    """Shares of comments that were rejected and that were held."""

    rejected: float
    held: float

    @property
    def all(self) -> float:
        return self.rejected + self.held


def main() -> None:
    """Measure and print; exit status 1 when a target is missed or a genuine comment was caught."""
    parser = parser_for(__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/comments.parquet"))
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="draw the picture there")
    options = parser.parse_args()
    rows = read_rows(options.data)
    with tempfile.TemporaryDirectory() as folder:
        figures = Bench.opened(Path(folder)).run(rows, options)
    tell(figures)
    if options.report is not None:
        draw(figures, options.report)
    keep(options, "campaign", figures)
    raise SystemExit(0 if good(figures) else 1)


def read_rows(path: Path) -> list[Row]:
    """The development comments that are labelled spam or not, in the order of the file."""
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, filters=[("split", "=", "dev")]).to_pylist()
    return [_row(one) for one in table if one["spam"] is not None]


def _row(one: dict[str, Any]) -> Row:
    author = {"name": one["author"] or "Somebody", "url": one["author_url"] or None}
    return Row(NewComment("t", one["text"][:20_000], author), one["spam"] == 1)


@dataclass
class Bench:
    """A database of its own with the real services, and the shipped model."""

    database: Database
    scorer: Scorer
    people: ModeratorCaller

    @classmethod
    def opened(cls, folder: Path) -> "Bench":
        """Everything ready."""
        environ = {"GREENROOM_HOME": str(folder), "GREENROOM_SECRET_KEY": SECRET.decode()}
        settings = load_settings(environ)
        migrate.upgrade(settings.database_url)
        database = open_database(settings.database_url)
        now = datetime.now(UTC)
        with database.write() as session:
            made = create_moderator(session, "Bruno", Role.MODERATOR, secret=SECRET, now=now)
        return cls(
            database, open_scorer(settings), ModeratorCaller(made.moderator_id, "Bruno", Role.MODERATOR)
        )

    def run(self, rows: Sequence[Row], options: argparse.Namespace) -> dict[str, Any]:
        """All figures."""
        chance = random.Random(options.seeds)
        spam = [row.comment for row in rows if row.spam]
        ham = [row.comment for row in rows if not row.spam]
        others = sorted(
            {word for one in spam for word in words_of(one.body) if word.isalpha() and len(word) > 3}
        )
        long = [one for one in spam if len(imprint_of(words_of(one.body))) >= LEAST_PAIRS]
        short = [one for one in spam if len(imprint_of(words_of(one.body))) < LEAST_PAIRS]
        everything = self.site()
        figures: dict[str, Any] = {"spam": len(spam), "long enough": len(long), "ham": len(ham)}
        for name, seeds, count in (("long", long, options.seeds), ("short", short, options.seeds // 2)):
            chosen = chance.sample(seeds, min(count, len(seeds)))
            made = [variants(seed.body, VARIANTS, others, chance) for seed in chosen]
            for texts in made:
                self.reject(everything, [NewComment("t", text, {"name": "A"}) for text in texts[:10]])
            figures[name] = self.campaigns(made)
        figures["ham caught, campaigns rejected"] = self.caught_ham(everything, ham)
        figures["real near-copies"] = self.real_order(spam)
        chance.shuffle(ham)
        earlier, later = ham[::2], ham[1::2]
        self.take_in(everything, earlier, CALM)
        self.reject(everything, spam)
        figures["ham caught, all spam rejected"] = self.caught_ham(everything, later)
        figures["ham caught, 100 ham rejected by mistake"] = self.mistaken(ham, chance)
        return figures

    def campaigns(self, made: Sequence[Sequence[str]]) -> dict[str, Any]:
        """Shares caught, over all campaigns, by how many variants were rejected."""
        found: dict[str, list[Caught]] = {}
        for texts in tqdm(made, unit=" campaigns", disable=None):
            site_id = self.site()
            comments = [NewComment("t", text, {"name": "A"}) for text in texts]
            model = self.scores(comments)
            found.setdefault("model 0", []).append(self.judge_all(site_id, comments, model))
            for number, one in enumerate(comments[: max(REJECTED)], 1):
                self.reject(site_id, [one])
                if number in REJECTED:
                    rest, scores = comments[number:], model[number:]
                    memory = self.judge_all(site_id, rest, [(CALM, {})] * len(rest))
                    found.setdefault(f"memory {number}", []).append(memory)
                    found.setdefault(f"both {number}", []).append(self.judge_all(site_id, rest, scores))
        return {name: _summary(caught) for name, caught in found.items()}

    def caught_ham(self, site_id: str, ham: Sequence[NewComment]) -> int:
        """How many genuine comments the policy would let through, were it not for what people rejected."""
        verdicts = self.verdicts(site_id, ham, [(CALM, {})] * len(ham))
        plain = self.verdicts(self.site(), ham, [(CALM, {})] * len(ham))
        return sum(
            with_memory.outcome is not Action.APPROVE and without.outcome is Action.APPROVE
            for with_memory, without in zip(verdicts, plain, strict=True)
        )

    def mistaken(self, ham: Sequence[NewComment], chance: random.Random) -> dict[str, int]:
        """What other genuine comments the memory catches after a hundred were rejected by mistake."""
        site_id, order = self.site(), chance.sample(list(ham), len(ham))
        self.reject(site_id, order[:100])
        verdicts = self.verdicts(site_id, order[100:], [(CALM, {})] * (len(order) - 100))
        found = [v.outcome for v in verdicts if any(f.rule == "near_copies" for f in v.findings)]
        return {"held": found.count(Action.HOLD), "rejected": found.count(Action.REJECT)}

    def real_order(self, spam: Sequence[NewComment]) -> dict[str, float]:
        """Reject the real spam in its order, fifty at a time: what share was caught by what came before?"""
        site_id, outcomes = self.site(), []
        for start in range(0, len(spam), 50):
            some = spam[start : start + 50]
            outcomes += [
                verdict.outcome for verdict in self.verdicts(site_id, some, [(CALM, {})] * len(some))
            ]
            self.reject(site_id, some)
        return {name: outcomes.count(Action(name)) / len(outcomes) for name in ("reject", "hold")}

    def judge_all(self, site_id: str, comments: Sequence[NewComment], scores: Sequence[Any]) -> Caught:
        outcomes = [verdict.outcome for verdict in self.verdicts(site_id, comments, scores)]
        shares = [outcomes.count(outcome) / len(outcomes) for outcome in (Action.REJECT, Action.HOLD)]
        return Caught(*shares)

    def verdicts(self, site_id: str, comments: Sequence[NewComment], scores: Sequence[Any]) -> list[Verdict]:
        """What the policy says of comments that nobody handed in; nothing is recorded."""
        now = datetime.now(UTC)
        taken = [_taken(site_id, number, one, now) for number, one in enumerate(comments)]
        traces, policies = [_traces(one) for one in taken], {site_id: PolicySettings()}
        with self.database.read() as session:
            past = look_back(session, traces, policies, now)
        return [
            judge(signals_for(one, of, points, now, past), policies[site_id])
            for one, (of, points) in zip(taken, scores, strict=True)
        ]

    def scores(self, comments: Sequence[NewComment]) -> list[tuple[dict[str, float], dict[str, Threshold]]]:
        """The shipped model's scores and operating points."""
        found = self.scorer.score([{"body": one.body, "author": one.author} for one in comments])
        return [(row, dict(found.operating_points)) for row in found.rows]

    def reject(self, site_id: str, comments: Sequence[NewComment]) -> None:
        """Hand in, hold and reject as spam, one by one."""
        taken = self.take_in(site_id, comments, SUSPICIOUS)
        with self.database.write() as session:
            for one in taken:
                if item_id := open_item_of(session, one.comment_id):
                    decide_item(session, item_id, None, REJECT_AS_SPAM, self.people, datetime.now(UTC))

    def take_in(
        self, site_id: str, comments: Sequence[NewComment], scores: dict[str, float]
    ) -> Sequence[Taken]:
        """Hand in and let the policy judge with these scores, without looking back; all is followed up."""
        now = datetime.now(UTC)
        with self.database.write() as session:
            accept_all(session, [Entry(site_id, one, now) for one in comments])
        with self.database.write() as session:
            ids = take_pending(session, now, most=10_000, most_bytes=10**9, seconds=60).ids
            taken = read_taken(session, ids, now)
            policies = policies_for(session, taken)
            judged = []
            for one in taken:
                verdict = judge(signals_for(one, scores, {}, now), policies[one.site_id])
                held = verdict.outcome is Action.HOLD
                judged.append(Judged(one, verdict, scores, "v", _traces(one) if held else None))
            record_verdicts(session, judged, now, 24.0)
        with self.database.write() as session:
            follow_decisions(session, words_of, now + timedelta(minutes=1), 10_000)
        return taken

    def site(self) -> str:
        """Another site."""
        with self.database.write() as session:
            return create_site(session, "A site", [], {}, secret=SECRET, now=datetime.now(UTC)).site_id


def _taken(site_id: str, number: int, one: NewComment, now: datetime) -> Taken:
    name = f"sub_{number}"
    return Taken(name, f"c_{number}", site_id, one.body, one.author, None, False, now, {}, 1, 0)


def _traces(one: Taken) -> Traces:
    return traces_of(one.submission_id, one.site_id, one.body, one.author, words_of(one.body))


def _summary(caught: Sequence[Caught]) -> dict[str, float]:
    shares = sorted(one.all for one in caught)
    return {
        "caught": statistics.mean(shares),
        "rejected": statistics.mean(one.rejected for one in caught),
        "held": statistics.mean(one.held for one in caught),
        "worst tenth": shares[len(shares) // 10],
    }


def good(figures: dict[str, Any]) -> bool:
    """Whether the targets are met by the memory alone, with no genuine comment caught."""
    reached = all(figures["long"][f"memory {n}"]["caught"] >= target for n, target in TARGETS.items())
    return reached and not figures["ham caught, campaigns rejected"]


def tell(figures: dict[str, Any]) -> None:
    """The tables."""
    long, spam = figures["long enough"], figures["spam"]
    print(f"{long} of {spam} real spam comments have {LEAST_PAIRS} pairs of words or more")
    for name, words in (("long", f"{LEAST_PAIRS} pairs or more"), ("short", "fewer")):
        columns = f"{'caught':>9}{'rejected':>10}{'held':>8}{'worst tenth':>13}{'target':>9}"
        print(f"\n{'seeds with ' + words:<34}{columns}")
        for what, row in figures[name].items():
            kind, number = what.split()
            label = "the model alone" if kind == "model" else f"{_KIND[kind]}, {number} rejected"
            target = f"{TARGETS[int(number)]:.0%}" if kind == "memory" and name == "long" else ""
            print(
                f"{label:<34}{row['caught']:>9.1%}{row['rejected']:>10.1%}{row['held']:>8.1%}"
                f"{row['worst tenth']:>13.1%}{target:>9}"
            )
    print(f"\ngenuine comments caught by the memory, of {figures['ham']}:")
    for what in ("campaigns rejected", "all spam rejected", "100 ham rejected by mistake"):
        print(f"  {what}: {figures[f'ham caught, {what}']}")
    real = figures["real near-copies"]
    print(f"real spam that memory of earlier spam rejects {real['reject']:.1%}, holds {real['hold']:.1%}")


_KIND = {"memory": "memory alone", "both": "model and memory"}


def draw(figures: dict[str, Any], folder: Path) -> None:
    """Shares caught by how many variants were rejected, beside the targets."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(figsize=(6, 3.6))
    places = range(len(REJECTED))
    for kind, shift, colour in (("memory", -0.2, "#4269d0"), ("both", 0.2, "#3ca951")):
        rows = [figures["long"][f"{kind} {n}"] for n in REJECTED]
        rejected, held = [row["rejected"] for row in rows], [row["held"] for row in rows]
        at = [place + shift for place in places]
        axes.bar(at, rejected, 0.36, color=colour, label=f"{_KIND[kind]}: rejected")
        axes.bar(at, held, 0.36, bottom=rejected, color=colour, alpha=0.45, label=f"{_KIND[kind]}: held")
    for place, number in enumerate(REJECTED):
        axes.hlines(TARGETS[number], place - 0.42, place + 0.42, colors="black", linestyles="dashed")
    axes.set_xticks(list(places), [f"after {n} rejected" for n in REJECTED])
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("share of the other variants")
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    figure.tight_layout()
    figure.savefig(folder / "campaign.svg")


if __name__ == "__main__":
    main()
