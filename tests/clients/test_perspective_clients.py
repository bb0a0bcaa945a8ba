"""Clients of Perspective, as they are, on the running server."""

from typing import Any

import pytest
from sqlalchemy import select

from moderation.models import Label
from moderation.services.access import NewSite
from tests.clients.running import run_node, run_python
from tests.served import Served

NASTY = "You are a stupid idiot and everybody hates you"
KIND = "Thank you for this lovely article about bread"
BAD_KEY = "API key not valid. Please pass a valid API key."


def calls(served: Served, key: str, *made: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"url": served.url, "key": key, "calls": list(made)}


def summary(found: dict[str, Any], name: str = "TOXICITY") -> float:
    value: float = found["value"]["attributeScores"][name]["summaryScore"]["value"]
    return value


def test_pypi_perspective_analyses_and_suggests(served: Served, site: NewSite) -> None:
    asked = {"requested_attributes": {"TOXICITY": {}, "SPAM": {}}, "languages": ["en"], "client_token": "t"}
    scores = {"TOXICITY": {"summaryScore": {"value": 1.0}}}
    nasty, kind, learned, unknown = run_python(
        "perspective_py.py",
        calls(
            served,
            site.secret_key,
            ("analyze_comment", {"text": NASTY, **asked}),
            ("analyze_comment", {"text": KIND, **asked}),
            ("suggest_score", {"text": NASTY, "attribute_scores": scores, "client_token": "c"}),
            ("analyze_comment", {"text": NASTY, "requested_attributes": {"FLIRTATION": {}}}),
        ),
    )
    assert summary(nasty) > 0.8 > 0.3 > summary(kind)
    assert nasty["value"]["clientToken"] == "t"
    assert learned["value"]["clientToken"] == "c"
    assert unknown["error"] == "HTTPError" and "400" in unknown["text"]
    with served.database.read() as session:
        kept = session.scalars(select(Label).where(Label.source == "perspective")).all()
    assert ("toxicity", True) in {(one.category, one.value) for one in kept}


def test_googles_own_client_builds_itself_from_the_discovery_document(served: Served, site: NewSite) -> None:
    body = {"comment": {"text": f"\U0001f600 {NASTY}. {KIND}."}, "requestedAttributes": {"TOXICITY": {}}}
    body |= {"languages": ["en"], "spanAnnotations": True, "doNotStore": True}
    good, bad = run_python(
        "google_py.py",
        calls(served, site.secret_key, ("analyze", body), ("analyze", body | {"comment": {"text": ""}})),
    )
    spans = good["value"]["attributeScores"]["TOXICITY"]["spanScores"]
    assert [span["begin"] for span in spans] == [0, 3 + len(NASTY) + 2]
    assert spans[0]["score"]["value"] > spans[1]["score"]["value"]
    assert bad["error"] == "HttpError" and "Comment must be non-empty." in bad["text"]


@pytest.mark.parametrize("script", ["google_py.py", "perspective_py.py"])
def test_a_wrong_key_is_told(served: Served, script: str) -> None:
    name = "analyze" if script == "google_py.py" else "analyze_comment"
    fields = {"comment": {"text": "x"}} if script == "google_py.py" else {"text": "x"}
    (found,) = run_python(script, calls(served, "wrong", (name, fields)))
    assert found["error"] in {"HttpError", "HTTPError"}
    assert "400" in found["text"]
    if script == "google_py.py":
        assert BAD_KEY in found["text"]


def test_npm_perspective_api_client_analyses(served: Served, site: NewSite) -> None:
    options = {"attributes": ["toxicity", "insult"], "languages": ["en"]}
    nasty, unknown = run_node(
        "perspective_node.cjs",
        calls(
            served,
            site.akismet_key,
            ("analyze", {"text": NASTY, "options": options}),
            ("analyze", {"text": "x", "options": {"attributes": ["flirtation"], "languages": ["en"]}}),
        ),
    )
    assert summary(nasty, "INSULT") > 0.5
    assert "Unknown requested attribute: FLIRTATION" in unknown["text"]


def test_pyperspective_reads_every_member_it_asks_for(served: Served, site: NewSite) -> None:
    asked = ("get_score", {"text": NASTY, "tests": ["TOXICITY", "INSULT"]})
    (found,) = run_python("pyperspective_py.py", calls(served, site.secret_key, asked))
    assert "error" not in found, found
    (refused,) = run_python("pyperspective_py.py", calls(served, "wrong", asked))
    assert refused["error"] == "InvalidAuthKey"
