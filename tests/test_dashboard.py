"""The dashboard and the alerts ask for figures that exist, with labels and values that they have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from moderation import metrics
from tests.conftest import Api

DOCS = Path(__file__).parent.parent / "docs"
NAME = re.compile(r"\bgreenroom_\w+")
SELECTOR = re.compile(r"(greenroom_\w+)\{([^}]*)\}")
GROUPING = re.compile(r"by \(([^)]*)\) \((.*)")
# What a scrape adds to every series.
ADDED = {"job", "instance", "le"}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "grafana" / "greenroom.json").read_text(encoding="utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((DOCS / "prometheus" / "greenroom.rules.yml").read_text(encoding="utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


def questions() -> Iterator[str]:
    yield from (target["expr"] for panel in panels() for target in panel["targets"])
    yield from (alert["expr"] for alert in alerts())


QUESTIONS = sorted(set(questions()))


def labels_of(name: str) -> set[str]:
    """The labels a figure has, as docs/operations.md says (and another test compares with the code)."""
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(greenroom_\w+)` \| \w+ \|([^|]*)\|", page, re.MULTILINE)
    told = {found: set(re.findall(r"`(\w+)`", labels)) for found, labels in rows}
    return told.get(name) or told.get(re.sub("_(bucket|sum|count)$", "", name)) or set()


@pytest.fixture
def names(api: Api) -> set[str]:
    """Every name under which /metrics gives or may give a sample."""
    kinds = re.findall(r"^# TYPE (\w+) (\w+)$", api.call("GET", "/metrics").text, re.MULTILINE)
    parts = ("_bucket", "_sum", "_count")
    plain = {name for name, kind in kinds if kind != "histogram"}
    return plain | {name + part for name, kind in kinds if kind == "histogram" for part in parts}


def test_every_figure_asked_for_is_given(names: set[str]) -> None:
    asked = {name for question in QUESTIONS for name in NAME.findall(question)}
    assert asked - names == set()


def test_the_dashboard_shows_every_figure(names: set[str]) -> None:
    shown = {
        name for panel in panels() for target in panel["targets"] for name in NAME.findall(target["expr"])
    }
    plain = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in names} - plain == set()


@pytest.mark.parametrize("question", QUESTIONS)
def test_labels_asked_for_are_those_of_the_figure(question: str) -> None:
    for name, selector in SELECTOR.findall(question):
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= labels_of(name) | ADDED, question
    for labels, rest in GROUPING.findall(question):
        grouped = {label.strip() for label in labels.split(",")}
        assert grouped <= set.union(*(labels_of(name) | ADDED for name in NAME.findall(rest))), question


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_every_web_server_tells_alike_is_not_added_up(question: str) -> None:
    for name in re.findall(r"sum(?: by \([^)]*\))? \(?(greenroom_\w+)", question):
        assert name.startswith(tuple(metrics.PREFIX + meter.name for meter in metrics.METERS)), question


def test_every_panel_has_a_title_a_unit_and_a_place_of_its_own() -> None:
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard()["panels"]]
    assert len(set(places)) == len(places)
    assert len({p["id"] for p in dashboard()["panels"]}) == len(places)
    for panel in panels():
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert len({alert["alert"] for alert in alerts()}) == len(alerts()) >= 5
    for alert in alerts():
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert {"summary", "action"} <= set(alert["annotations"])


def test_reasons_and_kinds_asked_for_exist() -> None:
    text = " ".join(QUESTIONS)
    assert set(re.findall(r'reason="(\w+)"', text)) <= metrics.REASONS
    assert set(re.findall(r'kind!?="(\w+)"', text)) <= set(metrics.ERROR_KINDS)
