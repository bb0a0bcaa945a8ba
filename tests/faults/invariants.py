"""What must be true whatever died: each rule gives a line for every comment that breaks it."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from moderation.database import Database
from moderation.domain.status import Action
from moderation.domain.teaching import labels_taught
from moderation.models import Comment, Decision, Label, QueueItem, Score, Submission


@dataclass(frozen=True)
class Records:
    """Everything the database holds, by comment or submission; and the ids that were answered 202."""

    accepted: Collection[str]
    comments: Mapping[str, Comment]
    submissions: Mapping[str, Submission]
    decisions: Mapping[str, Sequence[Decision]]
    open_items: Mapping[str, Sequence[QueueItem]]
    scored: Collection[tuple[str, str]]
    labels: Mapping[str, Mapping[str, bool]]


def assert_sound(database: Database, accepted: Collection[str]) -> None:
    """Fail with everything that is not as it must be, once nothing waits any more."""
    records = _read(database, accepted)
    broken = [f"{rule.__name__}: {line}" for rule in RULES for line in rule(records)]
    assert not broken, "\n".join(broken[:20])


def every_accepted_comment_exists(records: Records) -> Iterator[str]:
    yield from (one for one in records.accepted if one not in records.comments)


def every_comment_is_decided(records: Records) -> Iterator[str]:
    for one in records.comments.values():
        if one.status == "pending" or not records.decisions[one.id]:
            yield f"{one.id} is {one.status} by {len(records.decisions[one.id])} decisions"


def every_submission_is_judged_once(records: Records) -> Iterator[str]:
    by_policy: dict[str, int] = defaultdict(int)
    for one in _decisions(records, "policy"):
        by_policy[one.submission_id] += 1
    yield from (f"{one} was judged {count} times" for one, count in by_policy.items() if count != 1)
    yield from (one.id for one in records.submissions.values() if one.judged_at is None)


def decisions_follow_each_other_without_a_gap(records: Records) -> Iterator[str]:
    for comment_id, decisions in records.decisions.items():
        if [one.number for one in decisions] != list(range(2, len(decisions) + 2)):
            yield f"{comment_id} has the numbers {[one.number for one in decisions]}"
        statuses = ["pending", *(one.status_after for one in decisions)]
        if [one.status_before for one in decisions] != statuses[:-1]:
            yield f"{comment_id} jumped between statuses"


def a_comment_stands_as_its_last_decision_says(records: Records) -> Iterator[str]:
    for one in records.comments.values():
        last = records.decisions[one.id][-1:]
        if last and (one.status, one.reason, one.version) != (
            last[0].status_after,
            last[0].reason,
            last[0].number,
        ):
            yield f"{one.id} is {one.status} ({one.reason}), its decision says {last[0].status_after}"


def what_has_no_score_is_held_as_unscored(records: Records) -> Iterator[str]:
    for one in _decisions(records, "policy"):
        has_score = (one.submission_id, one.model_version) in records.scored
        unscored = (one.status_after, one.reason) == ("held", "unscored")
        if has_score == unscored:
            yield f"{one.comment_id} was {one.action} for {one.reason}, has a score: {has_score}"


def nothing_is_approved_without_a_score(records: Records) -> Iterator[str]:
    for one in _decisions(records, "policy"):
        if one.action == Action.APPROVE and (one.submission_id, one.model_version) not in records.scored:
            yield one.comment_id


def exactly_the_held_wait_for_a_person(records: Records) -> Iterator[str]:
    for one in records.comments.values():
        items = records.open_items.get(one.id, ())
        waiting = len(items)
        # A published one too, while nobody answered its readers' reports, and what was drawn by lot.
        reported = one.status == "approved" and any(item.reports for item in items)
        drawn = one.status in {"approved", "rejected"} and any(item.sampling_probability for item in items)
        if waiting != (one.status == "held" or reported or drawn):
            yield f"{one.id} is {one.status} and has {waiting} open queue items"


def labels_agree_with_the_decisions(records: Records) -> Iterator[str]:
    reversed_ones = {one.reverses for every in records.decisions.values() for one in every}
    for one in _decisions(records, "moderator", "maintainer"):
        taught = labels_taught(Action(one.action), one.reason) if one.reverses is None else {}
        expected = {} if one.id in reversed_ones else taught
        if records.labels.get(one.id, {}) != expected:
            yield f"{one.comment_id}: {records.labels.get(one.id, {})} instead of {expected}"


RULES: tuple[Callable[[Records], Iterator[str]], ...] = (
    every_accepted_comment_exists,
    every_comment_is_decided,
    every_submission_is_judged_once,
    decisions_follow_each_other_without_a_gap,
    a_comment_stands_as_its_last_decision_says,
    what_has_no_score_is_held_as_unscored,
    nothing_is_approved_without_a_score,
    exactly_the_held_wait_for_a_person,
    labels_agree_with_the_decisions,
)


def _decisions(records: Records, *kinds: str) -> Iterator[Decision]:
    for every in records.decisions.values():
        yield from (one for one in every if one.actor_kind in kinds)


def _read(database: Database, accepted: Collection[str]) -> Records:
    with database.read() as session:
        decisions: dict[str, list[Decision]] = defaultdict(list)
        for one in session.scalars(select(Decision).order_by(Decision.comment_id, Decision.number)):
            decisions[one.comment_id].append(one)
        items: dict[str, list[QueueItem]] = defaultdict(list)
        for item in session.scalars(select(QueueItem).where(QueueItem.closed_at.is_(None))):
            items[item.comment_id].append(item)
        labels: dict[str, dict[str, bool]] = defaultdict(dict)
        for label in session.scalars(select(Label).where(Label.retracted_at.is_(None))):
            labels[label.decision_id or ""][label.category] = label.value
        return Records(
            accepted,
            {one.id: one for one in session.scalars(select(Comment))},
            {one.id: one for one in session.scalars(select(Submission))},
            decisions,
            items,
            {(one.submission_id, one.model_version) for one in session.scalars(select(Score))},
            labels,
        )
