"""POST /1.1/comment-check"""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.database import Database
from moderation.models import Comment, Score, Site, Submission
from moderation.scoring import ModelError
from moderation.services.access import NewModerator, NewSite
from moderation.services.policies import change_policy
from tests.compat.akismet.conftest import BEYOND_DOUBT, FORM, MAYBE, SPAM, TOXIC, Door, Kept, answer, plain
from tests.conftest import ORIGIN, Api
from tests.fakes import FakeScorer


def set_policy(database: Database, site: NewSite, **changes: object) -> None:
    from datetime import UTC, datetime

    with database.write() as session:
        change_policy(session, site.site_id, changes, datetime.now(UTC))


def test_spam_is_true_and_ham_is_false_to_the_byte(door: Door) -> None:
    assert answer(door.check(SPAM)) == plain("true")
    assert answer(door.check("A kind word.")) == plain("false")


def test_doubtful_spam_is_true_too_so_that_the_site_puts_it_aside(door: Door) -> None:
    said = door.check(MAYBE)
    assert answer(said) == plain("true")
    assert "X-akismet-pro-tip" not in said.headers


def test_what_akismet_py_sends_is_answered(door: Door) -> None:
    key = door.site.akismet_key.encode()
    recorded = (
        b"api_key=%b&blog=https%%3A%%2F%%2Fblog.example.org&user_ip=203.0.113.9"
        b"&comment_content=hello&is_test=true" % key
    )
    said = door.send(
        "/1.1/comment-check", recorded, headers={"User-Agent": "akismet.py/25.10.1 | Python/3.11.7"}
    )
    assert answer(said) == plain("false")
    assert "X-akismet-guid" not in said.headers


def test_what_wordpress_sends_beside_the_comment_is_ignored(door: Door) -> None:
    body = (
        b"api_key=%b&blog=https%%3A%%2F%%2Fblog.example.org&user_ip=203.0.113.9&comment_author_url&"
        b"comment_content=score%%3Aspam%%3D0.95&comment_context[0]=news&comment_context[]=x&POST_comment=x"
        b"&HTTP_ACCEPT=*%%2F*&REMOTE_ADDR=1&REQUEST_URI=%%2F&akismet_comment_nonce=passed&&=&classify=1"
        b"&callback=http%%3A%%2F%%2F127.0.0.1%%2Fcallback&comment_post_modified_gmt=2026-01-01+10:00:00"
        % door.site.akismet_key.encode()
    )
    kind = "application/x-www-form-urlencoded; charset=UTF-8"
    assert answer(door.send("/1.1/comment-check", body, content_type=kind)) == plain("true")


@pytest.mark.parametrize("field", ["blog", "user_ip"])
def test_a_missing_field_is_named(door: Door, field: str) -> None:
    fields = {"api_key": door.site.akismet_key, "blog": ORIGIN, "user_ip": "1.2.3.4", "comment_content": "x"}
    del fields[field]
    said = door.client.post("/1.1/comment-check", data=fields)
    assert answer(said) == plain(f"Missing required field: {field}.")
    assert said.headers["X-akismet-debug-help"] == f'Empty "{field}" value'


def test_an_empty_address_is_taken_as_coral_sends_it(door: Door) -> None:
    assert answer(door.check("A kind word.", user_ip="")) == plain("false")


def test_a_bad_key_is_invalid_and_keeps_nothing(door: Door, kept: Kept) -> None:
    assert answer(door.check("A kind word.", api_key="aaaabbbbcccc")) == plain("invalid")
    assert kept.nothing()


def test_another_sites_blog_is_refused_and_keeps_nothing(door: Door, kept: Kept) -> None:
    said = door.check("A kind word.", blog="https://evil.example")
    assert answer(said) == plain("invalid")
    assert said.headers["X-akismet-alert-code"] == "10404"
    assert kept.nothing()


def test_a_site_without_origins_may_ask_for_any_blog(door: Door, database: Database) -> None:
    with database.write() as session:
        session.get_one(Site, door.site.site_id).allowed_origins = []
    assert answer(door.check("A kind word.", blog="http://anything.example")) == plain("false")


def test_a_check_is_kept_as_a_decided_comment_with_its_scores(
    door: Door, kept: Kept, database: Database
) -> None:
    door.check(SPAM, comment_author_email="r@example.org", comment_author_url="https://r.example")
    assert kept.comments() == [("rejected", "spam")]
    assert kept.decisions() == [("policy", "reject", "spam")]
    with database.read() as session:
        row = session.execute(
            select(Comment, Submission, Score)
            .join(Submission, Submission.id == Comment.submission_id)
            .join(Score, Score.submission_id == Submission.id)
        ).one()
    assert row.Score.spam == 0.95
    assert row.Submission.judged_at is not None
    assert row.Submission.context == {"door": "akismet"}
    assert row.Comment.author == {
        "name": "Reader",
        "email": "r@example.org",
        "url": "https://r.example",
        "ip": "203.0.113.9",
    }


def test_the_answer_names_the_comment(door: Door, kept: Kept) -> None:
    guid = door.check(SPAM).headers["X-akismet-guid"]
    assert guid == kept.all(Comment)[0].id


def test_no_worker_is_woken_and_none_finds_anything_to_do(door: Door, wake_ups, drain) -> None:
    door.check(SPAM)
    assert wake_ups.scoring == 0
    assert drain() == 0


def test_the_same_comment_again_is_kept_once(door: Door, kept: Kept) -> None:
    first, second = door.check(SPAM), door.check(SPAM, recheck_reason="recheck")
    assert answer(first) == answer(second) == plain("true")
    assert first.headers["X-akismet-guid"] == second.headers["X-akismet-guid"]
    assert len(kept.comments()) == 1


def test_an_edited_text_is_another_comment(door: Door, kept: Kept) -> None:
    door.check("A kind word.")
    assert answer(door.check(SPAM, recheck_reason="edit")) == plain("true")
    assert [status for status, _ in kept.comments()] == ["approved", "rejected"]


def test_what_is_beyond_doubt_may_be_discarded(door: Door) -> None:
    assert door.check(BEYOND_DOUBT).headers["X-akismet-pro-tip"] == "discard"
    assert "X-akismet-pro-tip" not in door.check(SPAM).headers


def test_doubtful_comments_stay_with_the_site_unless_it_wants_them_in_the_queue(
    door: Door, kept: Kept, database: Database, api: Api, bruno: NewModerator
) -> None:
    door.check(MAYBE)
    assert (kept.comments(), kept.open_items()) == ([("rejected", "spam")], 0)
    set_policy(database, door.site, queue_spam_checks=True)
    assert answer(door.check(MAYBE + " again")) == plain("true")
    assert len(api.queue(bruno)) == 1
    # Asked again, it is not there twice.
    door.check(MAYBE + " again")
    assert len(api.queue(bruno)) == 1


def test_toxicity_is_no_spam_unless_the_site_says_so(door: Door, kept: Kept, database: Database) -> None:
    assert answer(door.check(TOXIC)) == plain("false")
    assert kept.comments() == [("approved", "clean")]
    set_policy(database, door.site, toxic_is_spam=True)
    assert answer(door.check(TOXIC + " again")) == plain("true")
    assert kept.comments()[1] == ("rejected", "toxic")


def test_a_toxic_comment_that_is_spam_too_is_spam(door: Door) -> None:
    assert answer(door.check(f"{TOXIC} {MAYBE}")) == plain("true")


def test_a_site_that_holds_everything_is_told_true_and_never_to_discard(
    door: Door, database: Database
) -> None:
    set_policy(database, door.site, mode="hold_everything")
    assert answer(door.check("A kind word.")) == plain("true")
    assert "X-akismet-pro-tip" not in door.check(BEYOND_DOUBT).headers


@pytest.mark.parametrize(
    "fields",
    [
        {"comment_author": "akismet-guaranteed-spam"},
        {"comment_author": "viagra-test-123"},
        {"comment_author_email": "akismet-guaranteed-spam@example.com"},
    ],
)
def test_the_test_values_are_spam_and_keep_nothing(door: Door, kept: Kept, fields: dict[str, str]) -> None:
    assert answer(door.check("A kind word.", **fields)) == plain("true")
    said = door.check("A kind word.", test_discard="1", **fields)
    assert said.headers["X-akismet-pro-tip"] == "discard"
    assert kept.nothing()


@pytest.mark.parametrize("word", ["1", "true", "True"])
def test_a_test_is_answered_as_usual_and_keeps_nothing(door: Door, kept: Kept, word: str) -> None:
    assert answer(door.check(SPAM, is_test=word)) == plain("true")
    assert answer(door.check("A kind word.", is_test=word)) == plain("false")
    assert kept.nothing()


@pytest.mark.parametrize("word", ["0", "false", "False", ""])
def test_what_says_it_is_no_test_is_kept(door: Door, kept: Kept, word: str) -> None:
    door.check(SPAM, is_test=word)
    assert len(kept.comments()) == 1


def test_an_administrator_wins(door: Door, kept: Kept) -> None:
    assert answer(door.check(SPAM, user_role="administrator")) == plain("false")
    assert kept.comments() == [("approved", "trusted_role")]
    said = door.check("x", user_role="administrator", comment_author="akismet-guaranteed-spam", is_test="1")
    assert answer(said) == plain("false")


def test_a_site_may_distrust_roles(door: Door, database: Database) -> None:
    set_policy(database, door.site, trust_roles=False)
    assert answer(door.check(SPAM, user_role="administrator")) == plain("true")
    assert answer(door.check("A kind word.", user_role="administrator")) == plain("false")


def test_other_roles_are_not_trusted(door: Door) -> None:
    assert answer(door.check(SPAM, user_role="editor")) == plain("true")


@pytest.mark.parametrize(
    ("fields", "spam"),
    [
        ({"honeypot_field_name": "ak_hp", "ak_hp": "filled"}, True),
        ({"honeypot_field_name": "ak_hp", "ak_hp": ""}, False),
        ({"honeypot_field_name": "ak_hp"}, False),
        ({"hidden_honeypot_field": "filled"}, True),
        ({"honeypot_field_name": "other", "other": "", "hidden_honeypot_field": "filled"}, True),
        ({"honeypot_field_name": "comment_content"}, False),
    ],
)
def test_only_programs_fill_the_hidden_field(door: Door, fields: dict[str, str], spam: bool) -> None:
    assert answer(door.check("A kind word.", **fields)) == plain("true" if spam else "false")


def test_content_type_is_another_name_of_comment_type(door: Door, database: Database) -> None:
    door.check("A kind word.", content_type="forum-post")
    with database.read() as session:
        assert session.scalars(select(Submission.context)).one()["kind"] == "forum-post"


def test_a_sign_up_without_a_text_is_answered_and_not_kept(door: Door, kept: Kept) -> None:
    assert answer(door.check("", comment_type="signup")) == plain("false")
    assert kept.comments() == []


def test_a_text_that_is_too_long_is_judged_by_its_beginning_and_its_end(
    door: Door, database: Database
) -> None:
    assert answer(door.check("kind " * 12_000 + SPAM)) == plain("true")
    with database.read() as session:
        assert len(session.scalars(select(Submission.body)).one()) == 20_000


def test_a_text_in_another_charset_is_read(door: Door, database: Database) -> None:
    body = b"api_key=%b&blog=%b&user_ip=1.2.3.4&blog_charset=ISO-8859-7&comment_content=%%EA%%E1%%EB%%DC"
    said = door.send("/1.1/comment-check", body % (door.site.akismet_key.encode(), ORIGIN.encode()))
    assert answer(said) == plain("false")
    with database.read() as session:
        assert session.scalars(select(Submission.body)).one() == "καλά"


HOSTILE = {
    "NUL": b"a%00b",
    "no UTF-8": b"%ff%fe%80",
    "half a surrogate": b"%ed%a0%80",
    "broken escapes": b"%%zz%1",
    "markup": b"<script>alert(1)</script>",
    "SQL": b"'; DROP TABLE comments; --",
    "line ends": b"a%0d%0aX-Evil: 1",
    "right to left": "\u202egnp.exe".encode(),
}


@pytest.mark.parametrize(
    "where", ["comment_content", "comment_author", "permalink", "user_ip", "blog_charset"]
)
@pytest.mark.parametrize("what", HOSTILE)
def test_strange_bytes_are_judged_and_never_an_error(door: Door, what: str, where: str) -> None:
    body = b"api_key=%b&%b=%b&blog=%b&user_ip=1.2.3.4&comment_content=word" % (
        door.site.akismet_key.encode(),
        where.encode(),
        HOSTILE[what],
        ORIGIN.encode(),
    )
    said = door.send("/1.1/comment-check", body)
    assert answer(said) in (plain("true"), plain("false"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (b"\xff\xfe\x00", FORM),
        (b'{"api_key": 1}', "application/json"),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"&" * 10_000, FORM),
        (b"a[" * 10_000, "text/plain; charset=nonsense"),
    ],
)
def test_what_is_no_form_has_no_key(door: Door, body: bytes, kind: str) -> None:
    assert answer(door.send("/1.1/comment-check", body, content_type=kind)) == plain("invalid")


def test_too_much_is_refused_in_the_dialect(door: Door) -> None:
    said = door.send("/1.1/comment-check", b"comment_content=" + b"x" * 1_100_000)
    assert answer(said) == plain("Request too large.")
    assert said.headers["X-akismet-error"] == "too-large"


def test_an_address_is_no_place_for_a_comment(door: Door, kept: Kept) -> None:
    query = (
        f"/1.1/comment-check?api_key={door.site.akismet_key}&blog={ORIGIN}&user_ip=1.2.3.4&comment_content=x"
    )
    said = door.client.get(query)
    assert answer(said) == plain("Missing required field: comment_content.")
    assert kept.nothing()


def test_without_a_model_the_client_is_made_to_hold_the_comment(
    door: Door, kept: Kept, scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_comments: object) -> None:
        raise ModelError("no model")

    monkeypatch.setattr(scorer, "score", fail)
    for more in ({}, {"is_test": "1"}, {"user_role": "administrator"}):
        said = door.check("A kind word.", **more)
        assert answer(said) == plain("error")
        assert said.headers["X-akismet-error"]
    assert kept.nothing()


def test_a_score_that_is_no_number_is_none(
    door: Door, scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer(door.check("score:spam=nan")) == plain("error")


def test_a_text_the_model_fails_on_is_not_said_to_be_ham(door: Door) -> None:
    assert answer(door.check("poison")) == plain("error")


def test_a_failing_database_is_no_verdict_about_comment_or_key(
    door: Door, database: Database, monkeypatch: pytest.MonkeyPatch, client: FlaskClient
) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE spam_check_months")
    said = door.check("A kind word.")
    assert answer(said) == plain("error")
    assert said.headers["X-akismet-error"]
    with database.read() as session:
        assert session.scalars(select(Comment.id)).all() == []


def test_a_site_that_asks_too_often_is_told_how_long_to_wait(
    door: Door, settings, database: Database, wake_ups, scorer, app
) -> None:
    from dataclasses import replace

    from moderation.api.service import Service
    from moderation.setting_values import Rate

    few = replace(settings, rate_site=Rate(1, 60))
    app.extensions["greenroom"] = Service(few, database, wake_ups, scorer)
    assert answer(door.check("A kind word.")) == plain("false")
    said = door.check("Another.")
    assert (said.status_code, said.data) == (429, b"Too many requests.")
    assert int(said.headers["Retry-After"]) > 0
    assert said.headers["X-akismet-error"]


def test_an_address_that_every_blog_demands_is_kept_and_not_scored(
    door: Door, kept: Kept, scorer: FakeScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Any] = []
    score = scorer.score
    monkeypatch.setattr(scorer, "score", lambda comments: judged.extend(comments) or score(comments))
    door.check("A kind word.", comment_author_email="r@example.org", comment_author_url="https://r.example")
    (comment,) = judged
    assert comment["author"] == {"name": "Reader", "email": None, "url": "https://r.example"}
    assert kept.all(Comment)[0].author["email"] == "r@example.org"


def test_no_text_is_logged(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for text in ("a secret poison", f"a secret {SPAM}", "a secret word"):
        door.check(text)
    assert "secret" not in caplog.text
