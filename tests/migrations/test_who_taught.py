"""Revisions 0015 and 0015_1: labels of before learn who taught them"""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from moderation import migrate

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Decision's actor, action and reason; the label's category and value; then who taught, and whether outright.
CASES = {
    "approved": ("moderator", "approve", "clean", "spam", False, "mod_b", False),
    "approved, and yet": ("moderator", "approve", "clean", "spam", True, "mod_b", True),
    "more said": ("maintainer", "approve", "clean", "insult", False, "mod_b", True),
    "rejected": ("moderator", "reject", "spam", "spam", True, "mod_b", False),
    "rejected as toxic": ("maintainer", "reject", "toxic", "toxicity", True, "mod_b", False),
    "a kind of toxicity": ("moderator", "reject", "threat", "toxicity", True, "mod_b", False),
    "off topic": ("moderator", "reject", "off_topic", "spam", True, "mod_b", True),
    "by the site": ("site", "reject", "spam", "spam", True, None, True),
    "imported": (None, None, None, "spam", True, None, True),
}


def fill(url: str) -> None:
    engine = sa.create_engine(url)
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:

        def insert(table: str, **row: object) -> None:
            connection.execute(tables.tables[table].insert(), row)

        insert("sites", id="site_a", name="A", allowed_origins=json.loads("[]"), created_at=NOW)
        insert("threads", id="th_a", site_id="site_a", key="k", closed=False, created_at=NOW)
        of_comment = {"site_id": "site_a", "created_at": NOW}
        insert(
            "comments",
            id="c_a",
            thread_id="th_a",
            author={},
            status="approved",
            submission_id="sub_a",
            version=1,
            **of_comment,
        )
        insert(
            "submissions",
            id="sub_a",
            comment_id="c_a",
            body="x",
            body_bytes=1,
            body_digest="x",
            context={},
            attempts=0,
            **of_comment,
        )
        for n, (name, (actor, action, reason, category, value, _, _)) in enumerate(CASES.items()):
            if actor is not None:
                insert(
                    "decisions",
                    id=name,
                    comment_id="c_a",
                    submission_id="sub_a",
                    number=n,
                    action=action,
                    reason=reason,
                    status_before="held",
                    status_after="approved",
                    actor_kind=actor,
                    actor_id="mod_b",
                    actor_name="B",
                    findings=[],
                    **of_comment,
                )
            insert(
                "labels",
                id=name,
                submission_id="sub_a",
                category=category,
                value=value,
                source="any",
                decision_id=name if actor else None,
                created_at=NOW,
            )
        insert("imported_examples", id="ex_a", body_digest="x", comment={"body": "x"}, created_at=NOW)
        insert(
            "labels",
            id="of elsewhere",
            imported_example_id="ex_a",
            category="spam",
            value=True,
            source="import",
            created_at=NOW,
        )
    engine.dispose()


@pytest.fixture
def labels(empty_url: str) -> dict[str, sa.Row[tuple[object, ...]]]:
    migrate.upgrade(empty_url, "0011")
    fill(empty_url)
    migrate.upgrade(empty_url, "0015_1")
    engine = sa.create_engine(empty_url)
    with engine.connect() as connection:
        query = sa.text("SELECT id, site_id, moderator_id, explicit FROM labels")
        found = {row.id: row for row in connection.execute(query)}
    engine.dispose()
    return found


def test_labels_of_before_learn_their_site_their_teacher_and_whether_they_were_said_outright(
    labels: dict[str, sa.Row[tuple[object, ...]]],
) -> None:
    assert {name: (row.moderator_id, bool(row.explicit)) for name, row in labels.items()} == {
        **{name: case[-2:] for name, case in CASES.items()},
        "of elsewhere": (None, True),
    }
    assert {name for name, row in labels.items() if row.site_id != "site_a"} == {"of elsewhere"}
