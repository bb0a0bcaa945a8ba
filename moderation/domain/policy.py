"""A site's policy: its settings, the facts it is given, and the verdict it computes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from moderation.domain.promises import CONFIDENCE, Promise, Proven
from moderation.domain.status import Action

# The order of the categories is part of the contract; a test compares it with the classifier's.
CATEGORIES = ("spam", "toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")


class Mode(StrEnum):
    """Who decides: the policy by itself, or people (the model only sorts)."""

    AUTOMATIC = "automatic"
    HOLD_EVERYTHING = "hold_everything"


@dataclass(frozen=True)
class Threshold:
    """Scores from which a category rejects by itself (None: never) and from which a person looks."""

    reject: float | None
    hold: float


@dataclass(frozen=True)
class PolicySettings:
    """One version of a site's choices; `thresholds` override the model's own operating points."""

    version: int = 0
    mode: Mode = Mode.AUTOMATIC
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    link_limit: int = 3
    repeat_limit: int = 1
    blocked_words: tuple[str, ...] = ()
    close_after_days: int | None = None
    # So many readers' reports bring a published comment to a person; 0: none do.
    report_limit: int = 1
    # For sites that ask only whether something is spam (`spam_answer.py`).
    trust_roles: bool = True
    toxic_is_spam: bool = False
    queue_spam_checks: bool = False
    # For how long people's decisions are remembered for near-copies (0: not at all), and how many rejections
    # of near-copies reject another one without a person (0: none do, they only hold).
    memory_days: int = 30
    memory_rejections: int = 2
    # A domain people rejected this often, and never approved, holds what links to it (0: never).
    domain_rejections: int = 3
    hold_new_domains: bool = False
    hold_first_comments: bool = False
    # Of what is decided without a person, the share that one looks at all the same; None: the installation's.
    spot_check_share: float | None = None
    # By category: what may be decided without a person, and how sure that must be (`promises.py`).
    promises: Mapping[str, Promise] = field(default_factory=dict)
    promise_confidence: float = CONFIDENCE


@dataclass(frozen=True)
class Precedent:
    """What people decided on a near-copy; `batch_id` if it was decided together with others."""

    similarity: float
    size: int
    approved: bool
    reason: str
    seconds_ago: float
    decision_id: str
    batch_id: str | None = None


@dataclass(frozen=True)
class DomainRecord:
    """What became of a site's latest comments that link to a domain."""

    seen: int = 0
    approved: int = 0
    rejected: int = 0
    rejected_by_people: int = 0


@dataclass(frozen=True)
class AuthorRecord:
    """What became of the author's latest comments on the site."""

    seen: int = 0
    approved: int = 0
    rejected: int = 0


@dataclass(frozen=True)
class Signals:
    """Every fact the policy may use about one submission; `scores` is None when it was not scored."""

    body: str
    scores: Mapping[str, float] | None
    operating_points: Mapping[str, Threshold] = field(default_factory=dict)
    honeypot_filled: bool = False
    thread_closed: bool = False
    thread_age_days: float = 0.0
    repeats: int = 0
    precedents: tuple[Precedent, ...] = ()
    domains: tuple[DomainRecord, ...] = ()
    # None: the site did not tell who the author is.
    author: AuthorRecord | None = None
    # What labels prove of the site's promises for this model version; None: not looked into yet.
    proven: Mapping[str, Proven] | None = None


@dataclass(frozen=True)
class Finding:
    """What one rule found: the outcome it asks for, a reason code and words for people.

    One that asks for approval only says something worth knowing; it is told beside others, never alone.
    """

    rule: str
    outcome: Action
    reason: str
    detail: str
    category: str | None = None
    score: float | None = None
    threshold: float | None = None
    # The decision on another comment that it goes back to.
    decision_id: str | None = None


@dataclass(frozen=True)
class Verdict:
    """The policy's answer: the strongest outcome found, its reason and every finding."""

    outcome: Action
    reason: str
    findings: tuple[Finding, ...]
    policy_version: int


CLEAN = "clean"
UNSCORED = "unscored"
_STRENGTH = {Action.APPROVE: 0, Action.HOLD: 1, Action.REJECT: 2}


def conclude(findings: list[Finding], settings: PolicySettings) -> Verdict:
    """Weigh the findings: the strongest outcome wins, the first of equal strength names the reason.

    What was not scored is always held, and so is everything on a site that leaves no decision to the
    policy; the findings say why a person should look.
    """
    found = tuple(findings)
    strongest = max(found, key=lambda f: _STRENGTH[f.outcome], default=None)
    if strongest is None or strongest.outcome is Action.APPROVE:
        return Verdict(Action.APPROVE, CLEAN, (), settings.version)
    outcome = strongest.outcome
    if settings.mode is Mode.HOLD_EVERYTHING:
        outcome = Action.HOLD
    unscored = next((f for f in found if f.reason == UNSCORED), None)
    if unscored is not None:
        return Verdict(Action.HOLD, UNSCORED, found, settings.version)
    return Verdict(outcome, strongest.reason, found, settings.version)
