"""POST /coral/moderation-phase/{site}"""

import doctest
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from moderation.compat.coral import signature, text
from moderation.compat.coral.signature import signed_with
from moderation.compat.coral.text import words_of
from moderation.database import Database
from moderation.models import Comment
from moderation.services.access import NewSite
from moderation.services.policies import change_policy
from moderation.services.shared_secrets import CORAL, keep_secret, secret_of
from tests.compat.akismet.conftest import Kept
from workers.cli import main

SECRET, OLD = "ssec_the_secret_of_the_phase", "ssec_the_one_before"
Ask = Callable[..., TestResponse]


def sign(body: bytes, *secrets: str) -> str:
    """The header as Coral writes it."""
    return ",".join(f"sha256={hmac.new(s.encode(), body, hashlib.sha256).hexdigest()}" for s in secrets)


def recorded(html: str) -> bytes:
    """What Coral sends, as its code puts it together: two spaces of indentation."""
    sent = {
        "action": "NEW",
        "comment": {"body": html, "parentID": None},
        "author": {"id": "9a1b", "role": "COMMENTER"},
        "story": {"id": "77", "url": "https://news.example.org/story"},
        "site": {"id": "1"},
        "tenantID": "t",
        "tenantDomain": "coral.example.org",
    }
    return json.dumps(sent, indent=2).encode()


@pytest.fixture
def ask(client: FlaskClient, alma: NewSite, database: Database) -> Ask:
    """Ask as Coral does, with the site's secret."""
    with database.write() as session:
        keep_secret(session, alma.site_id, CORAL, SECRET, datetime.now(UTC))

    def asked(
        html: str = "", body: bytes | None = None, site: str | None = None, **headers: str
    ) -> TestResponse:
        data = recorded(html) if body is None else body
        sent = {"X-Coral-Signature": sign(data, SECRET)} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        path = f"/coral/moderation-phase/{site or alma.site_id}"
        return client.post(path, data=data, headers=sent, content_type="application/json")

    return asked


@pytest.mark.parametrize("module", [signature, text], ids=lambda m: m.__name__)
def test_its_examples_are_true(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_there_is_nothing_to_say_about_a_kind_word(ask: Ask) -> None:
    said = ask("<div>A kind word.</div>")
    assert (said.status_code, said.data) == (204, b"")


@pytest.mark.parametrize(
    ("html", "status", "flags"),
    [
        ("score:spam=0.95", "REJECTED", ["COMMENT_DETECTED_SPAM"]),
        ("score:spam=0.6", "SYSTEM_WITHHELD", ["COMMENT_DETECTED_SPAM"]),
        ("<div>score:toxicity=0.95</div>", "REJECTED", ["COMMENT_DETECTED_TOXIC"]),
        ("score:insult=0.6", "SYSTEM_WITHHELD", ["COMMENT_DETECTED_TOXIC"]),
        (
            "score:spam=0.95 score:toxicity=0.6",
            "REJECTED",
            ["COMMENT_DETECTED_SPAM", "COMMENT_DETECTED_TOXIC"],
        ),
    ],
)
def test_a_verdict_is_told_in_corals_words(ask: Ask, html: str, status: str, flags: list[str]) -> None:
    said = ask(html)
    assert (said.status_code, said.content_type) == (200, "application/json")
    actions = [{"actionType": "FLAG", "reason": flag} for flag in flags]
    assert said.get_json() == {"status": status, "actions": actions}


def test_nothing_is_kept(ask: Ask, database: Database) -> None:
    ask("score:spam=0.95")
    assert Kept(database).all(Comment) == []


def test_the_sites_policy_decides(ask: Ask, alma: NewSite, database: Database) -> None:
    with database.write() as session:
        change_policy(session, alma.site_id, {"blocked_words": ["gadget"]}, datetime.now(UTC))
    assert ask("<p>Buy a <b>gadget</b></p>").get_json() == {"status": "SYSTEM_WITHHELD", "actions": []}


def test_one_fitting_signature_of_several_is_enough(ask: Ask) -> None:
    body = recorded("A kind word.")
    for header in (sign(body, OLD, SECRET), sign(body, SECRET, OLD).replace(",", ", ")):
        assert ask(body=body, X_Coral_Signature=header).status_code == 204


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        "sha256",
        ",,,",
        "sha1=" + sign(recorded("x"), SECRET).removeprefix("sha256="),
        sign(recorded("x"), OLD),
        sign(recorded("y"), SECRET),
        sign(recorded("x"), ""),
        "sha256=\xe9",
        "sha256=" + "0" * 64,
    ],
)
def test_without_a_fitting_signature_nobody_is_answered(ask: Ask, header: str) -> None:
    assert ask(body=recorded("x"), X_Coral_Signature=header).status_code == 401


def test_an_unknown_site_is_answered_as_a_wrong_signature(ask: Ask) -> None:
    body = recorded("x")
    unknown = ask(body=body, site="site_nobody", X_Coral_Signature=sign(body, ""))
    wrong = ask(body=body, X_Coral_Signature=sign(body, OLD))
    assert (unknown.status_code, unknown.data) == (wrong.status_code, wrong.data) == (401, unknown.data)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"comment": {"body": 1}}', b"[" * 30_000, b'{"comment": []}'],
)
def test_what_is_no_comment_is_refused_without_a_stack_trace(ask: Ask, body: bytes) -> None:
    said = ask(body=body)
    assert (said.status_code, said.data) == (400, b"no comment in it")


def test_half_a_character_and_a_nul_are_read(ask: Ask) -> None:
    assert ask(body=b'{"comment": {"body": "\\ud800 \\u0000 kind"}}').status_code == 204


def test_too_much_is_refused(ask: Ask) -> None:
    assert ask(body=b"x" * 70_000).status_code == 413


def test_what_cannot_be_scored_is_kept_back(ask: Ask) -> None:
    assert ask("poison").get_json() == {"status": "SYSTEM_WITHHELD"}


def test_a_failing_database_keeps_the_comment_back(ask: Ask, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE shared_secrets")
    said = ask("A kind word.")
    assert (said.status_code, said.get_json()) == (200, {"status": "SYSTEM_WITHHELD"})


@given(st.text())
def test_any_html_has_words(html: str) -> None:
    assert "\0" not in words_of(html)


@given(st.text(min_size=1), st.binary(), st.text())
def test_any_header_can_be_checked(secret: str, body: bytes, header: str) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    assert signed_with(secret, body, sign(body, secret))
    assert not signed_with(secret, body, header)


@pytest.fixture
def run(database_url: str, tmp_path: Any, alma: NewSite) -> Callable[..., Any]:
    """The command line on this test's database."""
    environ = {"GREENROOM_DATABASE_URL": database_url, "GREENROOM_HOME": str(tmp_path)}

    def command(typed: str, site: str = alma.site_id) -> Any:
        return CliRunner().invoke(main, ["site", "coral-secret", site], input=typed, env=environ)

    return command


def test_the_owner_hands_in_the_secret(run: Any, alma: NewSite, database: Database) -> None:
    for secret in (OLD, SECRET):
        done = run(secret + "\n")
        assert done.exit_code == 0, done.output
        assert secret not in done.output
        assert f"/coral/moderation-phase/{alma.site_id}" in done.output
        with database.read() as session:
            assert secret_of(session, alma.site_id, CORAL) == secret


@pytest.mark.parametrize(("typed", "site"), [("short\n", None), ("", None), (SECRET, "site_nobody")])
def test_a_secret_that_cannot_be_one_is_refused(
    run: Any, typed: str, site: str | None, alma: NewSite
) -> None:
    done = run(typed, site or alma.site_id)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
