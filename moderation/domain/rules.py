"""The rules of the policy: one ordered list of pure checks whose findings are all kept.

The order matters twice: findings are shown in it, and the first of the strongest names the reason.
A single weak fact (links, repetition, a word) only holds; only what is beyond doubt rejects. Nothing that
speaks for a comment takes anything away from what speaks against it.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from moderation.domain.policy import (
    CATEGORIES,
    UNSCORED,
    DomainRecord,
    Finding,
    Mode,
    PolicySettings,
    Signals,
    Threshold,
    Verdict,
    conclude,
)
from moderation.domain.precedents import near_copies
from moderation.domain.promises import Proven
from moderation.domain.status import Action

Rule = Callable[[Signals, PolicySettings], Iterator[Finding]]

_LINK = re.compile(r"https?://|\bwww\.", re.IGNORECASE)
UNPROVEN = "unproven"
# Until a model says otherwise a person looks at every second-guess and nothing is rejected.
_CAUTIOUS = Threshold(reject=None, hold=0.5)


def judge(signals: Signals, settings: PolicySettings) -> Verdict:
    """Run every rule in order and conclude."""
    return conclude([finding for rule in RULES for finding in rule(signals, settings)], settings)


def unscored(signals: Signals, _settings: PolicySettings) -> Iterator[Finding]:
    """A submission the model could not score goes to a person, whatever else is known.

    So does one that lacks a category or has something else than a probability: compared with a threshold,
    a missing score or a NaN would pass for harmless.
    """
    scores = signals.scores or {}
    if not all(0.0 <= scores.get(category, -1.0) <= 1.0 for category in CATEGORIES):
        yield Finding("unscored", Action.HOLD, UNSCORED, "the model could not score this comment")


def honeypot(signals: Signals, _settings: PolicySettings) -> Iterator[Finding]:
    """Only a program fills a form field that people cannot see."""
    if signals.honeypot_filled:
        yield Finding("honeypot", Action.REJECT, "honeypot", "a hidden form field was filled in")


def closed_thread(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """A thread the site closed, or one older than the site allows, takes no more comments."""
    if signals.thread_closed:
        yield Finding("closed_thread", Action.REJECT, "thread_closed", "the thread is closed")
    elif settings.close_after_days is not None and signals.thread_age_days > settings.close_after_days:
        detail = f"the thread is {signals.thread_age_days:.0f} days old, limit {settings.close_after_days}"
        yield Finding("closed_thread", Action.REJECT, "thread_closed", detail)


def category_scores(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """Scores at or above a threshold, in the order of the categories."""
    for category in CATEGORIES:
        score = (signals.scores or {}).get(category)
        if score is None:
            continue
        finding = _compare(category, score, _threshold(category, signals, settings))
        if finding is not None:
            yield finding


def promises(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """What the site promised is not proven yet, so nothing is published without a person."""
    for category, promise in settings.promises.items():
        if promise.publish is not None and _proven_hold(category, signals) is None:
            detail = _unproven(category, promise.publish, signals.proven)
            yield Finding("promises", Action.HOLD, UNPROVEN, detail, category)


def blocked_words(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """Words the site does not want published without a look."""
    for word in settings.blocked_words:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", signals.body, re.IGNORECASE):
            # The word itself is the site's own setting, not comment text, so it may be shown.
            yield Finding("blocked_words", Action.HOLD, "blocked_word", f"contains the blocked word “{word}”")


def link_count(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """More links than people usually post."""
    links = len(_LINK.findall(signals.body))
    if links > settings.link_limit:
        yield Finding("link_count", Action.HOLD, "links", f"{links} links, limit {settings.link_limit}")


def exact_repeat(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """The same text was sent to this site before, within a day."""
    if signals.repeats > settings.repeat_limit:
        yield Finding("exact_repeat", Action.HOLD, "repeat", f"repeat of {signals.repeats} comments today")


def link_domains(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """What became of comments that linked to the same domains; these are not named, they are its text."""
    known = [record for record in signals.domains if record.seen]
    worst = max(known, key=lambda record: record.rejected_by_people, default=DomainRecord())
    if _is_rejected(worst, settings):
        detail = (
            f"link to a domain that people rejected {worst.rejected_by_people} times, never approved here"
        )
        yield Finding("link_domains", Action.HOLD, "rejected_domain", detail)
    elif worst.rejected:
        detail = f"link to a domain with {worst.rejected} rejected of the latest {worst.seen} comments here"
        yield Finding("link_domains", Action.APPROVE, "known_domain", detail)
    if len(known) < len(signals.domains):
        outcome = Action.HOLD if settings.hold_new_domains else Action.APPROVE
        yield Finding("link_domains", outcome, "new_domain", "link to a domain never seen here")


def author_record(signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """What the author is known for. Anybody can use another's name, so it speaks for nobody."""
    record = signals.author
    if record is None:
        return
    if not record.approved and settings.hold_first_comments:
        yield Finding(
            "author_record", Action.HOLD, "first_comment", "no comment of this author was approved yet"
        )
    elif not record.seen:
        yield Finding("author_record", Action.APPROVE, "first_comment", "first comment of this author")
    elif record.approved or record.rejected:
        decided = f"{record.approved} approved and {record.rejected} rejected"
        detail = f"author with {decided} of the latest {record.seen} comments here"
        yield Finding("author_record", Action.APPROVE, "known_author", detail)


def everything_held(_signals: Signals, settings: PolicySettings) -> Iterator[Finding]:
    """The site leaves no decision to the policy."""
    if settings.mode is Mode.HOLD_EVERYTHING:
        yield Finding("everything_held", Action.HOLD, "hold_everything", "this site holds every comment")


RULES: tuple[Rule, ...] = (
    unscored,
    honeypot,
    closed_thread,
    category_scores,
    promises,
    blocked_words,
    link_count,
    exact_repeat,
    # What people decided before comes after what the comment itself shows, and before what only tells.
    near_copies,
    link_domains,
    author_record,
    everything_held,
)


def _threshold(category: str, signals: Signals, settings: PolicySettings) -> Threshold:
    """The site's own, or else the model's; what the site promised takes the place of the model's."""
    own, promise = settings.thresholds.get(category), settings.promises.get(category)
    base = own or signals.operating_points.get(category, _CAUTIOUS)
    if promise is None:
        return base
    hold, reject = base.hold, base.reject
    if promise.publish is not None:
        proven = _proven_hold(category, signals)
        # A threshold of the site's own may be stricter than what is proven, never laxer.
        hold = hold if proven is None else min(proven, own.hold) if own else proven
    if promise.reject is not None:
        proof = (signals.proven or {}).get(category, Proven()).reject
        found = proof.threshold if proof else None
        reject = None if found is None else max(found, own.reject or 0.0) if own else found
    return Threshold(reject, hold)


def _proven_hold(category: str, signals: Signals) -> float | None:
    proof = (signals.proven or {}).get(category, Proven()).hold
    return proof.threshold if proof else None


def _unproven(category: str, share: float, proven: Mapping[str, Proven] | None) -> str:
    named = f"that {share:.4g} of what is published is free of {category.replace('_', ' ')}".replace("_", " ")
    proof = (proven or {}).get(category, Proven()).hold
    if proof is None:
        return f"{named} is not looked into yet for this model"
    if proof.missing:
        return f"{named} is not proven: at least {proof.missing} more labels are needed"
    return f"{named} is not true of this model: {proof.wrong} of the safest {proof.seen} were not"


def _compare(category: str, score: float, threshold: Threshold) -> Finding | None:
    reason = "spam" if category == "spam" else "toxic"
    if threshold.reject is not None and score >= threshold.reject:
        outcome, limit, done = Action.REJECT, threshold.reject, "rejected"
    elif score >= threshold.hold:
        outcome, limit, done = Action.HOLD, threshold.hold, "held"
    else:
        return None
    detail = f"{category.replace('_', ' ')} {score:.2f}, {done} from {limit:.2f}"
    return Finding("category_scores", outcome, reason, detail, category, round(score, 6), limit)


def _is_rejected(record: DomainRecord, settings: PolicySettings) -> bool:
    """A domain in common use is in some rejected comments too."""
    enough = 0 < settings.domain_rejections <= record.rejected_by_people
    return enough and not record.approved
