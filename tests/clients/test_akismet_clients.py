"""Akismet's clients as they are, from PyPI and npm, on good, bad and hostile calls"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from moderation.models import Comment, Label
from moderation.services.access import NewSite
from tests.clients.https import https_before
from tests.clients.running import run_node, run_python
from tests.conftest import ORIGIN
from tests.served import Served

SPAM = "Buy cheap viagra and cialis online, best casino bonus! http://pills.example/buy http://casino.example"
HAM = "Thank you for this article, I tried the second recipe with my daughter and it worked."
IP = {"user_ip": "203.0.113.9"}
NOBODY = "aaaabbbbcccc"
HOSTILE = "\u202e\ud83d\ude00 \x01 ' OR 1=1 -- <script>alert(1)</script> %00 &comment_content=x\r\n" * 200

Calls = list[tuple[str, dict[str, Any]]]


@dataclass
class Client:
    """One client: how it is run, and what its calls are named."""

    run: Callable[..., Any]
    script: str
    apart: dict[str, str]
    check: str
    spam: str
    ham: str
    # What it makes of `true`, of `true` with the advice to discard, and of `false`.
    spam_value: Any = True
    discard_value: Any = True
    ham_value: Any = False

    def calls(self, served: Served, key: str, calls: Calls, blog: str = ORIGIN) -> list[dict[str, Any]]:
        """Make the calls with a key; gives what became of each."""
        given = {"url": served.url, "port": served.port, "key": key, "blog": blog, "calls": calls}
        found: list[dict[str, Any]] = self.run(self.script, given, **self.apart)
        return found


CLIENTS = {
    "akismet 25 (PyPI)": Client(
        run_python,
        "akismet_py.py",
        {},
        "comment_check",
        "submit_spam",
        "submit_ham",
        "SPAM",
        "DISCARD",
        "HAM",
    ),
    "python-akismet (PyPI)": Client(
        run_python,
        "python_akismet.py",
        {"apart": "python_akismet"},
        "check",
        "submit_spam",
        "submit_ham",
        2,
        3,
        0,
    ),
    "akismet-async (PyPI)": Client(
        run_python,
        "akismet_async.py",
        {"apart": "akismet_async"},
        "check",
        "submit_spam",
        "submit_ham",
        "PROBABLE_SPAM",
        "DEFINITE_SPAM",
        "HAM",
    ),
    "pykismet3 (PyPI)": Client(run_python, "pykismet3_py.py", {}, "check", "submit_spam", "submit_ham"),
    "akismet-api (npm)": Client(run_node, "akismet_api.cjs", {}, "checkSpam", "submitSpam", "submitHam"),
    "akismet (npm)": Client(run_node, "akismet_node.cjs", {}, "checkComment", "submitSpam", "submitHam"),
}
VERIFIES = {"akismet 25 (PyPI)": "verify_key", "akismet-async (PyPI)": "verify_key"} | {
    "akismet-api (npm)": "verifyKey",
    "akismet (npm)": "verifyKey",
}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """Each client in turn."""
    return CLIENTS[request.param]


def values(found: list[dict[str, Any]]) -> list[Any]:
    assert all("value" in one for one in found), found
    return [one["value"] for one in found]


def test_it_tells_spam_from_ham(served: Served, site: NewSite, client: Client) -> None:
    calls = [
        (client.check, IP | {"comment_content": text, "comment_author": "Reader"}) for text in (SPAM, HAM)
    ]
    spam, ham = values(client.calls(served, site.akismet_key, calls))
    assert spam in {client.spam_value, client.discard_value}
    assert ham == client.ham_value
    with served.database.read() as session:
        found = session.scalars(select(Comment.status).where(Comment.site_id == site.site_id)).all()
    assert sorted(found) == ["approved", "rejected"]


def test_the_guaranteed_author_is_spam_and_a_test_is_kept_nowhere(
    served: Served, site: NewSite, client: Client
) -> None:
    # npm akismet's own options are sent as they are; the others send a boolean in their own spelling.
    fields = IP | {"comment_content": HAM, "comment_author": "akismet-guaranteed-spam", "is_test": True}
    again = IP | {"comment_content": HAM, "is_test": True}
    spam, ham = values(
        client.calls(served, site.akismet_key, [(client.check, fields), (client.check, again)])
    )
    assert (spam, ham) == (client.spam_value, client.ham_value)
    with served.database.read() as session:
        assert session.scalars(select(Comment.id).where(Comment.site_id == site.site_id)).all() == []


def test_what_it_reports_becomes_a_label(served: Served, site: NewSite, client: Client) -> None:
    fields = IP | {"comment_content": HAM, "comment_author": "Reader"}
    calls: Calls = [
        (client.check, fields),
        (client.spam, fields),
        (client.check, fields),
        (client.ham, fields),
    ]
    found = client.calls(served, site.akismet_key, calls)
    assert [one.get("error") for one in found] == [None] * 4
    assert (found[0]["value"], found[2]["value"]) == (client.ham_value, client.spam_value)
    with served.database.read() as session:
        mine = select(Label).join(Comment, Comment.submission_id == Label.submission_id)
        labels = session.scalars(mine.where(Comment.site_id == site.site_id).order_by(Label.id)).all()
    assert [(label.value, label.retracted_at is None) for label in labels] == [(True, False), (False, True)]


def test_a_bad_key_is_an_error_to_it_or_no_spam(served: Served, client: Client) -> None:
    (found,) = client.calls(served, NOBODY, [(client.check, IP | {"comment_content": SPAM})])
    if client.script == "akismet_node.cjs":
        # It takes all but `true` for false, silently.
        assert found == {"value": False}
    else:
        assert found.get("error"), found


@pytest.mark.parametrize("name", VERIFIES)
def test_it_tells_a_good_key_from_a_bad_one(served: Served, site: NewSite, name: str) -> None:
    verify: Calls = [(VERIFIES[name], {})]
    assert CLIENTS[name].calls(served, site.akismet_key, verify) == [{"value": True}]
    assert CLIENTS[name].calls(served, NOBODY, verify) == [{"value": False}]
    assert CLIENTS[name].calls(served, site.akismet_key, verify, blog="https://evil.example") == [
        {"value": False}
    ]


def test_a_hostile_text_is_answered(served: Served, site: NewSite, client: Client) -> None:
    fields = IP | {
        "comment_content": HOSTILE,
        "comment_author": "\u202e<b>",
        "permalink": "javascript:alert(1)",
    }
    (found,) = values(client.calls(served, site.akismet_key, [(client.check, fields)]))
    assert found in {client.spam_value, client.discard_value, client.ham_value}
    assert "Traceback" not in served.log.read_text()


def test_akismet_py_knows_what_a_key_may_do(served: Served, site: NewSite) -> None:
    client = CLIENTS["akismet 25 (PyPI)"]
    calls: Calls = [("validated_client", {}), ("usage_limit", {}), ("key_sites", {})]
    valid, usage, sites = client.calls(served, site.akismet_key, calls)
    assert valid == {"value": "SyncClient"}
    assert usage["value"]["limit"] == "none"
    # It sends no key with key_sites(), so nobody can be told whose sites these are.
    assert sites["error"] == "APIKeyError"
    refused = client.calls(served, NOBODY, [("validated_client", {}), ("comment_check", IP)])
    assert [one["error"] for one in refused] == ["APIKeyError", "APIKeyError"]


def test_akismet_api_is_told_in_words_what_is_missing(served: Served, site: NewSite) -> None:
    (found,) = CLIENTS["akismet-api (npm)"].calls(served, site.akismet_key, [("checkSpam", {"content": HAM})])
    assert found == {"error": "Error", "text": 'Empty "user_ip" value'}


def test_akismet_api_sends_a_hidden_field_by_a_name_of_its_own(served: Served, site: NewSite) -> None:
    fields = {"ip": "203.0.113.9", "content": HAM, "honeypot": "filled by a program"}
    assert CLIENTS["akismet-api (npm)"].calls(served, site.akismet_key, [("checkSpam", fields)]) == [
        {"value": True}
    ]


@pytest.mark.parametrize(
    ("script", "apart", "check", "expected"),
    [
        ("unchanged_akismet_py.py", None, "comment_check", ["SPAM", "DISCARD", "HAM"]),
        ("unchanged_python_akismet.py", "python_akismet", "check", [2, 3, 0]),
    ],
)
def test_an_unchanged_client_is_led_here_by_name_and_authority_alone(
    served: Served,
    site: NewSite,
    tmp_path: Path,
    script: str,
    apart: str | None,
    check: str,
    expected: list[Any],
) -> None:
    calls = [(check, IP | {"comment_content": text}) for text in (SPAM, HAM)]
    given = {"key": site.akismet_key, "blog": ORIGIN, "calls": calls}
    with https_before(served.port, tmp_path, "rest.akismet.com", "*.rest.akismet.com") as https:
        trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(https.authority))
        found = run_python(script, given, apart=apart, LOCAL_HTTPS=str(https.port), **trust)
    spam, ham = values(found)
    assert spam in expected[:2]
    assert ham == expected[2]
