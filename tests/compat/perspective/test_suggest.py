"""POST /v1alpha1/comments:suggestscore"""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.database import Database
from moderation.models import Label
from moderation.services.access import NewSite
from tests.compat.perspective.test_analyze import ask, error

PATH = "/v1alpha1/comments:suggestscore"


def suggestion(value: float = 1, name: str = "TOXICITY", **more: Any) -> dict[str, Any]:
    scores = {name: {"summaryScore": {"value": value}}}
    return {"comment": {"text": "you fool"}, "attributeScores": scores, "languages": ["en"]} | more


def labels(database: Database) -> list[tuple[str, bool, str]]:
    with database.read() as session:
        rows = session.scalars(select(Label).where(Label.retracted_at.is_(None)).order_by(Label.category))
        return [(row.category, row.value, row.source) for row in rows]


def test_a_suggestion_becomes_a_label(client: FlaskClient, alma: NewSite, database: Database) -> None:
    found = ask(
        client, alma.secret_key, suggestion(clientToken="comment:7", communityId="Coral:x"), path=PATH
    )
    assert found == (
        200,
        {"requestedLanguages": ["en"], "detectedLanguages": ["en"], "clientToken": "comment:7"},
    )
    assert labels(database) == [("toxicity", True, "perspective")]


def test_a_second_suggestion_for_the_text_replaces_the_first(
    client: FlaskClient, alma: NewSite, database: Database
) -> None:
    for value in (1, 0):
        ask(client, alma.secret_key, suggestion(value), path=PATH)
    assert labels(database) == [("toxicity", False, "perspective")]


def test_half_of_the_people_make_it_true(client: FlaskClient, alma: NewSite, database: Database) -> None:
    both = {"INSULT": {"summaryScore": {"value": 0.5}}, "THREAT": {"summaryScore": {"value": 0.49}}}
    ask(client, alma.secret_key, suggestion(attributeScores=both), path=PATH)
    assert labels(database) == [("insult", True, "perspective"), ("threat", False, "perspective")]


def test_parts_speak_where_the_whole_is_not_scored(
    client: FlaskClient, alma: NewSite, database: Database
) -> None:
    spans = [{"begin": 0, "end": 3, "score": {"value": 0.1}}, {"begin": 3, "end": 8, "score": {"value": 0.8}}]
    ask(client, alma.secret_key, suggestion(attributeScores={"SPAM": {"spanScores": spans}}), path=PATH)
    assert labels(database) == [("spam", True, "perspective")]


@pytest.mark.parametrize(
    "sent",
    [
        suggestion(name="NICENESS"),
        suggestion(attributeScores={}),
        suggestion(attributeScores={"TOXICITY": {}}),
        suggestion(value=7),
        suggestion(comment={"text": ""}),
        {},
    ],
)
def test_what_says_nothing_teaches_nothing(
    client: FlaskClient, alma: NewSite, database: Database, sent: dict[str, Any]
) -> None:
    assert error(ask(client, alma.secret_key, sent, path=PATH))[0] == 400
    assert labels(database) == []
