"""POST /v1alpha1/comments:analyze"""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from moderation.services.access import NewModerator, NewSite

PATH = "/v1alpha1/comments:analyze"
Body = dict[str, Any]


def ask(client: FlaskClient, key: str | None, body: Any, path: str = PATH, **more: Any) -> tuple[int, Body]:
    query = "" if key is None else f"?key={key}"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(path + query, data=data, content_type="application/json", **more)
    assert answer.content_type == "application/json; charset=UTF-8"
    return answer.status_code, answer.get_json()


def body(text: str = "score:insult=0.5 you fool", *names: str, **more: Any) -> Body:
    return {
        "comment": {"text": text},
        "requestedAttributes": {name: {} for name in names or ("TOXICITY",)},
        "languages": ["en"],
    } | more


def error(found: tuple[int, Body]) -> tuple[int, str, str]:
    status, answer = found
    assert set(answer) == {"error"}
    told = answer["error"]
    assert told["code"] == status
    (detail,) = told["details"]
    return status, told["message"], detail.get("errorType") or detail["reason"]


def test_it_answers_as_recorded(client: FlaskClient, alma: NewSite) -> None:
    sent = body("score:toxicity=0.5 hello", "TOXICITY", doNotStore=True, clientToken="comment:7")
    assert ask(client, alma.secret_key, sent) == (
        200,
        {
            "attributeScores": {
                "TOXICITY": {
                    "spanScores": [{"begin": 0, "end": 24, "score": {"value": 0.5, "type": "PROBABILITY"}}],
                    "summaryScore": {"value": 0.5, "type": "PROBABILITY"},
                }
            },
            "languages": ["en"],
            "detectedLanguages": ["en"],
            "clientToken": "comment:7",
        },
    )


@pytest.mark.parametrize("kind", ["secret_key", "akismet_key"])
def test_either_key_of_a_site_opens_it_from_address_or_header(
    client: FlaskClient, alma: NewSite, kind: str
) -> None:
    key = getattr(alma, kind)
    assert ask(client, key, body())[0] == 200
    assert ask(client, None, body(), headers={"X-Goog-Api-Key": key})[0] == 200
    assert ask(client, key, body(), path="/v1alpha1/comments%3Aanalyze")[0] == 200


def test_snake_case_is_as_good_as_camel_case(client: FlaskClient, alma: NewSite) -> None:
    sent = {
        "comment": {"text": "score:severe_toxicity=0.5 One. Two."},
        "requested_attributes": {
            "SEVERE_TOXICITY": {"score_type": "PROBABILITY", "score_threshold": {"value": 0.1}}
        },
        "languages": ["en"],
        "span_annotations": True,
        "do_not_store": True,
        "client_token": "t",
    }
    status, answer = ask(client, alma.secret_key, sent)
    assert (status, answer["clientToken"]) == (200, "t")
    assert len(answer["attributeScores"]["SEVERE_TOXICITY"]["spanScores"]) >= 2


def test_spans_count_utf_16_units(client: FlaskClient, alma: NewSite) -> None:
    text = "\U0001f600\U0001f600! Caf\u00e9 is nice."
    _, answer = ask(client, alma.secret_key, body(text, spanAnnotations=True))
    spans = answer["attributeScores"]["TOXICITY"]["spanScores"]
    assert [(span["begin"], span["end"]) for span in spans] == [(0, 6), (6, 19)]
    _, whole = ask(client, alma.secret_key, body(text))
    (span,) = whole["attributeScores"]["TOXICITY"]["spanScores"]
    assert (span["begin"], span["end"]) == (0, len(text.encode("utf-16-le")) // 2)


def test_what_scores_below_its_threshold_is_left_out(client: FlaskClient, alma: NewSite) -> None:
    sent = body("score:toxicity=0.2 hello")
    sent["requestedAttributes"] = {"TOXICITY": {"scoreThreshold": 0.9}, "INSULT": {"scoreThreshold": 0}}
    assert set(ask(client, alma.secret_key, sent)[1]["attributeScores"]) == {"INSULT"}


def test_a_look_is_one_half_and_sure_is_nine_tenths(client: FlaskClient, alma: NewSite) -> None:
    def scored(score: float) -> float:
        found = ask(client, alma.secret_key, body(f"score:toxicity={score}"))[1]
        value: float = found["attributeScores"]["TOXICITY"]["summaryScore"]["value"]
        return value

    # The stand-in for the model holds from 0.5 and rejects from 0.9.
    values = [scored(score) for score in (0.1, 0.5, 0.7, 0.9, 0.99)]
    assert (values[1], values[3]) == (0.5, 0.9)
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("sent", "message", "kind"),
    [
        ({}, "Comment must be non-empty.", "COMMENT_EMPTY"),
        (b"", "Comment must be non-empty.", "COMMENT_EMPTY"),
        (body(" "), "Comment must be non-empty.", "COMMENT_EMPTY"),
        (body("\u20ac" * 6827), "Comment text too long.", "COMMENT_TOO_LONG"),
        (body() | {"requestedAttributes": {}}, "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
        (body("x", "NICENESS"), "Unknown requested attribute: NICENESS", "INVALID_REQUEST"),
        (body("x", "FLIRTATION"), "Unknown requested attribute: FLIRTATION", "INVALID_REQUEST"),
        (
            body() | {"requestedAttributes": {"INSULT": {"scoreType": "RAW"}}},
            "Requested score type RAW is not supported by attribute INSULT",
            "INVALID_REQUEST",
        ),
        (
            body() | {"comment": {"text": "x", "type": "HTML"}},
            "Currently, only 'PLAIN_TEXT' comments are supported",
            "INVALID_REQUEST",
        ),
        (body() | {"comment": {"text": "x", "type": "Y"}}, "Unknown text type", "INVALID_REQUEST"),
        (
            body() | {"languages": ["fr", "xx"]},
            "Attribute TOXICITY does not support request languages: fr, xx",
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        ),
        (
            body() | {"context": {"entries": [], "articleAndParentComment": {}}},
            "Context can have either entries or article_and_parent_comment, but both fields were populated.",
            "INVALID_REQUEST",
        ),
        (b"{", "Invalid JSON payload received.", "INVALID_REQUEST"),
        (b"[]", "Invalid JSON payload received.", "INVALID_REQUEST"),
        (b"\xff", "Invalid JSON payload received.", "INVALID_REQUEST"),
        (body("\ud800"), "Invalid JSON payload received.", "INVALID_REQUEST"),
        (body() | {"comment": 7}, "Comment must be non-empty.", "COMMENT_EMPTY"),
        (body() | {"languages": "en"}, "Invalid value at 'languages'.", "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_answered_is_told_as_clients_read_it(
    client: FlaskClient, alma: NewSite, sent: Any, message: str, kind: str
) -> None:
    assert error(ask(client, alma.secret_key, sent)) == (400, message, kind)


def test_the_longest_text_is_counted_in_bytes(client: FlaskClient, alma: NewSite) -> None:
    assert ask(client, alma.secret_key, body("x" * 20_480))[0] == 200
    assert ask(client, alma.secret_key, body("x" * 20_481))[0] == 400


def test_an_unsupported_language_says_which_were_asked_and_found(client: FlaskClient, alma: NewSite) -> None:
    _, answer = ask(client, alma.secret_key, body() | {"languages": ["fr"]})
    told = answer["error"]["details"][0]["languageNotSupportedByAttributeError"]
    assert told == {"detectedLanguages": ["fr"], "requestedLanguages": ["fr"], "attribute": "TOXICITY"}


@pytest.mark.parametrize("wrong", ["gr_secret_nobody", "x" * 12, "%00", "\u00e9"])
def test_a_wrong_key_is_a_400_with_the_very_words(client: FlaskClient, alma: NewSite, wrong: str) -> None:
    told = (400, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID")
    assert error(ask(client, wrong, {})) == told
    assert error(ask(client, wrong, body())) == told


def test_keys_for_other_doors_do_not_open_it(client: FlaskClient, alma: NewSite, bruno: NewModerator) -> None:
    for key in (alma.public_key, bruno.key):
        assert error(ask(client, key, body()))[2] == "API_KEY_INVALID"
    assert error(ask(client, None, body())) == (
        403,
        "The request is missing a valid API key.",
        "CREDENTIALS_MISSING",
    )


def test_without_scores_it_says_that_it_cannot_and_gives_no_number(
    client: FlaskClient, alma: NewSite
) -> None:
    status, answer = ask(client, alma.secret_key, body("poison"))
    assert status == 500
    assert "poison" not in json.dumps(answer) and "value" not in json.dumps(answer)


def test_the_language_is_found_where_nobody_says_it(client: FlaskClient, alma: NewSite) -> None:
    sent = body("Das ist ja wohl ein schlechter Witz, mein Lieber")
    sent.pop("languages")
    _, answer = ask(client, alma.secret_key, sent)
    assert (answer["languages"], answer["detectedLanguages"]) == (["de"], ["de"])
    # Too short to tell: taken for English.
    sent["comment"] = {"text": "ok"}
    assert ask(client, alma.secret_key, sent)[1]["detectedLanguages"] == ["en"]
    sent["comment"] = {"text": "Muchas gracias por este art\u00edculo tan interesante, se\u00f1or"}
    assert error(ask(client, alma.secret_key, sent))[2] == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"
