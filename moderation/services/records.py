"""What became of earlier comments: those that link to the same domains, and those of the same author."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, select
from sqlalchemy.orm import Session, aliased

from moderation.domain.policy import AuthorRecord, DomainRecord
from moderation.models import Comment, Decision, LinkDomain, Submission
from moderation.services.lists import DIALECTS, dialect_of, pairs_in, parameter
from moderation.services.recall import by_people
from moderation.services.traces import Traces

# The latest are counted, so that a popular domain or a diligent author makes nothing slower.
MOST_OF_A_DOMAIN, MOST_OF_AN_AUTHOR = 50, 20
# Several counts in one number: each has two digits, so one pass over the comments yields all of them.
_PLACE = 100


def domain_records(session: Session, traces: Sequence[Traces]) -> dict[str, tuple[DomainRecord, ...]]:
    """The record of each domain that a submission links to, by submission, in the order of its links."""
    asked = sorted({(one.site_id, domain) for one in traces for domain in one.domains})
    if not asked:
        return {}
    dialect = dialect_of(session)
    sites, domains = zip(*asked, strict=True)
    told = {"site_id": parameter(sites, dialect), "domain": parameter(domains, dialect)}
    rows = session.execute(_OF_DOMAINS[dialect], told)
    found = {(row.site_id, row.domain): _domain_record(row.told) for row in rows}
    return {
        one.submission_id: tuple(found[one.site_id, domain] for domain in one.domains)
        for one in traces
        if one.domains
    }


def author_record(told: int | None) -> AuthorRecord:
    """The record that `told_of_author` packed into a number.

    >>> author_record(10203), author_record(None)
    (AuthorRecord(seen=6, approved=3, rejected=2), AuthorRecord(seen=0, approved=0, rejected=0))
    """
    approved, rejected, other = _unpacked(told, 3)
    return AuthorRecord(approved + rejected + other, approved, rejected)


def told_of_author() -> ColumnElement[Any]:
    """What became of the latest earlier comments of a comment's author, packed into one number."""
    earlier = aliased(Comment)
    latest = (
        select(
            case(
                (earlier.status == "approved", 1),
                (earlier.status == "rejected", _PLACE),
                else_=_PLACE**2,
            ).label("place")
        )
        .where(
            earlier.site_id == Comment.site_id,
            earlier.author_key == Comment.author_key,
            earlier.id < Comment.id,
        )
        .order_by(earlier.id.desc())
        .limit(MOST_OF_AN_AUTHOR)
        .correlate(Comment)
        .subquery()
    )
    return select(cast(func.sum(latest.c.place), BigInteger)).scalar_subquery()


def _domain_record(told: int | None) -> DomainRecord:
    approved, rejected, by_people, other = _unpacked(told, 4)
    rejected += by_people
    return DomainRecord(approved + rejected + other, approved, rejected, by_people)


def _unpacked(told: int | None, places: int) -> list[int]:
    return [(told or 0) // _PLACE**place % _PLACE for place in range(places)]


def _of_domains(dialect: str) -> Select[*tuple[Any, ...]]:
    wanted = pairs_in("wanted", "site_id", "domain", dialect)
    place = case(
        (Comment.status == "approved", 1),
        (and_(Comment.status == "rejected", by_people()), _PLACE**2),
        (Comment.status == "rejected", _PLACE),
        else_=_PLACE**3,
    )
    latest = (
        select(cast(place, BigInteger).label("place"))
        .select_from(LinkDomain)
        .join(Submission, Submission.id == LinkDomain.submission_id)
        .join(Comment, and_(Comment.id == Submission.comment_id, Comment.submission_id == Submission.id))
        .outerjoin(Decision, and_(Decision.comment_id == Comment.id, Decision.number == Comment.version))
        .where(LinkDomain.site_id == wanted.c.site_id, LinkDomain.domain == wanted.c.domain)
        .order_by(LinkDomain.submission_id.desc())
        .limit(MOST_OF_A_DOMAIN)
        .correlate(wanted)
        .subquery()
    )
    told = select(cast(func.sum(latest.c.place), BigInteger)).scalar_subquery()
    return select(wanted.c.site_id, wanted.c.domain, told.label("told"))


# Written once: putting a statement together takes longer than running it.
_OF_DOMAINS = {dialect: _of_domains(dialect) for dialect in DIALECTS}
