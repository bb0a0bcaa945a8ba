"""Two at once at the doors that answer at once: checks of one comment, reports about one comment"""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from moderation.database import Database
from moderation.domain.status import Action
from moderation.models import Comment, Decision, Label, QueueItem, SpamCheckMonth
from moderation.services.access import ModeratorCaller, NewModerator, NewSite
from moderation.services.moderate import Ruling, decide_item
from moderation.services.policies import change_policy
from moderation.services.site_feedback import learn_about_comment
from tests.compat.akismet.conftest import MAYBE, SPAM, Door, Kept
from tests.conftest import caller
from tests.together import together

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def doors(app: Flask, alma: NewSite) -> list[Door]:
    """As many clients of one site."""
    return [Door(app.test_client(), alma) for _ in range(6)]


def test_one_comment_asked_about_by_many_at_once_is_kept_once(doors: list[Door], database: Database) -> None:
    found = together([lambda door=door: door.check(SPAM) for door in doors])  # type: ignore[misc]
    assert [one.data for one in found] == [b"true"] * 6  # type: ignore[union-attr]
    assert len({one.headers["X-akismet-guid"] for one in found}) == 1  # type: ignore[union-attr]
    kept = Kept(database)
    assert (len(kept.all(Comment)), len(kept.all(Decision))) == (1, 1)
    (month,) = kept.all(SpamCheckMonth)
    assert (month.calls, month.spam) == (6, 6)


def test_of_contrary_reports_at_once_one_is_in_force(doors: list[Door], database: Database) -> None:
    doors[0].check("A kind word.")
    calls = [door.say_spam if n % 2 else door.say_ham for n, door in enumerate(doors)]
    together([lambda call=call: call("A kind word.") for call in calls])  # type: ignore[misc]
    kept = Kept(database)
    ((_, spam, _),) = kept.labels()
    assert kept.comments() == [("rejected", "spam") if spam else ("approved", "clean")]


def test_a_moderator_and_the_site_at_once_leave_no_open_item(
    doors: list[Door], database: Database, bruno: NewModerator
) -> None:
    with database.write() as session:
        change_policy(session, doors[0].site.site_id, {"queue_spam_checks": True}, NOW)
    doors[0].check(MAYBE)
    with database.read() as session:
        item = session.scalars(select(QueueItem)).one()
        comment = session.scalars(select(Comment)).one()
    by: ModeratorCaller = caller(bruno)

    def moderate() -> object:
        with database.write() as session:
            return decide_item(session, item.id, None, Ruling(Action.REJECT, "spam"), by, NOW)

    def report() -> object:
        with database.write() as session:
            return learn_about_comment(session, comment.site_id, comment.id, spam=False, now=NOW)

    together([moderate, report])
    kept = Kept(database)
    assert kept.open_items() == 0
    with database.read() as session:
        latest = session.scalars(select(Decision).order_by(Decision.number.desc())).first()
        assert latest is not None
        assert session.scalars(select(Comment.status)).one() == latest.status_after
        assert session.scalars(select(Label).where(Label.source == "akismet")).one().value is False
