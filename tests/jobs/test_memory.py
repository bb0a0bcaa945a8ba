"""What people decided counts for near-copies at once: a decision here, the next comment there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, text

from moderation.database import Database
from moderation.domain.policy import CLEAN
from moderation.domain.status import Action
from moderation.models import Comment, Decision, Memory, MemoryKey, Role, Submission, TextImprint
from moderation.scoring import words_of
from moderation.services import recall
from moderation.services.access import NewModerator, NewSite
from moderation.services.change import edit, withdraw
from moderation.services.following import follow_decisions
from moderation.services.moderate import Ruling, decide_batch, decide_item, reverse
from moderation.services.policies import change_policy
from moderation.services.queue import open_item_of
from tests.conftest import Api, caller, make_moderator, make_site
from tests.together import together
from workers.process import Process
from workers.scoring import drain_process

Drain = Callable[[], int]
SPAM = (
    "Dear readers, our little shop in the harbour sells golden watches and leather wallets, "
    "handmade by masters, with free delivery to every country of the world until next Sunday. {}"
)
OTHER = "Completely different words about repairing an old lamp with copper wire, patience and some luck. {}"
AGAIN = "score:spam=0.6 "
REJECT, APPROVE = Ruling(Action.REJECT, "spam"), Ruling(Action.APPROVE, CLEAN)


@pytest.fixture
def judged(api: Api, alma: NewSite, drain: Drain) -> Callable[..., str]:
    """Hand a comment in and let the worker judge it; gives its id."""

    def hand_in(body: str, site: NewSite = alma, **more: object) -> str:
        comment = api.hand_in(site, body, **more)
        drain()
        return str(comment["id"])

    return hand_in


@pytest.fixture
def people(bruno: NewModerator, database: Database) -> Callable[..., Decision]:
    """Bruno decides a comment: from the queue if it is there."""

    def decide(comment_id: str, ruling: Ruling = REJECT, **more: object) -> Decision:
        with database.write() as session:
            item_id = open_item_of(session, comment_id)
            assert item_id is not None
            return decide_item(session, item_id, None, ruling, caller(bruno), datetime.now(UTC), **more)  # type: ignore[arg-type]

    return decide


Judged, People = Callable[..., str], Callable[..., Decision]


def standing(database: Database, comment_id: str) -> tuple[str, list[str]]:
    """A comment's status, and the rules that found anything."""
    with database.read() as session:
        comment = session.get_one(Comment, comment_id)
        decision = session.scalars(
            select(Decision).where(Decision.comment_id == comment_id).order_by(Decision.number.desc())
        ).first()
        assert decision is not None
        return comment.status, [finding["rule"] for finding in decision.findings]


def follow(database: Database, minutes: float = 1) -> int:
    """Follow up the decisions as the sweeper does some seconds later."""
    with database.write() as session:
        return follow_decisions(session, words_of, datetime.now(UTC) + timedelta(minutes=minutes), 1000)


def test_a_near_copy_of_one_rejected_comment_is_held_and_names_the_decision(
    database: Database, judged: Judged, people: People
) -> None:
    decision = people(judged(AGAIN + SPAM.format("Ask for Vera.")))
    copy = judged(SPAM.format("Ask for Oleg, he knows more."))
    assert standing(database, copy) == ("held", ["near_copies"])
    with database.read() as session:
        (finding,) = session.scalars(select(Decision.findings).where(Decision.comment_id == copy)).one()
    assert finding["decision_id"] == decision.id
    assert (finding["outcome"], finding["reason"]) == ("hold", "spam")
    assert finding["detail"].startswith("near-copy of a comment rejected as spam seconds earlier")


def test_a_near_copy_of_two_rejected_comments_is_rejected(
    database: Database, judged: Judged, people: People
) -> None:
    people(judged(AGAIN + SPAM.format("Ask for Vera.")))
    people(judged(SPAM.format("Ask for Oleg, he knows more.")))
    third = judged(SPAM.format("Igor answers questions."))
    assert standing(database, third) == ("rejected", ["near_copies"])


def test_what_the_policy_rejected_for_it_teaches_nothing_more(
    database: Database, judged: Judged, people: People
) -> None:
    people(judged(AGAIN + SPAM.format("one")))
    people(judged(SPAM.format("two")))
    judged(SPAM.format("three"))
    follow(database)
    with database.read() as session:
        assert len(session.scalars(select(Memory.submission_id)).all()) == 2


def test_other_comments_pass(database: Database, judged: Judged, people: People) -> None:
    for comment_id in [judged(AGAIN + SPAM.format(word)) for word in "abc"]:
        people(comment_id)
    assert standing(database, judged(OTHER.format(""))) == ("approved", [])


def test_a_reversal_ends_the_effect_at_once(
    database: Database, judged: Judged, people: People, bruno: NewModerator
) -> None:
    decision = people(judged(AGAIN + SPAM.format("a")))
    with database.write() as session:
        reverse(session, decision.id, caller(bruno), datetime.now(UTC))
    assert standing(database, judged(SPAM.format("b"))) == ("approved", [])


def test_decided_again_it_has_its_effect_again(
    database: Database, judged: Judged, people: People, bruno: NewModerator
) -> None:
    first = judged(AGAIN + SPAM.format("a"))
    decision = people(first)
    with database.write() as session:
        reverse(session, decision.id, caller(bruno), datetime.now(UTC))
    people(first)
    assert standing(database, judged(SPAM.format("b")))[0] == "held"


@pytest.mark.parametrize("what", ["edit", "withdraw"])
def test_so_does_an_edit_or_a_withdrawal(
    database: Database, judged: Judged, people: People, alma: NewSite, what: str
) -> None:
    first = judged(AGAIN + SPAM.format("a"))
    people(first)
    with database.write() as session:
        if what == "edit":
            edit(session, alma.site_id, first, OTHER.format("edited"), datetime.now(UTC))
        else:
            withdraw(session, alma.site_id, first, datetime.now(UTC))
    assert standing(database, judged(SPAM.format("b"))) == ("approved", [])


def test_another_site_knows_nothing_of_it(database: Database, judged: Judged, people: People) -> None:
    people(judged(AGAIN + SPAM.format("a")))
    assert standing(database, judged(SPAM.format("b"), make_site(database)))[0] == "approved"


def test_a_site_can_switch_it_off_and_on_again(
    database: Database, judged: Judged, people: People, alma: NewSite
) -> None:
    people(judged(AGAIN + SPAM.format("a")))
    with database.write() as session:
        change_policy(session, alma.site_id, {"memory_days": 0}, datetime.now(UTC))
    assert standing(database, judged(SPAM.format("b")))[0] == "approved"
    with database.write() as session:
        change_policy(session, alma.site_id, {"memory_days": 1}, datetime.now(UTC))
    assert standing(database, judged(SPAM.format("c")))[0] == "held"


def test_a_decision_is_forgotten_after_the_days_the_site_says(
    database: Database, judged: Judged, people: People, alma: NewSite
) -> None:
    decision = people(judged(AGAIN + SPAM.format("a")))
    with database.write() as session:
        session.get_one(Decision, decision.id).created_at -= timedelta(days=2)
        change_policy(session, alma.site_id, {"memory_days": 1}, datetime.now(UTC))
    assert standing(database, judged(SPAM.format("b")))[0] == "approved"


@pytest.mark.parametrize("phrase", ["Thanks!", "Great post, thanks for sharing", "+1", "I agree with you"])
def test_rejecting_a_common_phrase_touches_nobody_else_who_says_it(
    database: Database, judged: Judged, people: People, phrase: str
) -> None:
    for number in range(3):
        people(judged(AGAIN + phrase, thread={"id": f"page {number}"}))
    assert standing(database, judged(phrase, thread={"id": "another page"}))[0] == "approved"


def test_what_was_rejected_in_one_batch_only_holds(
    database: Database, judged: Judged, bruno: NewModerator
) -> None:
    ids = [judged(AGAIN + SPAM.format(word)) for word in ("one", "two", "three")]
    with database.write() as session:
        items = [(str(open_item_of(session, one)), 1) for one in ids]
        _, results = decide_batch(session, items, REJECT, caller(bruno), datetime.now(UTC))
    assert [result.error for result in results] == [None] * 3
    assert standing(database, judged(SPAM.format("four")))[0] == "held"


def test_approved_as_well_it_is_left_to_people(database: Database, judged: Judged, people: People) -> None:
    people(judged(AGAIN + SPAM.format("one")))
    people(judged(SPAM.format("two")), APPROVE)
    people(judged(AGAIN + SPAM.format("three")))
    assert standing(database, judged(SPAM.format("four")))[0] == "held"


def test_an_approval_alone_changes_nothing_for_its_copies(
    database: Database, judged: Judged, people: People
) -> None:
    people(judged(AGAIN + SPAM.format("one")), APPROVE)
    assert standing(database, judged(SPAM.format("two")))[0] == "approved"
    assert standing(database, judged(AGAIN + SPAM.format("three"))) == (
        "held",
        ["category_scores", "near_copies"],
    )
    assert standing(database, judged("score:spam=0.95 " + SPAM.format("four")))[0] == "rejected"


def test_a_copy_that_could_not_be_scored_is_held_as_unscored(
    database: Database, judged: Judged, people: People
) -> None:
    for comment_id in [judged(AGAIN + SPAM.format(word)) for word in ("one", "two")]:
        people(comment_id)
    copy = judged(SPAM.format("poison"))
    with database.read() as session:
        comment = session.get_one(Comment, copy)
        assert (comment.status, comment.reason) == ("held", "unscored")


def test_a_comment_whose_imprint_is_missing_is_decided_and_remembered_later(
    database: Database, judged: Judged, people: People
) -> None:
    first = judged(AGAIN + SPAM.format("one"))
    with database.write() as session:
        session.execute(delete(TextImprint))
    people(first)
    assert standing(database, judged(SPAM.format("two")))[0] == "approved"
    follow(database)
    assert standing(database, judged(SPAM.format("three")))[0] == "held"


def test_a_text_that_cannot_be_read_is_judged_all_the_same(
    database: Database, judged: Judged, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(judged(AGAIN + SPAM.format("one")))

    def fail(_body: str) -> list[str]:
        raise RuntimeError

    monkeypatch.setattr("workers.scoring.words_of", fail)
    assert standing(database, judged(OTHER.format(""))) == ("approved", [])
    assert standing(database, judged(AGAIN + OTHER.format(""))) == ("held", ["category_scores"])


def test_two_who_decide_near_copies_at_once_both_succeed_and_are_both_remembered(
    database: Database, judged: Judged
) -> None:
    ids = [judged(AGAIN + SPAM.format(f"number {n}")) for n in range(6)]
    who = [make_moderator(database, f"Moderator {n}", Role.MODERATOR) for n in range(6)]

    def decide(n: int) -> None:
        with database.write() as session:
            item_id = open_item_of(session, ids[n])
            assert item_id is not None
            decide_item(session, item_id, None, REJECT, caller(who[n]), datetime.now(UTC))

    assert together([lambda n=n: decide(n) for n in range(6)]) == [None] * 6  # type: ignore[misc]
    with database.read() as session:
        assert len(session.scalars(select(Memory.submission_id)).all()) == 6
    assert standing(database, judged(SPAM.format("another")))[0] == "rejected"


def test_a_number_leads_to_the_latest_texts_only(
    database: Database, judged: Judged, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall, "MOST_OF_A_KEY", 2)
    ids = [judged(AGAIN + SPAM.format("") + f" {n}") for n in range(4)]
    for comment_id in ids:
        people(comment_id)
    with database.read() as session:
        latest = session.scalars(select(Submission.id).order_by(Submission.id.desc()).limit(2)).all()
        counts = session.execute(text("SELECT key, count(*) FROM memory_keys GROUP BY key")).all()
        assert max(count for _, count in counts) == 2
        for key in (key for key, count in counts if count == 2):
            found = session.scalars(select(MemoryKey.submission_id).where(MemoryKey.key == key)).all()
            assert sorted(found, reverse=True) == list(latest)


def test_a_domain_that_people_rejected_three_times_holds_any_text_with_it(
    database: Database, judged: Judged, people: People
) -> None:
    for number, word in enumerate(("lamp", "watch", "wallet")):
        people(judged(f"{AGAIN} {word} at https://shop.example/{number}"))
    assert standing(database, judged("look here: http://www.SHOP.example/x?y")) == ("held", ["link_domains"])
    assert standing(database, judged("look here: http://other.example/x?y"))[0] == "approved"


def test_a_domain_that_was_approved_once_holds_nothing(
    database: Database, judged: Judged, people: People
) -> None:
    judged("Look at https://shop.example/ as well")
    follow(database)
    for number, word in enumerate(("lamp", "watch", "wallet")):
        people(judged(f"{AGAIN} {word} at https://shop.example/{number}"))
    assert standing(database, judged("look here: http://shop.example/"))[0] == "approved"


def test_what_is_known_of_the_author_and_the_domain_is_told_beside_what_holds(
    database: Database, judged: Judged
) -> None:
    author = {"name": "Ines", "email": "ines@example.org"}
    held = judged("score:spam=0.6 see https://new.example/", author=author)
    assert standing(database, held) == ("held", ["category_scores", "link_domains", "author_record"])
    again = judged("score:spam=0.6 once more", author=author)
    assert standing(database, again) == ("held", ["category_scores"])
    assert standing(database, judged("quite harmless https://newer.example", author=author)) == (
        "approved",
        [],
    )


def test_a_flood_of_copies_is_rejected_in_one_batch(
    api: Api, alma: NewSite, process: Process, database: Database, judged: Judged, people: People
) -> None:
    for comment_id in [judged(AGAIN + SPAM.format(word)) for word in ("one", "two")]:
        people(comment_id)
    ids = [api.hand_in(alma, SPAM.format(f"copy {n}"))["id"] for n in range(20)]
    assert drain_process(process) == 20
    assert {standing(database, one)[0] for one in ids} == {"rejected"}
