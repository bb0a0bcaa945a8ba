"""Signing in by name and password, and setting one."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from moderation.database import Database
from moderation.models import Moderator
from moderation.passwords import fits, hashed
from moderation.services.access import NewModerator
from tests.console.conftest import Console

GOOD = "four words of mine"


def set_password(console: Console, password: str = GOOD, again: str | None = None) -> int:
    answer = console.send(
        "/console/me/password", password=password, again=password if again is None else again
    )
    return answer.status_code


def by_name(console: Console, name: str = "Bruno", password: str = GOOD) -> int:
    return console.send("/console/sign-in", name=name, password=password).status_code


def test_who_set_a_password_signs_in_with_it(console: Console, stranger: Console) -> None:
    assert set_password(console) == 303
    assert by_name(stranger) == 303
    assert "Queue" in stranger.get()


@pytest.mark.parametrize(
    ("name", "password"),
    [("Bruno", "not it at all"), ("bruno", GOOD), ("Nobody", GOOD), ("Bruno", "x" * 300)],
)
def test_nobody_else_does(console: Console, stranger: Console, name: str, password: str) -> None:
    set_password(console)
    answer = stranger.send("/console/sign-in", name=name, password=password)
    assert answer.status_code == 401
    assert "do not fit" in answer.text


def test_without_a_password_set_none_is_right(stranger: Console, bruno: NewModerator) -> None:
    for password in ("", "nobody", "None", GOOD):
        assert by_name(stranger, password=password) == 401


@pytest.mark.parametrize(
    ("password", "again"), [("short", None), ("x" * 257, None), (GOOD, "another one!"), (" bruno ", None)]
)
def test_a_password_that_cannot_be_used_is_told(console: Console, password: str, again: str | None) -> None:
    assert set_password(console, password, again) == 422


def test_a_new_password_ends_the_other_sessions_and_not_this_one(app: Flask, console: Console) -> None:
    set_password(console)
    other = Console(app.test_client())
    by_name(other)
    with other.client.session_transaction("/console") as session:
        session["since"] -= 1
    assert set_password(console, "another four words") == 303
    assert other.client.get("/console/items/item_1").status_code == 401
    assert "Queue" in console.get()
    assert by_name(other) == 401
    assert by_name(other, password="another four words") == 303


def test_who_is_let_out_does_not_come_in_by_password(
    console: Console, stranger: Console, database: Database, bruno: NewModerator
) -> None:
    set_password(console)
    with database.write() as session:
        session.get_one(Moderator, bruno.moderator_id).disabled_at = datetime.now(UTC) - timedelta(seconds=1)
    assert by_name(stranger) == 401


def test_only_a_salted_slow_hash_is_kept(console: Console, database: Database, bruno: NewModerator) -> None:
    set_password(console)
    with database.read() as session:
        kept = session.get_one(Moderator, bruno.moderator_id).password_hash
    assert kept is not None and kept.startswith("$argon2id$") and GOOD not in kept
    assert fits(kept, GOOD) and not fits(kept, GOOD + "!")
    assert kept != hashed(GOOD, "Bruno")


@pytest.mark.parametrize("kept", [None, "", "$argon2id$nonsense", "plain"])
def test_what_is_no_hash_fits_nothing(kept: str | None) -> None:
    assert not fits(kept, GOOD)
