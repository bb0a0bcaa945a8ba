"""GET /api/v1/labels.jsonl and POST /api/v1/labels"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from moderation.label_lines import LONGEST_LINE
from moderation.services.access import NewModerator, NewSite
from tests.conftest import Api

Drain = Callable[[], int]
Line = dict[str, Any]


def export(api: Api, who: NewModerator) -> list[Line]:
    answer = api.call("GET", "/api/v1/labels.jsonl", who.key)
    assert (answer.status_code, answer.mimetype) == (200, "application/jsonl")
    return [json.loads(line) for line in answer.text.splitlines()]


def send(
    api: Api, who: NewModerator, data: bytes | str, content_type: str = "application/jsonl"
) -> TestResponse:
    return api.call("POST", "/api/v1/labels", who.key, data=data, content_type=content_type)


def take(api: Api, who: NewModerator, *lines: Any) -> dict[str, Any]:
    """Import lines: bytes as they are, anything else as JSON."""
    data = b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines)
    answer = send(api, who, data)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def without_time(lines: list[Line]) -> list[Line]:
    return [{name: value for name, value in line.items() if name != "at"} for line in lines]


def test_decisions_come_out_as_labelled_texts(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    author = {"name": "Ünï", "email": "u@example.org", "ip": "203.0.113.9"}
    comment = api.hand_in(alma, "score:spam=0.7 käse", author=author, thread={"id": "p", "title": "Post"})
    drain()
    api.decide(bruno, api.queue(bruno)[0], "reject")
    (line,) = export(api, carla)
    assert line.pop("at").endswith("Z")
    assert line == {
        "body": "score:spam=0.7 käse",
        "author": {"name": "Ünï", "email": "u@example.org", "url": None},
        "thread": {"title": "Post"},
        "comment_id": comment["id"],
        "labels": {"spam": True},
        "source": "moderator",
    }


def test_without_labels_the_export_is_empty(api: Api, carla: NewModerator) -> None:
    assert export(api, carla) == []


def test_a_retracted_label_does_not_come_out(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    api.hand_in(alma, "score:spam=0.7")
    drain()
    decision = api.decide(bruno, api.queue(bruno)[0], "reject").get_json()["decision"]
    api.call("POST", f"/api/v1/decisions/{decision['id']}/reversal", bruno.key)
    assert export(api, carla) == []


def test_what_is_imported_comes_out_again(api: Api, carla: NewModerator) -> None:
    lines = [
        {"body": "buy now", "labels": {"spam": True, "toxicity": False}},
        {
            "body": "you 🤡\nfool",
            "labels": {"insult": True},
            "author": {"name": "A", "url": "https://a.example"},
            "thread": {"title": "T"},
        },
    ]
    assert take(api, carla, *lines) == {"taken": 2, "refused": 0, "problems": []}
    first, second = export(api, carla)
    assert (first["body"], first["labels"], first["source"]) == ("buy now", lines[0]["labels"], "import")
    assert second["body"] == "you 🤡\nfool"
    assert second["author"]["url"] == "https://a.example"


def test_an_export_taken_in_again_changes_nothing(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    api.hand_in(alma, "score:spam=0.7")
    drain()
    api.decide(bruno, api.queue(bruno)[0], "reject")
    take(api, carla, {"body": "from elsewhere", "labels": {"threat": True}})
    before = export(api, carla)
    for _ in range(2):
        assert take(api, carla, *before)["taken"] == 2
    assert without_time(export(api, carla)) == without_time(before)


def test_an_export_of_another_installation_is_taken_by_its_texts(api: Api, carla: NewModerator) -> None:
    line = {"comment_id": "c_of_another", "body": "a text", "labels": {"spam": True}, "source": "moderator"}
    assert take(api, carla, line)["taken"] == 1
    (kept,) = export(api, carla)
    assert (kept["body"], kept["comment_id"], kept["source"]) == ("a text", None, "import")


def test_a_comment_is_labelled_by_its_id(api: Api, alma: NewSite, carla: NewModerator) -> None:
    comment_id = api.hand_in(alma, "A kind word.")["id"]
    assert take(api, carla, {"comment_id": comment_id, "labels": {"spam": False}})["taken"] == 1
    (line,) = export(api, carla)
    assert (line["comment_id"], line["body"], line["labels"]) == (
        comment_id,
        "A kind word.",
        {"spam": False},
    )


def test_the_same_text_twice_counts_once_with_its_latest_labels(api: Api, carla: NewModerator) -> None:
    take(api, carla, {"body": "Buy  NOW", "labels": {"spam": False, "insult": False}})
    take(api, carla, {"body": "buy now\n", "labels": {"spam": True}})
    (line,) = export(api, carla)
    assert line["labels"] == {"spam": True, "insult": False}


def test_bad_lines_are_told_by_number_and_the_rest_is_taken(api: Api, carla: NewModerator) -> None:
    good = {"body": "a good line", "labels": {"spam": True}}
    result = take(
        api,
        carla,
        good,  # 1
        b"{not json",  # 2
        b"",  # 3: empty lines are nothing
        b"\xff\xfe",  # 4
        b"[1, 2]",  # 5
        {"labels": {"spam": True}},  # 6
        {"body": "x"},  # 7
        {"body": "x", "labels": {}},  # 8
        {"body": "x", "labels": {"kindness": True}},  # 9
        {"body": "x", "labels": {"spam": 1}},  # 10
        {"comment_id": "c_nothing", "labels": {"spam": True}},  # 11
        {"body": "x", "labels": {"spam": True}, "shoe_size": 43},  # 12
        {"body": "x" * 20_001, "labels": {"spam": True}},  # 13
        {"body": "nul \0", "labels": {"spam": True}},  # 14
        b"[" * 50_000,  # 15
        {**good, "body": "another good line"},  # 16
    )
    assert (result["taken"], result["refused"]) == (2, 13)
    assert [one["line"] for one in result["problems"]] == [2, *range(4, 16)]
    by_line = {one["line"]: one["detail"] for one in result["problems"]}
    assert "kindness" in by_line[9]
    assert "shoe_size" in by_line[12]
    assert by_line[11] == "no such comment"
    assert [line["body"] for line in export(api, carla)] == ["a good line", "another good line"]


def test_a_line_without_end_is_refused_and_the_rest_is_taken(api: Api, carla: NewModerator) -> None:
    long = json.dumps({"body": "x", "labels": {"spam": True}, "at": "x" * LONGEST_LINE})
    result = take(api, carla, long.encode(), {"body": "short", "labels": {"spam": True}})
    assert (result["taken"], [one["line"] for one in result["problems"]]) == (1, [1])


def test_what_was_wrong_is_said_without_the_text(api: Api, carla: NewModerator) -> None:
    answer = send(api, carla, json.dumps({"body": "secretword", "labels": {"spam": "secretword"}}))
    assert answer.get_json()["refused"] == 1
    assert "secretword" not in answer.text


def test_an_import_may_be_larger_than_other_requests(api: Api, carla: NewModerator) -> None:
    lines = [{"body": f"{n} " + "x" * 15_000, "labels": {"spam": True}} for n in range(10)]
    assert take(api, carla, *lines)["taken"] == 10


def test_many_lines_sent_twice_count_once(api: Api, carla: NewModerator) -> None:
    lines = [{"body": f"text {n}", "labels": {"spam": True}} for n in range(450)]
    for _ in range(2):
        assert take(api, carla, *lines, b"?") == {
            "taken": 450,
            "refused": 1,
            "problems": [{"line": 451, "detail": "not a JSON object in UTF-8"}],
        }
    assert len(export(api, carla)) == 450


def test_nothing_at_all_is_taken_as_nothing(api: Api, carla: NewModerator) -> None:
    assert take(api, carla) == {"taken": 0, "refused": 0, "problems": []}


@pytest.mark.parametrize("content_type", ["application/json", "text/csv", "multipart/form-data", ""])
def test_another_content_type_is_415(api: Api, carla: NewModerator, content_type: str) -> None:
    answer = send(api, carla, b"{}", content_type)
    assert (answer.status_code, answer.get_json()["type"]) == (
        415,
        "urn:greenroom:problem:wrong-content-type",
    )


def test_a_hundred_problems_are_shown_and_all_are_counted(api: Api, carla: NewModerator) -> None:
    result = take(api, carla, *[b"?"] * 150)
    assert (result["refused"], len(result["problems"])) == (150, 100)


def test_what_an_author_took_back_teaches_nothing(
    api: Api, alma: NewSite, bruno: NewModerator, carla: NewModerator, drain: Drain
) -> None:
    comment = api.hand_in(alma, "score:spam=0.7 taken back later")
    drain()
    api.decide(bruno, api.queue(bruno)[0], "reject")
    assert len(export(api, carla)) == 1
    api.call("DELETE", f"/api/v1/comments/{comment['id']}", alma.secret_key)
    assert export(api, carla) == []
    taken = take(api, carla, {"comment_id": comment["id"], "labels": {"spam": True}})
    assert taken["taken"] == 0
    assert export(api, carla) == []
