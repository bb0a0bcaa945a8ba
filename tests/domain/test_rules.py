"""The rules of the policy, each by itself: what it finds, what it leaves alone, and its boundary."""

from typing import Any

import pytest

from moderation.domain import rules
from moderation.domain.policy import (
    CATEGORIES,
    AuthorRecord,
    DomainRecord,
    Finding,
    Mode,
    PolicySettings,
    Signals,
    Threshold,
)
from moderation.domain.status import Action

CALM = dict.fromkeys(CATEGORIES, 0.01)
POINTS = {category: Threshold(reject=0.9, hold=0.5) for category in CATEGORIES}


def found(rule: rules.Rule, signals: Signals, settings: PolicySettings | None = None) -> list[Finding]:
    """Everything one rule finds."""
    return list(rule(signals, settings or PolicySettings()))


def signals(**facts: Any) -> Signals:
    """An ordinary comment, but for these facts."""
    return Signals(**{"body": "A kind word.", "scores": CALM, "operating_points": POINTS} | facts)


def outcomes(findings: list[Finding]) -> list[tuple[Action, str]]:
    return [(finding.outcome, finding.reason) for finding in findings]


@pytest.mark.parametrize("rule", rules.RULES)
def test_an_ordinary_comment_is_left_alone(rule: rules.Rule) -> None:
    assert found(rule, signals()) == []


@pytest.mark.parametrize("rule", rules.RULES)
def test_every_rule_says_in_a_docstring_what_it_looks_for(rule: rules.Rule) -> None:
    assert rule.__doc__


@pytest.mark.parametrize(
    "scores",
    [
        None,
        {},
        {"spam": 0.01},
        CALM | {"threat": float("nan")},
        CALM | {"threat": float("inf")},
        CALM | {"threat": -0.1},
        CALM | {"threat": 1.1},
    ],
)
def test_scores_that_are_missing_or_no_probabilities_count_as_unscored(scores: dict[str, float]) -> None:
    assert outcomes(found(rules.unscored, signals(scores=scores))) == [(Action.HOLD, "unscored")]


def test_a_filled_honeypot_rejects() -> None:
    assert outcomes(found(rules.honeypot, signals(honeypot_filled=True))) == [(Action.REJECT, "honeypot")]


def test_a_closed_thread_rejects_and_says_so_once() -> None:
    facts = signals(thread_closed=True, thread_age_days=100)
    assert outcomes(found(rules.closed_thread, facts, PolicySettings(close_after_days=1))) == [
        (Action.REJECT, "thread_closed")
    ]


@pytest.mark.parametrize(("age", "closed"), [(29.99, False), (30.0, False), (30.01, True)])
def test_a_thread_closes_only_after_the_days_the_site_allows(age: float, closed: bool) -> None:
    settings = PolicySettings(close_after_days=30)
    assert bool(found(rules.closed_thread, signals(thread_age_days=age), settings)) is closed


def test_a_thread_never_closes_by_age_unless_the_site_says_so() -> None:
    assert found(rules.closed_thread, signals(thread_age_days=10_000)) == []


@pytest.mark.parametrize(
    ("score", "outcome"),
    [
        (0.4999, None),
        (0.5, Action.HOLD),
        (0.8999, Action.HOLD),
        (0.9, Action.REJECT),
        (1.0, Action.REJECT),
    ],
)
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_score_counts_from_its_threshold_on(category: str, score: float, outcome: Action | None) -> None:
    findings = found(rules.category_scores, signals(scores=CALM | {category: score}))
    reason = "spam" if category == "spam" else "toxic"
    assert outcomes(findings) == ([(outcome, reason)] if outcome else [])
    assert all((f.category, f.score, f.threshold) == (category, score, f.threshold) for f in findings)


def test_scores_are_told_in_the_order_of_the_categories() -> None:
    findings = found(rules.category_scores, signals(scores=dict.fromkeys(reversed(CATEGORIES), 0.95)))
    assert [finding.category for finding in findings] == list(CATEGORIES)


def test_a_category_without_a_reject_threshold_only_holds() -> None:
    points = POINTS | {"insult": Threshold(reject=None, hold=0.5)}
    facts = signals(scores=CALM | {"insult": 1.0}, operating_points=points)
    assert outcomes(found(rules.category_scores, facts)) == [(Action.HOLD, "toxic")]


def test_without_any_operating_point_an_even_chance_holds_and_nothing_rejects() -> None:
    facts = signals(scores=CALM | {"spam": 1.0, "threat": 0.5}, operating_points={})
    assert outcomes(found(rules.category_scores, facts)) == [(Action.HOLD, "spam"), (Action.HOLD, "toxic")]


def test_the_sites_thresholds_win_over_the_models() -> None:
    settings = PolicySettings(thresholds={"spam": Threshold(reject=None, hold=0.99)})
    assert found(rules.category_scores, signals(scores=CALM | {"spam": 0.95}), settings) == []


@pytest.mark.parametrize(
    ("word", "body", "hit"),
    [
        ("casino", "Best CASINO in town", True),
        ("casino", "casinos are closed", False),
        ("casino", "online-casino!", True),
        ("c++", "I like C++ a lot", True),
        ("c++", "I like c a lot", False),
        (".*", "anything at all", False),
        (".*", "literally .* here", True),
        ("(", "an open ( bracket", True),
        ("a.c", "abc", False),
        ("buy now", "Buy now and save", True),
        ("купить", "Купить здесь", True),
    ],
)
def test_a_blocked_word_is_taken_literally_and_as_a_whole_word(word: str, body: str, hit: bool) -> None:
    findings = found(rules.blocked_words, signals(body=body), PolicySettings(blocked_words=(word,)))
    assert outcomes(findings) == ([(Action.HOLD, "blocked_word")] if hit else [])


def test_every_blocked_word_is_named() -> None:
    settings = PolicySettings(blocked_words=("pills", "casino", "loan"))
    findings = found(rules.blocked_words, signals(body="loan pills"), settings)
    assert [finding.detail for finding in findings] == [
        "contains the blocked word “pills”",
        "contains the blocked word “loan”",
    ]


@pytest.mark.parametrize(("links", "held"), [(0, False), (3, False), (4, True)])
def test_links_count_only_beyond_the_limit(links: int, held: bool) -> None:
    body = " ".join(["http://a.example", "HTTPS://b.example", "www.c.example", "https://d.example"][:links])
    findings = found(rules.link_count, signals(body=body))
    assert outcomes(findings) == ([(Action.HOLD, "links")] if held else [])


def test_a_site_that_allows_no_links_holds_the_first() -> None:
    assert found(rules.link_count, signals(body="see www.a.example"), PolicySettings(link_limit=0))


@pytest.mark.parametrize(("repeats", "held"), [(0, False), (1, False), (2, True)])
def test_a_text_is_a_repeat_only_beyond_the_limit(repeats: int, held: bool) -> None:
    findings = found(rules.exact_repeat, signals(repeats=repeats))
    assert outcomes(findings) == ([(Action.HOLD, "repeat")] if held else [])


@pytest.mark.parametrize(
    ("record", "found_is"),
    [
        (DomainRecord(), [(Action.APPROVE, "new_domain")]),
        (DomainRecord(seen=4, approved=4), []),
        (DomainRecord(seen=4, approved=2, rejected=2), [(Action.APPROVE, "known_domain")]),
        (DomainRecord(seen=2, rejected=2, rejected_by_people=2), [(Action.APPROVE, "known_domain")]),
        (DomainRecord(seen=3, rejected=3, rejected_by_people=3), [(Action.HOLD, "rejected_domain")]),
        (DomainRecord(seen=9, rejected=9), [(Action.APPROVE, "known_domain")]),
        (DomainRecord(9, 1, 8, 8), [(Action.APPROVE, "known_domain")]),
    ],
)
def test_a_domain_holds_only_when_people_rejected_it_again_and_again_and_nobody_approved_it(
    record: DomainRecord, found_is: list[tuple[Action, str]]
) -> None:
    assert outcomes(found(rules.link_domains, signals(domains=(record,)))) == found_is


def test_the_worst_of_several_domains_counts_and_a_new_one_is_told_beside_it() -> None:
    domains = (DomainRecord(seen=5, approved=5), DomainRecord(3, 0, 3, 3), DomainRecord())
    assert outcomes(found(rules.link_domains, signals(domains=domains))) == [
        (Action.HOLD, "rejected_domain"),
        (Action.APPROVE, "new_domain"),
    ]


def test_a_site_may_hold_new_domains_and_let_rejected_ones_pass() -> None:
    settings = PolicySettings(hold_new_domains=True, domain_rejections=0)
    facts = signals(domains=(DomainRecord(), DomainRecord(9, 0, 9, 9)))
    assert outcomes(found(rules.link_domains, facts, settings)) == [
        (Action.APPROVE, "known_domain"),
        (Action.HOLD, "new_domain"),
    ]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, []),
        (AuthorRecord(), ["first comment of this author"]),
        (AuthorRecord(seen=1), []),
        (AuthorRecord(13, 12, 1), ["author with 12 approved and 1 rejected of the latest 13 comments here"]),
    ],
)
def test_what_is_known_of_the_author_is_told_and_asks_for_nothing(
    record: AuthorRecord | None, words: list[str]
) -> None:
    findings = found(rules.author_record, signals(author=record))
    assert [finding.detail for finding in findings] == words
    assert all(finding.outcome is Action.APPROVE for finding in findings)


@pytest.mark.parametrize(("record", "held"), [(AuthorRecord(3, 0, 3), True), (AuthorRecord(1, 1, 0), False)])
def test_a_site_may_hold_authors_of_whom_nothing_was_approved(record: AuthorRecord, held: bool) -> None:
    findings = found(rules.author_record, signals(author=record), PolicySettings(hold_first_comments=True))
    assert (outcomes(findings) == [(Action.HOLD, "first_comment")]) is held


def test_a_site_that_holds_everything_holds_an_ordinary_comment() -> None:
    settings = PolicySettings(mode=Mode.HOLD_EVERYTHING)
    assert outcomes(found(rules.everything_held, signals(), settings)) == [(Action.HOLD, "hold_everything")]


def test_no_finding_quotes_the_comment() -> None:
    facts = signals(
        body="secretword " * 3 + "http://secret.example " * 5,
        scores=dict.fromkeys(CATEGORIES, 0.95),
        repeats=9,
        honeypot_filled=True,
        thread_closed=True,
    )
    settings = PolicySettings(mode=Mode.HOLD_EVERYTHING)
    assert not [f for f in rules.judge(facts, settings).findings if "secret" in f.detail]
