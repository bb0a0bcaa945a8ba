"""What the labels of one text say together"""

from datetime import UTC, datetime, timedelta

import pytest

from moderation.domain.settling import Taught, settle
from moderation.domain.sources import Teacher

BRUNO = Teacher("moderator", "site_a", "mod_bruno")
DORIS = Teacher("moderator", "site_a", "mod_doris")
CARLA = Teacher("maintainer", "site_a", "mod_carla")
SITE = Teacher("akismet", "site_a")
ELSEWHERE = Teacher("import")
START = datetime(2026, 1, 1, tzinfo=UTC)


def said(value: bool, by: Teacher, day: int = 0, *, explicit: bool = False, category: str = "spam") -> Taught:
    return Taught(category, value, by, explicit, START + timedelta(days=day))


def test_what_is_agreed_counts() -> None:
    settled = settle([said(True, BRUNO), said(True, DORIS), said(False, BRUNO, category="toxicity")])
    assert settled.labels == {"spam": True, "toxicity": False}
    assert (settled.conflicts, settled.disputed) == ((), ())


@pytest.mark.parametrize("day", [-1, 1])
def test_moderators_who_disagree_leave_a_category_out_whoever_spoke_last(day: int) -> None:
    settled = settle([said(True, BRUNO), said(False, DORIS, day), said(True, BRUNO, category="insult")])
    assert settled.labels == {"insult": True}
    assert (settled.conflicts, settled.disputed) == (("spam",), ("spam",))


@pytest.mark.parametrize(
    ("stronger", "weaker"), [(CARLA, BRUNO), (BRUNO, SITE), (SITE, ELSEWHERE), (CARLA, ELSEWHERE)]
)
def test_the_weightier_word_settles_a_conflict_that_is_still_told(stronger: Teacher, weaker: Teacher) -> None:
    settled = settle([said(True, stronger), said(False, weaker, 1)])
    assert (settled.labels, settled.conflicts, settled.disputed) == ({"spam": True}, ("spam",), ())


def test_who_thinks_again_is_in_no_conflict_with_themselves() -> None:
    settled = settle([said(True, BRUNO), said(False, BRUNO, 1)])
    assert (settled.labels, settled.conflicts) == ({"spam": False}, ())


def test_what_was_said_outright_wins_over_what_a_decision_implied() -> None:
    assert settle([said(True, BRUNO, explicit=True), said(False, CARLA, 1)]).labels == {"spam": True}
    assert settle([said(True, BRUNO, explicit=True), said(False, BRUNO, 1)]).labels == {"spam": True}


def test_what_a_site_said_outright_does_not_win_over_a_moderators_decision() -> None:
    assert settle([said(True, SITE, 1, explicit=True), said(False, BRUNO)]).labels == {"spam": False}


def test_nothing_said_settles_nothing() -> None:
    assert settle([]).labels == {}
