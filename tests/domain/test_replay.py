"""What another policy would have said: moderation.domain.replay"""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.policy import CATEGORIES, Finding, PolicySettings, Signals, Threshold
from moderation.domain.replay import replay
from moderation.domain.rules import judge
from moderation.domain.status import Action

share = st.floats(0, 1)
signals = st.builds(
    Signals,
    body=st.sampled_from(["plain", "see www.a.example and http://b.example", "a casino"]),
    scores=st.one_of(st.none(), st.fixed_dictionaries(dict.fromkeys(CATEGORIES, share))),
    honeypot_filled=st.booleans(),
    thread_closed=st.booleans(),
    thread_age_days=st.floats(0, 100),
)
thresholds = st.dictionaries(
    st.sampled_from(CATEGORIES),
    st.builds(lambda pair: Threshold(reject=max(pair), hold=min(pair)), st.tuples(share, share)),
)
settings = st.builds(
    PolicySettings,
    thresholds=thresholds,
    link_limit=st.integers(0, 3),
    blocked_words=st.sampled_from([(), ("casino",)]),
    close_after_days=st.sampled_from([None, 7]),
)
STRENGTH = {Action.APPROVE: 0, Action.HOLD: 1, Action.REJECT: 2}
REPEAT = Finding("exact_repeat", Action.HOLD, "repeat", "same text as 3 comments today")


@given(signals, settings)
def test_the_same_settings_say_the_same(signals: Signals, settings: PolicySettings) -> None:
    verdict = judge(signals, settings)
    assert replay(signals, verdict.findings, settings) == verdict


@given(signals, settings, settings)
def test_what_was_found_by_other_settings_does_not_matter(
    signals: Signals, one: PolicySettings, other: PolicySettings
) -> None:
    found = judge(signals, other).findings
    assert replay(signals, found, one) == judge(signals, one)


@given(signals, settings)
def test_a_repeat_stays_one(signals: Signals, settings: PolicySettings) -> None:
    assert REPEAT in replay(signals, (REPEAT,), settings).findings


@given(signals, settings, st.sampled_from(CATEGORIES))
def test_a_stricter_threshold_never_lets_more_through(
    signals: Signals, settings: PolicySettings, category: str
) -> None:
    strict = replace(settings, thresholds={**settings.thresholds, category: Threshold(reject=0.0, hold=0.0)})
    before, after = replay(signals, (), settings), replay(signals, (), strict)
    assert STRENGTH[after.outcome] >= STRENGTH[before.outcome]


@given(settings)
def test_what_has_no_scores_is_held_whatever_the_settings(settings: PolicySettings) -> None:
    assert replay(Signals("plain", None), (), settings).outcome is Action.HOLD
