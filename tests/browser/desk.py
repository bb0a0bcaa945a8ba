"""The console in a real browser: people to sign in as, and comments to decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import update

from moderation.blog import THREAD
from moderation.domain.policy import Finding
from moderation.domain.status import Action
from moderation.models import Comment, Moderator, QueueItem, Role, Submission
from moderation.services.accept import NewComment, accept
from moderation.services.access import create_moderator
from moderation.services.change import lock_comment
from moderation.services.decide import POLICY, Act, record_decision
from moderation.settings import load_settings
from tests.browser.conftest import Blog

if TYPE_CHECKING:
    from playwright.sync_api import Page

_FOUND = (Finding("category_scores", Action.HOLD, "spam", "spam 0.70, held from 0.50"),)


@dataclass(frozen=True)
class Desk:
    """The console of the service under test."""

    blog: Blog

    def key(self, name: str, role: Role = Role.MODERATOR) -> str:
        """Somebody who may sign in, made anew for each test."""
        settings = load_settings({"GREENROOM_HOME": str(self.blog.home)})
        with self.blog.database.write() as session:
            session.execute(
                update(Moderator).where(Moderator.name == name).values(name=f"{name} {datetime.now(UTC)}")
            )
            return create_moderator(
                session, name, role, secret=settings.secret_key, now=datetime.now(UTC)
            ).key

    def hold(self, *bodies: str, name: str = "Ines") -> list[str]:
        """Comments that wait for a person, in one commit; gives their ids."""
        now, ids = datetime.now(UTC), []
        with self.blog.database.write() as session:
            for body in bodies:
                new = NewComment(THREAD, body, {"name": name}, self.blog.url + "/", "A post")
                comment_id = accept(session, self.blog.site_id, new, now).comment_id
                comment = lock_comment(session, comment_id)
                act = Act(Action.HOLD, "spam", POLICY, comment.submission_id, findings=_FOUND, top_score=0.7)
                record_decision(session, comment, act, now)
                ids.append(comment_id)
            session.execute(update(Submission).where(Submission.judged_at.is_(None)).values(judged_at=now))
        return ids

    def empty(self) -> None:
        """Start the next test with nothing to decide; past the one writer of status, for speed."""
        with self.blog.database.write() as session:
            values = {"closed_at": datetime.now(UTC), "claimed_by": None, "claimed_until": None}
            session.execute(update(QueueItem).where(QueueItem.closed_at.is_(None)).values(values))

    def statuses(self, ids: list[str]) -> list[str]:
        with self.blog.database.read() as session:
            return [session.get_one(Comment, one).status for one in ids]


def sign_in(page: Page, key: str) -> None:
    page.goto("/console")
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", name="Queue", exact=True).wait_for()
    # The script that listens to keys runs before this.
    page.wait_for_load_state("load")


def cards(page: Page) -> int:
    return page.locator("[data-card]").count()
