"""OpenAI's own clients, led here by their setting, on the running server."""

from collections.abc import Callable
from typing import Any

import pytest

from moderation.services.access import NewSite
from tests.clients.running import run_node, run_python
from tests.served import Served

NASTY = "I will kill you, you stupid idiot"
CLIENTS: dict[str, Callable[[Any], Any]] = {
    "PyPI": lambda given: run_python("openai_py.py", given),
    "npm": lambda given: run_node("openai_node.mjs", given),
}
PICTURE = {"type": "image_url", "image_url": {"url": "https://blog.example/a.png"}}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return CLIENTS[request.param]


def test_texts_lists_and_parts_are_judged(
    served: Served, site: NewSite, client: Callable[[Any], Any]
) -> None:
    asked = [
        ("create", {"input": NASTY}),
        ("create", {"input": ["Lovely bread, thank you", NASTY], "model": "text-moderation-stable"}),
        ("create", {"input": [{"type": "text", "text": NASTY}, PICTURE], "model": "omni-moderation-latest"}),
    ]
    one, two, parts = client({"url": served.url, "key": site.secret_key, "calls": asked})
    (result,) = one["value"]["results"]
    assert result["flagged"] is True
    assert result["categories"]["harassment"] is True and result["category_scores"]["sexual/minors"] == 0
    assert [found["flagged"] for found in two["value"]["results"]] == [False, True]
    assert two["value"]["model"] == "text-moderation-007"
    assert len(parts["value"]["results"]) == 1


def test_errors_are_the_classes_that_people_catch(
    served: Served, site: NewSite, client: Callable[[Any], Any]
) -> None:
    (wrong,) = client({"url": served.url, "key": "sk-nobody", "calls": [("create", {"input": "x"})]})
    assert wrong["error"] == "AuthenticationError"
    asked = [
        ("create", {"input": []}),
        ("create", {"input": "x", "model": "gpt-x"}),
        ("create", {"input": [PICTURE, PICTURE]}),
    ]
    empty, model, pictures = client({"url": served.url, "key": site.secret_key, "calls": asked})
    assert (empty["error"], model["error"], pictures["error"]) == (
        "BadRequestError",
        "NotFoundError",
        "BadRequestError",
    )
    assert "Number of images (2) exceeds maximum of 1" in pictures["text"]
