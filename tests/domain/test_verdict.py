"""The verdict: what the findings of all rules come to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import classifier
from moderation.domain.policy import (
    CATEGORIES,
    CLEAN,
    AuthorRecord,
    DomainRecord,
    Finding,
    Mode,
    PolicySettings,
    Precedent,
    Signals,
    Threshold,
    conclude,
)
from moderation.domain.rules import judge
from moderation.domain.status import Action

CALM = dict.fromkeys(CATEGORIES, 0.01)
POINTS = {category: Threshold(reject=0.9, hold=0.5) for category in CATEGORIES}
HOLD_EVERYTHING = PolicySettings(mode=Mode.HOLD_EVERYTHING)
_STRENGTH = [Action.APPROVE, Action.HOLD, Action.REJECT]

bodies = st.text(max_size=300)
probabilities = st.floats(0, 1)
scores = st.fixed_dictionaries(dict.fromkeys(CATEGORIES, probabilities))
settings = st.builds(
    PolicySettings,
    version=st.integers(0, 9),
    mode=st.sampled_from(Mode),
    thresholds=st.dictionaries(
        st.sampled_from(CATEGORIES),
        st.builds(Threshold, reject=st.none() | probabilities, hold=probabilities),
    ),
    link_limit=st.integers(0, 5),
    repeat_limit=st.integers(0, 5),
    blocked_words=st.lists(st.text(min_size=1, max_size=8), max_size=3).map(tuple),
    close_after_days=st.none() | st.integers(0, 1000),
    memory_days=st.integers(0, 2),
    memory_rejections=st.integers(0, 3),
    domain_rejections=st.integers(0, 3),
    hold_new_domains=st.booleans(),
    hold_first_comments=st.booleans(),
)
small = st.integers(0, 9)
precedents = st.builds(
    Precedent,
    similarity=probabilities,
    size=st.integers(8, 64),
    approved=st.booleans(),
    reason=st.sampled_from(["spam", "toxic", "off_topic", "clean"]),
    seconds_ago=st.floats(0, 1e7),
    decision_id=st.sampled_from(["dec_1", "dec_2", "dec_3"]),
    batch_id=st.none() | st.just("batch_1"),
)
facts = {
    "body": bodies,
    "operating_points": st.just(POINTS) | st.just({}),
    "honeypot_filled": st.booleans(),
    "thread_closed": st.booleans(),
    "thread_age_days": st.floats(0, 1e6),
    "repeats": st.integers(0, 100),
    "precedents": st.lists(precedents, max_size=5).map(tuple),
    "domains": st.lists(st.builds(DomainRecord, small, small, small, small), max_size=3).map(tuple),
    "author": st.none() | st.builds(AuthorRecord, small, small, small),
}
findings = st.lists(
    st.builds(
        Finding,
        rule=st.just("any"),
        outcome=st.sampled_from(_STRENGTH),
        reason=st.sampled_from(["spam", "toxic", "links"]),
        detail=st.just(""),
    ),
    max_size=6,
)


def finding(outcome: Action, reason: str) -> Finding:
    return Finding("a_rule", outcome, reason, "because")


def test_nothing_found_approves() -> None:
    verdict = judge(Signals("A kind word.", CALM, POINTS), PolicySettings(version=7))
    assert (verdict.outcome, verdict.reason, verdict.findings) == (Action.APPROVE, CLEAN, ())
    assert verdict.policy_version == 7


def test_the_strongest_finding_wins_and_the_first_of_its_strength_gives_the_reason() -> None:
    found = [
        finding(Action.HOLD, "links"),
        finding(Action.REJECT, "honeypot"),
        finding(Action.REJECT, "spam"),
    ]
    verdict = conclude(found, PolicySettings())
    assert (verdict.outcome, verdict.reason) == (Action.REJECT, "honeypot")
    assert verdict.findings == tuple(found)


def test_a_toxic_comment_on_a_closed_thread_keeps_every_finding() -> None:
    signals = Signals("x", CALM | {"spam": 0.95, "insult": 0.6}, POINTS, thread_closed=True)
    verdict = judge(signals, PolicySettings())
    assert (verdict.outcome, verdict.reason) == (Action.REJECT, "thread_closed")
    assert [f.reason for f in verdict.findings] == ["thread_closed", "spam", "toxic"]


def test_a_site_that_holds_everything_rejects_nothing_but_says_what_was_found() -> None:
    verdict = judge(Signals("x", CALM | {"spam": 0.95}, POINTS), HOLD_EVERYTHING)
    assert (verdict.outcome, verdict.reason) == (Action.HOLD, "spam")
    assert judge(Signals("x", CALM, POINTS), HOLD_EVERYTHING).reason == "hold_everything"


@pytest.mark.parametrize("mode", Mode)
def test_what_was_not_scored_is_held_even_if_all_else_says_reject(mode: Mode) -> None:
    signals = Signals("x", None, POINTS, honeypot_filled=True, thread_closed=True, repeats=50)
    verdict = judge(signals, PolicySettings(mode=mode))
    assert (verdict.outcome, verdict.reason) == (Action.HOLD, "unscored")


def test_the_categories_are_the_classifiers_in_its_order() -> None:
    assert CATEGORIES == classifier.CATEGORIES


@given(signals=st.builds(Signals, scores=st.none(), **facts), settings=settings)
def test_without_scores_it_is_always_held(signals: Signals, settings: PolicySettings) -> None:
    verdict = judge(signals, settings)
    assert (verdict.outcome, verdict.reason) == (Action.HOLD, "unscored")


@given(
    signals=st.builds(
        Signals,
        scores=st.dictionaries(st.sampled_from(CATEGORIES), st.floats(allow_nan=True, allow_infinity=True)),
        **facts,
    ),
    settings=settings,
)
def test_it_approves_only_what_has_a_probability_for_every_category(
    signals: Signals, settings: PolicySettings
) -> None:
    verdict = judge(signals, settings)
    complete = set(signals.scores or {}) == set(CATEGORIES)
    if not complete or not all(0 <= score <= 1 for score in (signals.scores or {}).values()):
        assert verdict.outcome is Action.HOLD


@given(signals=st.builds(Signals, scores=scores, **facts), settings=settings)
def test_a_scored_comment_gets_the_strongest_outcome_found(
    signals: Signals, settings: PolicySettings
) -> None:
    verdict = judge(signals, settings)
    found = [f.outcome for f in verdict.findings]
    strongest = max(found, key=_STRENGTH.index, default=Action.APPROVE)
    assert verdict.outcome is (Action.HOLD if settings.mode is Mode.HOLD_EVERYTHING else strongest)
    assert verdict.policy_version == settings.version


@given(
    signals=st.builds(Signals, scores=scores | st.none(), **facts),
    settings=settings,
    past=st.lists(precedents.map(lambda one: replace(one, approved=True)), max_size=5),
)
def test_what_people_approved_saves_nothing_from_what_else_speaks_against_it(
    signals: Signals, settings: PolicySettings, past: list[Precedent]
) -> None:
    without = judge(replace(signals, precedents=()), settings)
    verdict = judge(replace(signals, precedents=tuple(past)), settings)
    assert (verdict.outcome, verdict.reason) == (without.outcome, without.reason)


@given(signals=st.builds(Signals, scores=scores, **facts), settings=settings)
def test_what_is_rejected_without_approvals_is_never_approved_for_them(
    signals: Signals, settings: PolicySettings
) -> None:
    against = tuple(one for one in signals.precedents if not one.approved)
    if judge(replace(signals, precedents=against), settings).outcome is Action.REJECT:
        assert judge(signals, settings).outcome is not Action.APPROVE


@given(found=findings)
def test_what_asks_for_nothing_is_told_beside_what_asks_for_something_and_never_alone(
    found: list[Finding],
) -> None:
    verdict = conclude(found, PolicySettings())
    assert verdict.findings == (() if verdict.outcome is Action.APPROVE else tuple(found))


@given(found=findings)
def test_a_verdict_is_one_of_three_and_its_reason_was_found(found: list[Finding]) -> None:
    verdict = conclude(found, PolicySettings())
    assert verdict.outcome in _STRENGTH
    assert verdict.reason in {f.reason for f in found} | {CLEAN}
