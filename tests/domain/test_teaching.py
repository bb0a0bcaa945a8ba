"""What a decision teaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.policy import CATEGORIES
from moderation.domain.status import Action
from moderation.domain.teaching import labels_taught


def test_an_approval_says_neither_spam_nor_toxic_and_nothing_more() -> None:
    assert labels_taught(Action.APPROVE, "clean") == {"spam": False, "toxicity": False}


@pytest.mark.parametrize(
    ("reason", "taught"),
    [
        ("spam", {"spam": True}),
        ("toxic", {"toxicity": True}),
        ("toxicity", {"toxicity": True}),
        ("threat", {"threat": True, "toxicity": True}),
        ("identity_attack", {"identity_attack": True, "toxicity": True}),
        ("off_topic", {}),
        ("thread_closed", {}),
    ],
)
def test_a_rejection_says_only_what_its_reason_says(reason: str, taught: dict[str, bool]) -> None:
    assert labels_taught(Action.REJECT, reason) == taught


@pytest.mark.parametrize("action", [Action.HOLD, Action.EDIT, Action.REMOVE])
def test_other_acts_teach_nothing(action: Action) -> None:
    assert labels_taught(action, "spam") == {}


def test_what_the_moderator_says_outright_wins() -> None:
    assert labels_taught(Action.REJECT, "spam", {"spam": False, "insult": True}) == {
        "spam": False,
        "insult": True,
    }


@given(
    action=st.sampled_from(Action),
    reason=st.text() | st.sampled_from([*CATEGORIES, "toxic", "clean"]),
    explicit=st.dictionaries(st.sampled_from(CATEGORIES), st.booleans()),
)
def test_only_known_categories_are_taught(action: Action, reason: str, explicit: dict[str, bool]) -> None:
    taught = labels_taught(action, reason, explicit)
    assert set(taught) <= set(CATEGORIES)
    assert taught | explicit == taught
