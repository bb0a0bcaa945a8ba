"""Near-copies of what people decided: what holds, what rejects, and what must not."""

from typing import Any

import pytest

from moderation.domain.policy import CATEGORIES, Finding, PolicySettings, Precedent, Signals
from moderation.domain.precedents import near_copies
from moderation.domain.status import Action

NUMBERS = iter(range(1_000_000))


def rejected(similarity: float = 0.5, **more: Any) -> Precedent:
    """A near-copy that a person rejected as spam by itself."""
    facts = {"size": 40, "approved": False, "reason": "spam", "seconds_ago": 120.0, "batch_id": None}
    return Precedent(similarity=similarity, decision_id=f"dec_{next(NUMBERS)}", **facts | more)


def approved(similarity: float = 0.5) -> Precedent:
    """A near-copy that a person approved."""
    return rejected(similarity, approved=True, reason="clean")


def found(*precedents: Precedent, **settings: Any) -> Finding | None:
    signals = Signals("a text", dict.fromkeys(CATEGORIES, 0.01), precedents=precedents)
    (finding,) = [*near_copies(signals, PolicySettings(**settings))] or [None]
    return finding


def outcome(*precedents: Precedent, **settings: Any) -> Action | None:
    finding = found(*precedents, **settings)
    return finding.outcome if finding else None


def test_without_precedents_there_is_nothing_to_say() -> None:
    assert found() is None


def test_one_rejection_holds_and_is_named() -> None:
    precedent = rejected(0.36)
    finding = found(precedent)
    assert finding is not None
    assert (finding.outcome, finding.reason) == (Action.HOLD, "spam")
    assert finding.detail == "near-copy of a comment rejected as spam 2 minutes earlier (36% alike)"
    assert finding.decision_id == precedent.decision_id


def test_two_rejections_made_one_by_one_reject() -> None:
    assert outcome(rejected(), rejected()) is Action.REJECT


def test_what_was_rejected_together_was_decided_once() -> None:
    assert outcome(*(rejected(batch_id="batch_1") for _ in range(5))) is Action.HOLD


def test_a_batch_and_a_decision_by_itself_are_two() -> None:
    assert outcome(rejected(batch_id="batch_1"), rejected()) is Action.REJECT


def test_rejections_of_what_is_only_somewhat_alike_do_not_reject() -> None:
    assert outcome(rejected(0.29), rejected(0.29), rejected(0.9, size=10)) is Action.HOLD


@pytest.mark.parametrize(
    ("similarity", "size", "expected"),
    [(0.9, 20, Action.REJECT), (0.89, 20, Action.HOLD), (1.0, 19, Action.HOLD)],
)
def test_one_rejection_rejects_only_nearly_the_same_long_text(
    similarity: float, size: int, expected: Action
) -> None:
    assert outcome(rejected(similarity, size=size)) is expected


def test_reasons_that_are_not_of_the_text_only_hold() -> None:
    finding = found(*(rejected(1.0, reason="off_topic") for _ in range(4)))
    assert finding is not None
    assert (finding.outcome, finding.reason) == (Action.HOLD, "near_copy")
    assert "rejected as off topic" in finding.detail


@pytest.mark.parametrize(
    ("similarities", "size", "expected"),
    [
        ([0.2], 8, Action.HOLD),
        ([0.19], 64, None),
        ([0.12, 0.12, 0.12], 12, Action.HOLD),
        ([0.12, 0.12, 0.12], 11, None),
        ([0.12, 0.12, 0.11], 64, None),
    ],
)
def test_what_is_faintly_alike_counts_only_several_times_and_in_texts_not_short(
    similarities: list[float], size: int, expected: Action | None
) -> None:
    assert outcome(*(rejected(one, size=size) for one in similarities)) is expected


def test_what_people_approved_as_well_is_never_rejected() -> None:
    assert outcome(rejected(0.9), rejected(0.9), rejected(0.9), approved(0.9)) is Action.HOLD


def test_what_people_approved_as_often_and_as_near_is_not_held_for_a_rejection() -> None:
    finding = found(rejected(0.6), approved(0.6), approved(0.7))
    assert finding is not None
    assert (finding.outcome, finding.reason) == (Action.APPROVE, "near_copy")
    assert finding.detail == "near-copy of a comment approved 2 minutes earlier (70% alike)"


def test_approvals_hand_a_sure_rejection_to_a_person_and_never_let_it_pass() -> None:
    assert outcome(rejected(0.6), rejected(0.6), *(approved(0.9) for _ in range(9))) is Action.HOLD


def test_an_approval_of_something_farther_off_does_not_count_against_a_rejection() -> None:
    assert outcome(rejected(0.8), approved(0.3)) is Action.HOLD


@pytest.mark.parametrize("number", [1, 5])
def test_a_site_may_let_nothing_be_rejected_by_memory(number: int) -> None:
    assert outcome(*(rejected(1.0) for _ in range(number)), memory_rejections=0) is Action.HOLD


def test_a_site_may_ask_for_more_rejections() -> None:
    assert outcome(rejected(), rejected(), memory_rejections=3) is Action.HOLD
    assert outcome(rejected(), rejected(), rejected(), memory_rejections=3) is Action.REJECT


def test_a_site_may_switch_its_memory_off() -> None:
    assert outcome(rejected(1.0), rejected(1.0), memory_days=0) is None
