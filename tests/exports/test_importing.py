"""A site's history comes in: what is stored of it, what it teaches, and as whose work it does not count"""

import io
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from moderation import importing, metrics
from moderation.database import Database
from moderation.domain.circuit_breaker import Record
from moderation.domain.webhooks import Event
from moderation.exports.found import Fate, NotAnExport
from moderation.importing import KINDS, Report, import_history
from moderation.models import (
    Comment,
    Decision,
    Label,
    LinkDomain,
    Memory,
    Submission,
    Thread,
    WebhookDelivery,
    first_id,
)
from moderation.scoring import words_of
from moderation.services import following
from moderation.services.access import NewModerator, NewSite
from moderation.services.decided import DecidedFilters, search_decisions
from moderation.services.errors import NotFound
from moderation.services.following import follow_decisions
from moderation.services.labels import labelled_comments
from moderation.services.model_records import records_of
from moderation.services.moderate import reverse
from moderation.services.policies import change_policy
from moderation.services.statistics import gauges, statistics
from moderation.services.webhooks import EndpointWish, create_endpoint
from tests.conftest import Api, caller, make_site
from tests.exports.written import Comment as Written
from tests.exports.written import a_comment, comment_lines, disqus, isso, wordpress
from tests.together import together
from workers.process import Process
from workers.proving import prove_process

Drain = Callable[[], int]
DAY = timedelta(days=1)
ONE_OF_EACH = [
    a_comment(1),
    a_comment(2, Fate.SPAM),
    a_comment(3, Fate.PENDING),
    a_comment(4, Fate.DELETED),
    a_comment(5, parent="1"),
]


def take(
    database: Database, site: NewSite, comments: Iterable[Written], kind: str = "wordpress", **how: Any
) -> dict[str, int]:
    """Import these comments as a file of this kind; gives the figures."""
    write = {"wordpress": wordpress, "disqus": disqus, "jsonl": comment_lines}[kind]
    source = io.BytesIO(write(comments).encode())
    report = Report()
    import_history(database, site.site_id, KINDS[kind], KINDS[kind].read(source), report, **how)
    return {name: count for name, count in report.figures().items() if count}


def rows(database: Database, table: Any, *order: Any) -> list[Any]:
    with database.read() as session:
        return list(session.scalars(select(table).order_by(*order)))


def count(database: Database, table: Any) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def recently(hours: float) -> str:
    """A time of not long ago, as exports write it."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}"


def test_what_was_decided_is_stored_as_decided_and_what_was_deleted_is_left_out(
    database: Database, alma: NewSite
) -> None:
    assert take(database, alma, ONE_OF_EACH) == {"approved": 2, "rejected": 1, "pending": 1, "deleted": 1}
    comments = rows(database, Comment, Comment.id)
    told = [(one.external_id, one.status, one.reason, one.version) for one in comments]
    assert told == [
        ("wordpress:1", "approved", "clean", 2),
        ("wordpress:2", "rejected", "spam", 2),
        ("wordpress:3", "pending", None, 1),
        ("wordpress:5", "approved", "clean", 2),
    ]
    # Ids and times are those of the comment, so the order is that of the page.
    assert comments[0].created_at == comments[0].decided_at == datetime(2020, 3, 1, 0, 1, tzinfo=UTC)
    assert comments[3].parent_id == comments[0].id
    assert comments[0].author == {"name": "Reader 1", "email": "reader1@example.org", "ip": "203.0.113.7"}
    (thread,) = rows(database, Thread)
    assert (thread.key, thread.url, thread.title) == (
        "https://blog.example/a-post/",
        "https://blog.example/a-post/",
        "A post",
    )
    assert thread.created_at == datetime(2020, 2, 1, tzinfo=UTC)


def test_its_decisions_are_those_of_an_import(database: Database, alma: NewSite) -> None:
    take(database, alma, ONE_OF_EACH)
    decisions = rows(database, Decision, Decision.id)
    assert [(one.action, one.actor_kind, one.number) for one in decisions] == [
        ("approve", "import", 2),
        ("reject", "import", 2),
        ("approve", "import", 2),
    ]
    assert [one.status_before for one in decisions] == ["pending"] * 3
    assert decisions[0].created_at == datetime(2020, 3, 1, 0, 1, tzinfo=UTC)
    assert decisions[0].id < first_id("dec", datetime(2020, 3, 1, 0, 2, tzinfo=UTC))


def test_it_teaches_what_such_decisions_teach_at_the_time_they_were_made(
    database: Database, alma: NewSite
) -> None:
    take(database, alma, ONE_OF_EACH)
    labels = rows(database, Label, Label.created_at, Label.category)
    assert [(one.category, one.value) for one in labels] == [
        ("spam", False),
        ("toxicity", False),
        ("spam", True),
        ("spam", False),
        ("toxicity", False),
    ]
    assert {(one.source, one.site_id, one.explicit) for one in labels} == {("import", alma.site_id, False)}
    assert all(one.decision_id for one in labels)
    with database.read() as session:
        examples = list(labelled_comments(session, alma.site_id))
    assert [one.at.minute for one in examples] == [1, 2, 5]


def test_the_worker_takes_only_what_was_not_decided(
    api: Api, alma: NewSite, database: Database, drain: Drain
) -> None:
    pending = [a_comment(n, Fate.PENDING, body=f"score:spam={n / 10} words") for n in (1, 7)]
    take(database, alma, [*pending, a_comment(3), a_comment(4, Fate.SPAM)])
    assert drain() == 2
    kinds = {one.comment_id: one.actor_kind for one in rows(database, Decision)}
    fates = {one.external_id: (one.status, kinds[one.id]) for one in rows(database, Comment)}
    assert fates == {
        "wordpress:1": ("approved", "policy"),
        "wordpress:3": ("approved", "import"),
        "wordpress:4": ("rejected", "import"),
        "wordpress:7": ("held", "policy"),
    }


def test_what_waits_waits_from_now_on(
    database: Database, alma: NewSite, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(database, alma, [a_comment(1, Fate.PENDING)])
    (waiting,) = rows(database, Submission)
    now = datetime.now(UTC)
    assert now - waiting.created_at < timedelta(minutes=1)
    with database.read() as session:
        assert gauges(session, now)["submissions_oldest_waiting_seconds"] < 60
    counted: list[tuple[Any, ...]] = []
    monkeypatch.setattr(metrics, "committed", counted.extend)
    drain()
    (decided,) = (one for one in counted if one[0] == "decided")
    assert decided[:3] == ("decided", "policy", "approve")
    assert decided[4] < 60


@pytest.mark.parametrize("kind", ["wordpress", "disqus", "jsonl"])
def test_the_same_file_once_more_adds_nothing(database: Database, alma: NewSite, kind: str) -> None:
    tables = (Comment, Submission, Decision, Label, Thread)
    take(database, alma, ONE_OF_EACH, kind)
    before = [count(database, table) for table in tables]
    assert take(database, alma, ONE_OF_EACH, kind) == {"already_there": 4, "deleted": 1}
    assert [count(database, table) for table in tables] == before
    assert before[:2] == [4, 4]


def test_what_became_of_a_comment_since_is_not_touched(
    database: Database, alma: NewSite, bruno: NewModerator
) -> None:
    take(database, alma, ONE_OF_EACH)
    decision = rows(database, Decision, Decision.id)[0]
    with database.write() as session:
        reverse(session, decision.id, caller(bruno), datetime.now(UTC))
    take(database, alma, ONE_OF_EACH)
    assert rows(database, Comment, Comment.id)[0].status == "held"
    # And what the import taught of it is taken back with it.
    assert sum(one.retracted_at is not None for one in rows(database, Label)) == 2


def test_the_same_history_may_come_to_two_sites(database: Database, alma: NewSite) -> None:
    other = make_site(database)
    assert take(database, alma, ONE_OF_EACH) == take(database, other, ONE_OF_EACH)


def test_a_comment_that_is_in_the_file_twice_comes_once(database: Database, alma: NewSite) -> None:
    assert take(database, alma, [a_comment(1), a_comment(1, Fate.SPAM)]) == {
        "approved": 1,
        "already_there": 1,
    }


def test_two_who_import_the_same_at_once_take_turns(database: Database, alma: NewSite) -> None:
    comments = [a_comment(n, parent=str(n - 1)) for n in range(1, 700)]
    results = together([lambda: take(database, alma, comments)] * 3)
    assert sum(one.get("approved", 0) for one in results if isinstance(one, dict)) == 699
    assert count(database, Comment) == count(database, Decision) == 699


def test_nothing_is_written_when_it_is_only_asked(database: Database, alma: NewSite) -> None:
    told = take(database, alma, ONE_OF_EACH, dry_run=True)
    assert told == {"approved": 2, "rejected": 1, "pending": 1, "deleted": 1}
    assert count(database, Comment) == count(database, Thread) == 0
    take(database, alma, ONE_OF_EACH[:2])
    assert take(database, alma, ONE_OF_EACH, dry_run=True)["already_there"] == 2


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_site_that_does_not_exist_is_refused(database: Database, dry_run: bool) -> None:
    with pytest.raises(NotFound):
        import_history(database, "site_x", KINDS["jsonl"], [], Report(), dry_run=dry_run)


def test_comments_come_in_pieces_of_their_own_commits(
    database: Database, alma: NewSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "COMMENTS_TOGETHER", 10)
    text = wordpress(a_comment(n) for n in range(1, 26))
    source = io.BytesIO(text[: text.index("Comment number 24")].encode())
    report = Report()
    with pytest.raises(NotAnExport):
        import_history(database, alma.site_id, KINDS["wordpress"], KINDS["wordpress"].read(source), report)
    # What came before the end of the file stays, and the whole file completes it.
    assert report.figures()["approved"] == count(database, Comment) == 23
    assert take(database, alma, [a_comment(n) for n in range(1, 26)]) == {"approved": 2, "already_there": 23}


def test_a_comment_that_cannot_be_used_is_told_by_its_id_and_the_rest_goes_on(
    database: Database, alma: NewSite
) -> None:
    comments = [
        a_comment(1, body=" \n "),
        a_comment(2, body="x" * 20_001),
        a_comment(3, body="a\0b"),
        a_comment(4, at="never"),
        a_comment(5, page="x" * 600),
        a_comment(6),
        a_comment(7, id="a &amp; b"),
    ]
    report = Report()
    source = io.BytesIO(wordpress(comments).replace("2001-01-01 00:00:00", "").encode())
    import_history(database, alma.site_id, KINDS["wordpress"], KINDS["wordpress"].read(source), report)
    assert report.figures() | {"approved": 1, "refused": 6} == report.figures()
    assert [which for which, _ in report.problems] == [
        *(f"comment {n}" for n in range(1, 5)),
        "comment without a usable id",
        "comment 5",
    ]
    assert "NUL" in report.problems[2][1]
    assert "xxx" not in str(report.problems)


def test_what_cannot_be_used_of_an_author_is_left_out(database: Database, alma: NewSite) -> None:
    odd = a_comment(1, name=" ", email="e" * 400, ip="unknown", url="u" * 3000)
    take(database, alma, [odd, a_comment(2, name="n" * 300)])
    first, second = rows(database, Comment, Comment.id)
    assert first.author == {"name": "Anonymous"}
    assert second.author["name"] == "n" * 200


def test_a_time_to_come_is_now(database: Database, alma: NewSite) -> None:
    take(database, alma, [a_comment(1, at="2199-01-01 00:00:00")])
    (comment,) = rows(database, Comment)
    assert comment.created_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("by", "key"), [("url", "https://blog.example/a-post/"), ("path", "/a-post/"), ("id", "a-post-own")]
)
def test_threads_get_the_id_that_the_blogs_form_sends(
    database: Database, alma: NewSite, by: str, key: str
) -> None:
    take(database, alma, [a_comment(1)], "disqus", thread_id=by)
    assert [one.key for one in rows(database, Thread)] == [key]


def test_a_thread_that_is_there_is_used_and_stays_as_it_is(
    api: Api, database: Database, alma: NewSite
) -> None:
    api.hand_in(alma, thread={"id": "a-post", "title": "Mine"})
    take(database, alma, [a_comment(1)], "jsonl")
    (thread,) = rows(database, Thread)
    assert thread.title == "Mine"
    # Lines have the site's own ids.
    assert "1" in {one.external_id for one in rows(database, Comment)}


def test_a_reply_may_come_before_what_it_answers_and_what_it_answers_may_be_missing(
    database: Database, alma: NewSite
) -> None:
    comments = [a_comment(1, parent="2"), a_comment(2), a_comment(3, parent="9"), a_comment(4, parent="4")]
    take(database, alma, [*comments, a_comment(5, page="elsewhere", parent="2")])
    first, second, *others = rows(database, Comment, Comment.id)
    assert first.parent_id == second.id
    assert [one.parent_id for one in others] == [None, None, None]


def test_approved_comments_are_shown_in_their_order_before_the_new_ones(
    api: Api, database: Database, alma: NewSite, drain: Drain
) -> None:
    api.hand_in(alma, "The newest.", thread={"id": "a-post"})
    drain()
    take(database, alma, [a_comment(2), a_comment(1)], "jsonl")
    answer = api.call("GET", "/api/v1/threads/a-post/comments", alma.secret_key).get_json()
    assert [one["body"] for one in answer["items"]] == [
        "Comment number 1 of this page.",
        "Comment number 2 of this page.",
        "The newest.",
    ]


def test_isso_comes_in_like_the_others(database: Database, alma: NewSite, tmp_path: Path) -> None:
    path = isso([one for one in ONE_OF_EACH if one["fate"] is not Fate.SPAM], tmp_path / "comments.db")
    report = Report()
    with path.open("rb") as source:
        import_history(database, alma.site_id, KINDS["isso"], KINDS["isso"].read(source), report)
    assert report.figures() | {"approved": 2, "pending": 1, "deleted": 1} == report.figures()
    assert [one.key for one in rows(database, Thread)] == ["/a-post/"]


def test_no_endpoint_is_told_of_what_was_decided_elsewhere(
    api: Api, database: Database, alma: NewSite, drain: Drain
) -> None:
    wish = EndpointWish(alma.site_id, "https://hooks.example/", [Event.APPROVED, Event.REJECTED])
    with database.write() as session:
        create_endpoint(session, wish, datetime.now(UTC))
    take(database, alma, ONE_OF_EACH)
    assert count(database, WebhookDelivery) == 0
    drain()
    # The one that waited is decided here, and that is news.
    assert count(database, WebhookDelivery) == 1


BODY = "Cheap lamps with a link to https://lamps.example/ and some more words after it, all of them the same."


def test_imported_decisions_are_no_memory_of_people(
    api: Api, database: Database, alma: NewSite, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SETTLED", timedelta(seconds=-5))
    take(database, alma, [a_comment(n, Fate.SPAM, body=f"{BODY} {n}", at=recently(n)) for n in range(1, 5)])
    with database.write() as session:
        follow_decisions(session, words_of, datetime.now(UTC), 100)
    assert count(database, Memory) == 0
    copy = api.hand_in(alma, f"{BODY} 5")["id"]
    drain()
    assert api.fate(alma, copy)[0] == "approved"


def test_domains_of_younger_approved_comments_are_known_from_then_on(
    api: Api, database: Database, alma: NewSite, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SETTLED", timedelta(seconds=-5))
    with database.write() as session:
        change_policy(session, alma.site_id, {"hold_new_domains": True}, datetime.now(UTC))
    spam = a_comment(3, Fate.SPAM, body="See https://spam.example/", at=recently(1))
    take(database, alma, [a_comment(1, body=BODY, at=recently(1)), a_comment(2, body=BODY), spam])
    for _ in range(2):
        assert [one.domain for one in rows(database, LinkDomain)] == ["lamps.example"]
        with database.write() as session:
            follow_decisions(session, words_of, datetime.now(UTC), 100)
    linked = {
        name: api.hand_in(alma, f"See https://{name}.example/ for it")["id"]
        for name in ("lamps", "spam", "other")
    }
    drain()
    fates = {name: api.fate(alma, one)[0] for name, one in linked.items()}
    assert fates == {"lamps": "approved", "spam": "held", "other": "held"}


def test_an_author_of_the_history_is_no_stranger(
    api: Api, database: Database, alma: NewSite, drain: Drain
) -> None:
    with database.write() as session:
        change_policy(session, alma.site_id, {"hold_first_comments": True}, datetime.now(UTC))
    take(database, alma, [a_comment(1)])
    author = {"name": "Reader 1", "email": "reader1@example.org"}
    known = api.hand_in(alma, "Me again.", author=author)["id"]
    other = api.hand_in(alma, "Hello.", author={"name": "New", "email": "new@example.org"})["id"]
    drain()
    assert (api.fate(alma, known)[0], api.fate(alma, other)[0]) == ("approved", "held")


def test_statistics_tell_imported_decisions_apart_from_the_policys_and_peoples(
    api: Api, database: Database, alma: NewSite, drain: Drain
) -> None:
    api.hand_in(alma, "score:spam=0.7 held")
    drain()
    take(database, alma, [a_comment(n, at=recently(n)) for n in range(1, 9)])
    with database.read() as session:
        day = statistics(session, datetime.now(UTC))["last_day"]
    assert day["decisions"] == {"policy": {"hold": 1}, "import": {"approve": 8}}
    assert (day["automation_share"], day["seconds_to_decision"]["p50"]) == (0.0, None)


def test_the_circuit_breaker_does_not_count_them(
    api: Api, database: Database, alma: NewSite, drain: Drain
) -> None:
    api.hand_in(alma, "A kind word.")
    drain()
    take(database, alma, [a_comment(n, Fate.SPAM, at=recently(n)) for n in range(1, 9)])
    with database.read() as session:
        records = records_of(session, "fake-1", datetime.now(UTC) - DAY)
    assert records == {alma.site_id: Record(decided=1, approved=1, automatic=1, corrected=0)}


def test_promises_rest_on_no_imported_decision(
    api: Api, database: Database, process: Process, alma: NewSite, bruno: NewModerator, carla: NewModerator
) -> None:
    with database.write() as session:
        change_policy(session, alma.site_id, {"promises": {"spam": {"publish": 0.8}}}, datetime.now(UTC))
    take(database, alma, [a_comment(n, at=recently(n)) for n in range(1, 31)])
    prove_process(process)
    answer = api.call("GET", f"/api/v1/sites/{alma.site_id}/promises", carla.key).get_json()
    (promise,) = answer["items"]
    assert (promise["proof"]["seen"], promise["proof"]["missing"]) == (0, 17)


def test_they_are_found_in_the_history_of_decisions(
    database: Database, alma: NewSite, bruno: NewModerator
) -> None:
    take(database, alma, ONE_OF_EACH)
    with database.read() as session:
        by = {
            who: len(search_decisions(session, DecidedFilters(by=who), datetime.now(UTC)))
            for who in ("import", "people", "policy")
        }
    assert by == {"import": 3, "people": 0, "policy": 0}


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just([])
MEMBERS = st.dictionaries(
    st.sampled_from(["id", "name", "email", "url", "title", "ip", "created_at"]), ANYTHING
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_a_line_says_it_is_stored_or_refused(
    database: Database, alma: NewSite, data: st.DataObject
) -> None:
    line = {
        "id": data.draw(ANYTHING | st.just("1")),
        "status": data.draw(st.sampled_from(["approved", "spam", "pending", "deleted", None, 1])),
        "created_at": data.draw(ANYTHING | st.datetimes().map(str)),
        "body": data.draw(ANYTHING),
        "author": data.draw(ANYTHING | MEMBERS),
        "thread": data.draw(ANYTHING | MEMBERS | st.just({"id": "a-post"})),
        "parent_id": data.draw(ANYTHING),
    }
    report = Report()
    found = KINDS["jsonl"].read(io.BytesIO(json.dumps(line).encode()))
    import_history(database, alma.site_id, KINDS["jsonl"], found, report)
    assert sum(report.figures().values()) == 1
