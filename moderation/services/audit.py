"""The record of administration: written in the transaction of the act itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.models import AuditLine, new_id

# Who acts from the command line of the machine itself has no name here.
COMMAND_LINE = "command line"
# How a model came into force, and what that is called here.
ACTS = {"promotion": "model promoted", "rollback": "model rolled back"}


def record(session: Session, actor: str, act: str, subject: str, now: datetime, **details: Any) -> None:
    """Keep that somebody did something; details hold no secret and no comment."""
    session.add(
        AuditLine(id=new_id("aud"), actor=actor, act=act, subject=subject, details=details, created_at=now)
    )


def latest_acts(session: Session, limit: int = 50, *, subject: str | None = None) -> Sequence[AuditLine]:
    """The newest acts first, of one subject if named."""
    query = select(AuditLine).order_by(AuditLine.id.desc()).limit(limit)
    return session.scalars(query if subject is None else query.where(AuditLine.subject == subject)).all()
