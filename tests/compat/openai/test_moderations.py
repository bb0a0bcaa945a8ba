"""POST /v1/moderations"""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from moderation.compat.openai.categories import JUDGED, NAMES
from moderation.services.access import NewModerator, NewSite
from moderation.setting_values import Rate

PATH = "/v1/moderations"


def ask(client: FlaskClient, key: str | None, sent: Any) -> tuple[int, dict[str, Any]]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    data = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    answer = client.post(PATH, data=data, content_type="application/json", headers=headers)
    assert answer.headers["x-request-id"]
    return answer.status_code, answer.get_json()


def error(found: tuple[int, dict[str, Any]]) -> tuple[int, str | None, str | None]:
    told = found[1]["error"]
    assert set(told) == {"message", "type", "param", "code"} and told["message"] and told["type"]
    return found[0], told["code"], told["param"]


def test_a_text_has_one_result_with_every_category(client: FlaskClient, alma: NewSite) -> None:
    status, answer = ask(client, alma.secret_key, {"input": "score:insult=0.95 you fool"})
    assert status == 200
    assert answer["id"].startswith("modr-") and answer["model"] == "omni-moderation-latest"
    (result,) = answer["results"]
    assert set(result["categories"]) == set(result["category_scores"]) == set(NAMES)
    assert result["flagged"] is True and result["categories"]["harassment"] is True
    assert result["category_scores"]["harassment"] > 0.9
    assert result["category_applied_input_types"]["hate"] == ["text"]


def test_what_the_model_does_not_know_is_never_above_zero(client: FlaskClient, alma: NewSite) -> None:
    categories = ["spam", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack"]
    text = " ".join(f"score:{category}=0.99" for category in categories)
    (result,) = ask(client, alma.secret_key, {"input": text})[1]["results"]
    above = {name for name, score in result["category_scores"].items() if score > 0}
    assert above == set(JUDGED) == {name for name, value in result["categories"].items() if value}
    assert {name for name, types in result["category_applied_input_types"].items() if types} == set(JUDGED)


def test_spam_alone_is_not_flagged(client: FlaskClient, alma: NewSite) -> None:
    (result,) = ask(client, alma.secret_key, {"input": "score:spam=0.99"})[1]["results"]
    assert result["flagged"] is False


def test_a_list_has_a_result_for_each_text_in_order(client: FlaskClient, alma: NewSite) -> None:
    texts = ["score:threat=0.9", "fine", "score:identity_attack=0.9"]
    results = ask(client, alma.secret_key, {"input": texts, "model": "text-moderation-stable"})[1]["results"]
    flags = [(r["categories"]["harassment/threatening"], r["categories"]["hate"]) for r in results]
    assert flags == [(True, False), (False, False), (False, True)]


def test_parts_have_one_result_and_a_picture_is_not_judged(client: FlaskClient, alma: NewSite) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    sent = {"input": [{"type": "text", "text": "score:insult=0.95"}, picture]}
    (result,) = ask(client, alma.secret_key, sent)[1]["results"]
    assert result["flagged"] is True
    assert all("image" not in types for types in result["category_applied_input_types"].values())
    assert result["greenroom_image_judged"] is False
    (alone,) = ask(client, alma.secret_key, {"input": [picture]})[1]["results"]
    assert alone["flagged"] is False
    assert error(ask(client, alma.secret_key, {"input": [picture, picture]})) == (
        400,
        "too_many_images",
        "input",
    )


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, (400, "invalid_type", "input")),
        ({"input": []}, (400, "invalid_type", "input")),
        ({"input": 7}, (400, "invalid_type", "input")),
        ({"input": [7]}, (400, "invalid_type", "input")),
        ({"input": [{"type": "audio"}]}, (400, "invalid_type", "input")),
        ({"input": ["x"] * 101}, (400, "array_above_max_length", "input")),
        ({"input": "\ud800"}, (400, "invalid_value", "input")),
        ({"input": "x", "model": "gpt-x"}, (404, "model_not_found", "model")),
        ({"input": "x", "model": 7}, (400, "invalid_type", "model")),
        (b"{", (400, None, None)),
        (b"[]", (400, None, None)),
    ],
)
def test_what_cannot_be_answered_has_all_four_members(
    client: FlaskClient, alma: NewSite, sent: Any, told: tuple[int, str | None, str | None]
) -> None:
    assert error(ask(client, alma.secret_key, sent)) == told


@pytest.mark.parametrize("key", [None, "", "sk-nobody"])
def test_a_wrong_key_is_401(client: FlaskClient, alma: NewSite, key: str | None) -> None:
    assert error(ask(client, key, {"input": "x"})) == (401, "invalid_api_key", None)


def test_only_a_sites_secret_key_opens_it(client: FlaskClient, alma: NewSite, bruno: NewModerator) -> None:
    for key in (alma.public_key, alma.akismet_key, bruno.key):
        assert error(ask(client, key, {"input": "x"}))[0] == 401


def test_too_many_are_told_when_to_come_again(app: Flask, client: FlaskClient, alma: NewSite) -> None:
    service = app.extensions["greenroom"]
    few = replace(service.settings, rate_site=Rate(1, 1_000_000))
    app.extensions["greenroom"] = replace(service, settings=few)
    assert ask(client, alma.secret_key, {"input": "x"})[0] == 200
    answer = client.post(PATH, json={"input": "x"}, headers={"Authorization": f"Bearer {alma.secret_key}"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) > 0


def test_without_scores_nothing_is_called_harmless(client: FlaskClient, alma: NewSite) -> None:
    status, answer = ask(client, alma.secret_key, {"input": "poison"})
    assert status == 503
    assert "results" not in answer and "poison" not in json.dumps(answer)
