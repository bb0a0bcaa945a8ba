"""What a site that only asks "is it spam?" is told, whatever the policy found."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.policy import CATEGORIES, Mode, PolicySettings, Signals, Threshold
from moderation.domain.rules import judge
from moderation.domain.spam_answer import SpamAnswer, as_told, spam_answer, trust_role
from moderation.domain.status import Action

POINTS = {category: Threshold(reject=0.9, hold=0.5) for category in CATEGORIES}
SCORES = st.one_of(st.none(), st.fixed_dictionaries({c: st.floats(0, 1) for c in CATEGORIES}))
SETTINGS = st.builds(
    PolicySettings,
    mode=st.sampled_from(Mode),
    trust_roles=st.booleans(),
    toxic_is_spam=st.booleans(),
    queue_spam_checks=st.booleans(),
    blocked_words=st.sampled_from([(), ("gadget",)]),
)
SIGNALS = st.builds(
    Signals,
    body=st.sampled_from(["a word", "gadget"]),
    scores=SCORES,
    operating_points=st.just(POINTS),
    honeypot_filled=st.booleans(),
    repeats=st.integers(0, 3),
)


def signals(**scores: float) -> Signals:
    return Signals("a word", dict.fromkeys(CATEGORIES, 0.1) | scores, POINTS)


@given(SIGNALS, SETTINGS)
def test_what_was_not_judged_is_never_called_ham(given_signals: Signals, settings: PolicySettings) -> None:
    verdict = judge(given_signals, settings)
    for one in (verdict, trust_role(verdict, settings)):
        answer = spam_answer(one, settings)
        assert answer.known == (given_signals.scores is not None)
        assert answer.known or answer.spam
        assert answer.spam or not answer.discard


@given(SIGNALS.filter(lambda s: s.scores is not None), SETTINGS)
def test_what_is_recorded_agrees_with_what_was_told(given_signals: Signals, settings: PolicySettings) -> None:
    verdict = judge(given_signals, settings)
    told, recorded = spam_answer(verdict, settings), as_told(verdict, settings)
    assert recorded.findings == verdict.findings
    if recorded.outcome is Action.HOLD:
        assert settings.queue_spam_checks
    else:
        assert (recorded.outcome is Action.REJECT) == told.spam


@given(SIGNALS, SETTINGS)
def test_an_administrator_is_believed_where_the_site_says_so(
    given_signals: Signals, settings: PolicySettings
) -> None:
    verdict = trust_role(judge(given_signals, settings), settings)
    if settings.trust_roles and given_signals.scores is not None:
        assert spam_answer(verdict, settings) == SpamAnswer(spam=False)
        assert as_told(verdict, settings) == verdict


@pytest.mark.parametrize(
    ("score", "discard"), [(0.5, False), (0.9, False), (0.974, False), (0.976, True), (1, True)]
)
def test_only_the_last_quarter_before_certainty_may_be_thrown_away(score: float, discard: bool) -> None:
    settings = PolicySettings()
    assert spam_answer(judge(signals(spam=score), settings), settings) == SpamAnswer(True, discard)


def test_threats_beyond_doubt_are_not_thrown_away() -> None:
    settings = PolicySettings(toxic_is_spam=True)
    assert spam_answer(judge(signals(threat=1.0), settings), settings) == SpamAnswer(spam=True)


def test_a_person_who_decides_everything_sees_everything() -> None:
    settings = replace(PolicySettings(), mode=Mode.HOLD_EVERYTHING)
    assert spam_answer(judge(signals(spam=1.0), settings), settings) == SpamAnswer(spam=True)
    assert spam_answer(judge(signals(), settings), settings) == SpamAnswer(spam=True)
