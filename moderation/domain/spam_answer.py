"""For sites that ask only "is it spam?": what they are told of a verdict, and what is recorded with it."""

from dataclasses import dataclass, replace

from moderation.domain.policy import CLEAN, UNSCORED, Finding, Mode, PolicySettings, Verdict
from moderation.domain.status import Action

TOXIC, TRUSTED_ROLE = "toxic", "trusted_role"
# Beyond doubt: in the last quarter between the score that rejects and certainty.
BEYOND_DOUBT = 0.75


@dataclass(frozen=True)
class SpamAnswer:
    """Spam or not, and whether it may be thrown away unseen; `known` is False for what was not scored."""

    spam: bool
    discard: bool = False
    known: bool = True


def spam_answer(verdict: Verdict, settings: PolicySettings) -> SpamAnswer:
    """What the site is told: everything the policy rejects or holds is spam to it.

    All but toxicity, which is another question: it counts only where the site says so.
    """
    if verdict.reason == UNSCORED:
        return SpamAnswer(spam=True, known=False)
    spam = verdict.outcome is not Action.APPROVE and not _merely_toxic(verdict, settings)
    return SpamAnswer(spam, discard=spam and _beyond_doubt(verdict, settings))


def as_told(verdict: Verdict, settings: PolicySettings) -> Verdict:
    """The verdict to record. The site keeps what is doubtful in its own spam folder, and so nothing is held
    here, unless it wants its moderators to see that in the queue too.
    """
    answer = spam_answer(verdict, settings)
    if verdict.outcome is Action.HOLD and settings.queue_spam_checks:
        return verdict
    outcome = Action.REJECT if answer.spam else Action.APPROVE
    if outcome is verdict.outcome:
        return verdict
    return replace(verdict, outcome=outcome, reason=verdict.reason if answer.spam else CLEAN)


def trust_role(verdict: Verdict, settings: PolicySettings) -> Verdict:
    """The site says that one of its administrators wrote it: approved, whatever else was found."""
    if not settings.trust_roles or verdict.reason == UNSCORED:
        return verdict
    said = Finding(TRUSTED_ROLE, Action.APPROVE, TRUSTED_ROLE, "by an administrator, says the site")
    return replace(verdict, outcome=Action.APPROVE, reason=TRUSTED_ROLE, findings=(said, *verdict.findings))


def _merely_toxic(verdict: Verdict, settings: PolicySettings) -> bool:
    if settings.toxic_is_spam:
        return False
    return all(finding.reason == TOXIC for finding in verdict.findings)


def _beyond_doubt(verdict: Verdict, settings: PolicySettings) -> bool:
    if settings.mode is Mode.HOLD_EVERYTHING:
        return False
    return any(_nearly_certain(finding) for finding in verdict.findings)


def _nearly_certain(finding: Finding) -> bool:
    if finding.category != "spam" or finding.outcome is not Action.REJECT:
        return False
    score, threshold = finding.score or 0.0, finding.threshold or 1.0
    return score >= threshold + BEYOND_DOUBT * (1.0 - threshold)
