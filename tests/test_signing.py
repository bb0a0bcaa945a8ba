"""Receipts and cursors: what was made here comes back, what was not is refused."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from moderation.signing import BadCursor, make_cursor, read_cursor, receipt_fits, receipt_for

SECRET, OTHER_SECRET = b"a secret", b"another secret"

texts = st.text(st.characters(exclude_categories=["Cs"]))
positions = st.lists(st.integers() | texts | st.floats(allow_nan=False), max_size=3)


@given(comment_id=texts)
def test_a_receipt_fits_its_own_comment(comment_id: str) -> None:
    assert receipt_fits(receipt_for(comment_id, SECRET), comment_id, SECRET)


@given(comment_id=texts, other_id=texts)
def test_a_receipt_fits_no_other_comment_and_no_other_installation(comment_id: str, other_id: str) -> None:
    receipt = receipt_for(comment_id, SECRET)
    assert not receipt_fits(receipt, comment_id, OTHER_SECRET)
    assume(comment_id != other_id)
    assert not receipt_fits(receipt, other_id, SECRET)


@given(guess=texts)
def test_a_guess_does_not_fit(guess: str) -> None:
    assert not receipt_fits(guess, "c_1", SECRET)


def test_a_receipt_can_stand_in_an_address_as_it_is() -> None:
    assert receipt_for("c_1", SECRET).replace("-", "").replace("_", "").isalnum()


@given(position=positions, listing=texts)
def test_a_cursor_gives_its_position_back(position: list[Any], listing: str) -> None:
    assert read_cursor(make_cursor(position, listing, SECRET), listing, SECRET) == position


def test_a_time_comes_back_to_the_microsecond() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    (text,) = read_cursor(make_cursor([at], "list", SECRET), "list", SECRET)
    assert datetime.fromisoformat(text) == at


@given(position=positions, listing=texts, other=texts)
def test_a_cursor_is_good_for_its_own_list_only(position: list[Any], listing: str, other: str) -> None:
    assume(listing != other)
    cursor = make_cursor(position, listing, SECRET)
    with pytest.raises(BadCursor):
        read_cursor(cursor, other, SECRET)
    with pytest.raises(BadCursor):
        read_cursor(cursor, listing, OTHER_SECRET)


@given(position=positions, at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_is_noticed(position: list[Any], at: int, bit: int) -> None:
    cursor = make_cursor(position, "list", SECRET)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[at % len(raw)] ^= 1 << bit
    with pytest.raises(BadCursor):
        read_cursor(base64.urlsafe_b64encode(raw).decode(), "list", SECRET)


@given(cursor=st.text())
def test_anything_else_is_refused_as_no_cursor(cursor: str) -> None:
    with pytest.raises(BadCursor):
        read_cursor(cursor, "list", SECRET)


def test_a_receipt_is_no_cursor() -> None:
    with pytest.raises(BadCursor):
        read_cursor(receipt_for("c_1", SECRET), "list", SECRET)
