"""GET and POST /1.2/key-sites"""

from datetime import UTC, datetime

import pytest

from moderation.database import Database
from moderation.models import Site
from moderation.services import usage
from tests.compat.akismet.conftest import SPAM, Door, answer, plain

NOW = datetime.now(UTC)
MONTH = f"{NOW:%Y-%m}"


def test_it_tells_each_blogs_figures_as_strings(door: Door) -> None:
    door.check(SPAM)
    door.check("A kind word.")
    door.check("Missed.")
    door.say_spam("Missed.")
    door.say_ham(SPAM)
    site = '{"site":"blog.example.org","api_calls":"3","spam":"1","ham":"2","missed_spam":"1"'
    site += ',"false_positives":"1","is_revoked":false}'
    expected = f'{{"{MONTH}":[{site}],"limit":500,"offset":0,"total":1}}'
    assert answer(door.call("/1.2/key-sites")) == (200, "application/json", expected.encode())


@pytest.fixture
def many(door: Door, database: Database) -> Door:
    with database.write() as session:
        session.get_one(Site, door.site.site_id).allowed_origins = []
        for number in range(4):
            for _ in range(number + 1):
                usage.count_check(session, door.site.site_id, f"b{number}.example", NOW, spam=number == 1)
        usage.count_check(
            session, door.site.site_id, "old.example", datetime(2026, 1, 31, tzinfo=UTC), spam=True
        )
    return door


def sites(door: Door, **asked: str) -> list[str]:
    found = door.client.get(
        "/1.2/key-sites", query_string={"api_key": door.site.akismet_key, **asked}
    ).get_json()
    (month,) = found.keys() - {"limit", "offset", "total"}
    assert isinstance(found["total"], int)
    return [one["site"] for one in found[month]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["b3.example", "b2.example", "b1.example", "b0.example"]),
        ({"order": "spam"}, ["b1.example", "b0.example", "b2.example", "b3.example"]),
        (
            {"order": "nonsense", "limit": "x", "offset": "-1"},
            ["b3.example", "b2.example", "b1.example", "b0.example"],
        ),
        ({"limit": "2", "offset": "1"}, ["b2.example", "b1.example"]),
        ({"offset": "99"}, []),
        ({"filter": "B2"}, ["b2.example"]),
        ({"month": "2026-01"}, ["old.example"]),
        ({"month": "1999-12"}, []),
        ({"month": "2026-13"}, ["b3.example", "b2.example", "b1.example", "b0.example"]),
    ],
)
def test_it_is_filtered_ordered_and_cut(many: Door, asked: dict[str, str], expected: list[str]) -> None:
    assert sites(many, **asked) == expected


def test_as_csv_it_has_a_line_before_the_names_of_the_columns(many: Door) -> None:
    said = many.call("/1.2/key-sites", format="csv", limit="2", month=MONTH)
    key = many.site.akismet_key
    assert answer(said) == (
        200,
        "text/csv; charset=utf-8",
        f"Active sites for {key} during {MONTH} (limit:2, offset: 0, total: 4)\n"
        "Site,Total API Calls,Spam,Ham,Missed Spam,False Positives,Is Revoked\n"
        "b3.example,4,0,4,0,0,false\nb2.example,3,0,3,0,0,false\n".encode(),
    )


def test_without_a_key_nobody_is_told_anything(many: Door) -> None:
    # akismet.py 25.10.1 sends no key with key_sites().
    assert answer(many.client.get("/1.2/key-sites?format=json")) == plain("invalid")


def test_another_sites_figures_are_not_told(many: Door, database: Database) -> None:
    from tests.conftest import make_site

    assert sites(Door(many.client, make_site(database))) == []
