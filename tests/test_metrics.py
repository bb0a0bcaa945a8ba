"""The table of figures: named as Prometheus asks, told truly by the document, bounded in its labels."""

import ast
import re
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from moderation import logs, metrics
from tests.conftest import Api

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| `(greenroom_\w+)` \| (counter|gauge|histogram) \|([^|]*)\|", re.MULTILINE)


def told_by_the_service(api: Api) -> dict[str, str]:
    """Every family that /metrics gives, and its kind."""
    text = api.call("GET", "/metrics").text
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    assert len(list(text_string_to_metric_families(text))) == len(kinds)
    return kinds


def labels_told_by_the_document() -> dict[str, set[str]]:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, _, labels in ROW.findall(page)}


def test_the_document_tells_what_the_service_gives(api: Api, app: Flask) -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert {name: kind for name, kind, _ in ROW.findall(page)} == told_by_the_service(api)


def test_the_document_tells_the_labels() -> None:
    told = labels_told_by_the_document()
    assert {m.name: set(m.labels) for m in metrics.METERS} == {
        m.name: told[metrics.PREFIX + m.name] for m in metrics.METERS
    }


def test_names_follow_the_conventions(api: Api) -> None:
    for name, kind in told_by_the_service(api).items():
        assert re.fullmatch(r"greenroom(_[a-z]+)+", name), name
        assert (kind == "counter") == name.endswith("_total"), name
        assert "milli" not in name and "_ms" not in name


def test_no_figure_is_told_by_site_comment_or_person() -> None:
    labels = {label for meter in metrics.METERS for label in meter.labels}
    assert labels <= {"kind", "actor", "outcome", "reason", "method", "route", "status"}


def test_every_reason_the_rules_may_give_is_counted_by_its_name() -> None:
    tree = ast.parse((ROOT / "moderation" / "domain" / "rules.py").read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Finding"]
    codes = {c.args[2].value for c in calls if isinstance(c.args[2], ast.Constant)}
    assert len(codes) >= 5
    assert codes <= metrics.REASONS


def test_a_reason_nobody_foresaw_is_counted_as_other() -> None:
    child = metrics._child(metrics.DECIDED, ("moderator", "reject", metrics.OTHER))
    before = child._value.get()
    metrics.committed([("decided", "moderator", "reject", f"reason_{n}", None) for n in range(50)])
    assert child._value.get() == before + 50


def test_every_kind_of_error_is_shown_from_the_start() -> None:
    assert set(logs.KINDS.values()) | {"database", metrics.OTHER} == set(metrics.ERROR_KINDS)


@pytest.mark.parametrize("call", [metrics.add, lambda meter: metrics.observe(meter, 1.0)])
def test_a_figure_that_cannot_be_kept_stops_nobody(call: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(metrics, "_child", full)
    call(metrics.BATCH)  # type: ignore[operator]
