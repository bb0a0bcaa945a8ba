"""What labels prove of a promise, and what the policy makes of it"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.binomial import upper_bound
from moderation.domain.policy import CATEGORIES, PolicySettings, Signals, Threshold, Verdict
from moderation.domain.promises import (
    Judged,
    Promise,
    Proof,
    Proven,
    Side,
    labels_needed,
    prove,
    prove_side,
)
from moderation.domain.rules import judge
from moderation.domain.status import Action

POINTS = {category: Threshold(reject=0.9, hold=0.5) for category in CATEGORIES}
LABELLED = st.lists(st.tuples(st.floats(0, 1, width=16), st.booleans()), max_size=120)
PUBLISH = PolicySettings(promises={"spam": Promise(publish=0.99)})
REJECT = PolicySettings(promises={"spam": Promise(reject=0.98)})


def verdict(spam: float, settings: PolicySettings, proven: Proven | None) -> Verdict:
    scores = {**dict.fromkeys(CATEGORIES, 0.01), "spam": spam}
    known = None if proven is None else {"spam": proven}
    return judge(Signals("a text", scores, operating_points=POINTS, proven=known), settings)


def held_from(threshold: float | None, missing: int = 0) -> Proven:
    return Proven(hold=Proof(threshold, 400, 3, missing))


def test_ninety_nine_percent_take_368_labels_and_none_wrong() -> None:
    fine = [(n / 1000, False) for n in range(368)]
    assert prove_side(Side.PUBLISH, fine[:367], 0.99) == Proof(None, 367, 0, 1)
    proven = prove_side(Side.PUBLISH, fine, 0.99)
    assert (proven.seen, proven.wrong, proven.missing) == (368, 0, 0)
    assert proven.threshold == pytest.approx(0.367)


@pytest.mark.parametrize("wrong", [0, 1, 5, 40])
def test_the_labels_needed_are_the_fewest_that_prove(wrong: int) -> None:
    needed = labels_needed(0.95, 0.9, wrong)
    assert upper_bound(wrong, needed, 0.9) <= 0.05 < upper_bound(wrong, needed - 1, 0.9)


def test_the_threshold_lies_where_the_wrong_ones_begin() -> None:
    labelled = [(n / 2000, n >= 1000) for n in range(2000)]
    proven = prove_side(Side.PUBLISH, labelled, 0.99)
    assert proven.threshold == pytest.approx(0.5, abs=0.02)
    assert proven.wrong <= 10


def test_rejecting_is_proven_from_the_highest_scores_down() -> None:
    labelled = [(n / 2000, n >= 1000) for n in range(2000)]
    proven = prove_side(Side.REJECT, labelled, 0.98)
    assert proven.threshold == pytest.approx(0.5, abs=0.02)
    assert sum(score >= proven.threshold for score, _ in labelled) == proven.seen  # type: ignore[operator]


def test_a_model_that_errs_everywhere_proves_nothing_with_any_number_of_labels() -> None:
    chance = random.Random(1)
    labelled = [(chance.random(), chance.random() < 0.3) for _ in range(1500)]
    assert prove_side(Side.PUBLISH, labelled, 0.99).threshold is None
    assert prove_side(Side.PUBLISH, labelled, 0.99).missing == 0


@given(LABELLED)
def test_what_lies_below_a_proven_threshold_is_what_was_counted(labelled: list[tuple[float, bool]]) -> None:
    proven = prove_side(Side.PUBLISH, labelled, 0.9)
    if proven.threshold is not None:
        below = [wrong for score, wrong in labelled if score < proven.threshold]
        assert (len(below), sum(below)) == (proven.seen, proven.wrong)
        assert upper_bound(sum(below), len(below), 0.95) <= 0.1 + 1e-9


@given(LABELLED)
def test_what_lies_above_a_proven_threshold_is_what_was_counted(labelled: list[tuple[float, bool]]) -> None:
    proven = prove_side(Side.REJECT, labelled, 0.9)
    if proven.threshold is not None:
        above = [deserves for score, deserves in labelled if score >= proven.threshold]
        assert (len(above), len(above) - sum(above)) == (proven.seen, proven.wrong)


def test_a_promise_is_kept_nineteen_times_of_twenty() -> None:
    """The scores' distribution is known here, so it is known what share truly is wrong below a threshold."""
    chance = random.Random(7)

    def draw(count: int) -> list[tuple[float, bool]]:
        wrong = [chance.random() < 0.1 for _ in range(count)]
        return [(chance.betavariate(6, 2) if one else chance.betavariate(2, 6), one) for one in wrong]

    many = draw(100_000)
    broken = proven = 0
    for _ in range(60):
        threshold = prove_side(Side.PUBLISH, draw(800), 0.99).threshold
        if threshold is not None:
            below = [wrong for score, wrong in many if score < threshold]
            proven += 1
            broken += sum(below) > 0.01 * len(below)
    assert proven >= 30
    assert broken <= 3


def test_what_was_proven_stands_until_labels_contradict_it() -> None:
    before = {"spam": Proven(hold=Proof(0.5, 400, 0, 0))}

    def now(wrong: int, anew: bool = False) -> Proof | None:
        judged = [Judged(dict.fromkeys(CATEGORIES, 0.1), {"spam": n < wrong}) for n in range(400)]
        return prove(PUBLISH.promises, judged, before=before, anew=anew)["spam"].hold

    # Six of 400 prove nothing, nor do they contradict 99 %; twelve do.
    assert now(6) == Proof(0.5, 400, 6, 0)
    assert now(6, anew=True) == Proof(0.5, 400, 6, 0)
    contradicted = now(12)
    assert contradicted is not None
    assert contradicted.threshold is None


def test_other_thresholds_are_tried_only_anew() -> None:
    before = {"spam": Proven(hold=Proof(0.3, 400, 0, 0), reject=Proof(0.9, 400, 0, 0))}
    promises = {"spam": Promise(0.99, 0.98)}
    judged = [
        Judged({**dict.fromkeys(CATEGORIES, 0.1), "spam": n / 4000}, {"spam": n >= 2000}) for n in range(4000)
    ]
    same = prove(promises, judged, before=before, anew=False)["spam"]
    more = prove(promises, judged, before=before)["spam"]
    for old, new, expected in ((same.hold, more.hold, 0.3), (same.reject, more.reject, 0.9)):
        assert old is not None
        assert new is not None
        assert old.threshold == expected
        assert new.threshold == pytest.approx(0.5, abs=0.02)


def test_what_nobody_said_anything_of_proves_nothing() -> None:
    judged = [Judged(dict.fromkeys(CATEGORIES, 0.01), {"toxicity": False})] * 400
    assert prove({"spam": Promise(publish=0.99)}, judged)["spam"].hold == Proof(None, 0, 0, 368)


@pytest.mark.parametrize(
    ("proven", "words"),
    [
        (None, "not looked into yet"),
        (held_from(None, 17), "at least 17 more labels"),
        (held_from(None), "3 of the safest 400"),
    ],
)
def test_what_is_not_proven_is_held_and_says_what_is_missing(proven: Proven | None, words: str) -> None:
    found = verdict(0.01, PUBLISH, proven)
    assert (found.outcome, found.reason) == (Action.HOLD, "unproven")
    assert words in found.findings[0].detail


def test_a_proven_threshold_takes_the_place_of_the_models() -> None:
    assert verdict(0.69, PUBLISH, held_from(0.7)).outcome is Action.APPROVE
    assert verdict(0.7, PUBLISH, held_from(0.7)).reason == "spam"
    assert verdict(0.31, PUBLISH, held_from(0.3)).outcome is Action.HOLD


def test_a_threshold_of_the_sites_own_may_only_be_stricter() -> None:
    def own(hold: float) -> PolicySettings:
        return PolicySettings(promises=PUBLISH.promises, thresholds={"spam": Threshold(None, hold)})

    assert verdict(0.4, own(0.35), held_from(0.7)).outcome is Action.HOLD
    assert verdict(0.75, own(0.9), held_from(0.7)).outcome is Action.HOLD


def test_nothing_is_rejected_for_spam_by_itself_before_that_is_proven() -> None:
    assert verdict(0.99, REJECT, None).outcome is Action.HOLD
    assert verdict(0.99, REJECT, Proven(reject=Proof(0.95, 400, 0, 0))).outcome is Action.REJECT
    assert verdict(0.94, REJECT, Proven(reject=Proof(0.95, 400, 0, 0))).outcome is Action.HOLD


def test_other_categories_stay_as_they_are() -> None:
    scores = {**dict.fromkeys(CATEGORIES, 0.01), "toxicity": 0.95}
    signals = Signals("a text", scores, operating_points=POINTS, proven={"spam": held_from(0.7)})
    assert judge(signals, PUBLISH).reason == "toxic"
