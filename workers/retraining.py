"""The retraining job: labels -> challenger -> compared with the champion -> promoted or kept, and why.

Every step may be repeated: the version's name comes from the run, so a job that died after promoting the
challenger finds it in force. One that finds it stored and not in force leaves it to people: it may have been
taken out of force since.
"""

import logging
import os
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from classifier import Classifier
from classifier.categories import CATEGORIES
from classifier.errors import ChampionChanged
from classifier.evaluation import Comparison, compare, regression
from classifier.registry import Registry, load_shipped
from classifier.retraining import Example, fit_challenger
from moderation.database import Unavailable
from moderation.domain.contrary import Judgement, contrary
from moderation.domain.training_set import LabelledComment, LabelledText, TrainingSet, training_set
from moderation.models import RetrainingRun
from moderation.scoring import words_of
from moderation.services.audit import ACTS, record
from moderation.services.labelled import labelled_texts
from moderation.services.retraining import RunStatus, beat, finish_run, take_run
from moderation.services.webhook_outbox import tell_promoted
from workers.process import Process, this_process
from workers.proving import prove_process

log = logging.getLogger(__name__)

# The newest part of the labels judges; the older part teaches.
JUDGING_SHARE = 0.3
BEAT_SECONDS = 10.0
NICER = 10


@dataclass(frozen=True)
class Ending:
    """How a run ended, and what is recorded about it."""

    status: RunStatus
    reason: str
    label_count: int = 0
    champion: str | None = None
    challenger: str | None = None
    metrics: dict[str, Any] | None = None


@dataclass(frozen=True)
class Gate:
    """Whether a challenger may be promoted, why, and the figures of it."""

    status: RunStatus
    reason: str
    metrics: dict[str, Any]


def retrain(run_id: str) -> None:
    """Work on one run, if there is still something to do."""
    # This is a process of the job's own: on a machine with few cores comments come first.
    os.nice(NICER)
    retrain_process(this_process(), run_id)


def retrain_process(process: Process, run_id: str) -> None:
    """The job itself, on the process given."""
    with process.database.write() as session:
        run = take_run(session, run_id, datetime.now(UTC))
    if run is None:
        return
    with _heartbeat(process, run_id):
        ending = _attempt(process, run)
    details = asdict(ending)
    status, reason = RunStatus(details.pop("status")), details.pop("reason")
    details["metrics"] = details["metrics"] or {}
    with process.database.write() as session:
        ended = finish_run(session, run_id, status, reason, datetime.now(UTC), **details)
        if ended and status is RunStatus.PROMOTED and ending.challenger is not None:
            record(session, "retraining", ACTS["promotion"], ending.challenger, datetime.now(UTC), run=run_id)
            tell_promoted(session, ending.challenger, "retraining", datetime.now(UTC))
    log.info("%s: %s", status, reason, extra={"run_id": run_id})
    if status is RunStatus.PROMOTED:
        # At once: until then people look at all that was promised about.
        prove_process(process)


def _attempt(process: Process, run: RetrainingRun) -> Ending:
    try:
        return make_and_prove(process, run)
    except Exception as error:
        log.error("failed (%s)", type(error).__name__, extra={"run_id": run.id})  # noqa: TRY400 - may hold comment text
        return Ending(RunStatus.FAILED, f"{type(error).__name__} while retraining")


def make_and_prove(process: Process, run: RetrainingRun) -> Ending:
    """Train a challenger on the older labels and let the newer ones decide."""
    registry = process.scorer.registry
    version = f"{run.created_at:%Y.%m.%d}-{run.id[-8:]}"
    if registry.champion() == version:
        return Ending(RunStatus.PROMOTED, "promoted before an interruption", challenger=version)
    if registry.knows(version):
        # It may have been in force and taken out again by a person or the circuit breaker since.
        reason = "made before an interruption and not in force; promote it by hand if it is wanted"
        return Ending(RunStatus.KEPT, reason, champion=registry.champion(), challenger=version)
    in_force = registry.champion()
    champion = registry.load()
    labelled = _labels_for(process, run, champion)
    examples, figures = labelled.examples, {"labels": dict(labelled.figures)}
    needed = process.settings.retrain_min_labels
    if len(examples) < needed:
        reason = f"{len(examples)} labelled comments, {needed} are needed"
        return Ending(RunStatus.KEPT, reason, len(examples), in_force, metrics=figures)
    teaching, judging = split_by_time(examples)
    challenger = fit_challenger(load_shipped(), teaching, version=version)
    gate = _pass(champion, challenger, judging)
    registry.add(challenger)
    reason = gate.reason + _left_out(labelled.figures["contrary_moderators"])
    ending = Ending(gate.status, reason, len(examples), champion.version, version, gate.metrics | figures)
    return _promote(registry, ending, in_force) if gate.status is RunStatus.PROMOTED else ending


def _labels_for(process: Process, run: RetrainingRun, champion: Classifier) -> TrainingSet:
    """The labels a run may use, made into examples: read first, and compared when no transaction is open."""
    with process.database.read() as session:
        texts = list(labelled_texts(session, run.site_id))
    return examples_from(texts, champion)


def _left_out(moderators: Sequence[str]) -> str:
    if not moderators:
        return ""
    return f" The labels of {', '.join(moderators)} were left out: they say the opposite of all others'."


def examples_from(texts: Sequence[LabelledText], champion: Classifier) -> TrainingSet:
    """The examples that the labels of all make, but of moderators who say the opposite of the others.

    Those are named in the figures: a person should ask them.
    """
    found = training_set(texts, words_of)
    left_out = contrary(_judgements(found.examples, champion))
    if left_out:
        found = training_set(_without(texts, left_out), words_of)
    return TrainingSet(found.examples, {**found.figures, "contrary_moderators": sorted(left_out)})


def _judgements(examples: Sequence[LabelledComment], champion: Classifier) -> list[Judgement]:
    """What each moderator said alone; nobody contradicts others where only one teaches."""
    of_one = [example for example in examples if example.moderator_id is not None]
    if len({example.moderator_id for example in of_one}) < 2:
        return []
    scores = champion.score([example.comment for example in of_one])
    return [
        Judgement(str(example.moderator_id), category, float(row[CATEGORIES.index(category)]), value)
        for example, row in zip(of_one, scores, strict=True)
        for category, value in example.labels.items()
    ]


def _without(texts: Sequence[LabelledText], moderators: Collection[str]) -> Iterator[LabelledText]:
    """The texts without what some moderators taught, and none that only they labelled."""
    for text in texts:
        taught = tuple(one for one in text.taught if one.teacher.moderator_id not in moderators)
        if taught:
            yield replace(text, taught=taught)


def split_by_time(labelled: Sequence[LabelledComment]) -> tuple[list[Example], list[Example]]:
    """The older examples to teach and the newest to judge: the future is what a model must do well on."""
    ordered = sorted(labelled, key=lambda one: one.at)
    cut = max(1, round(len(ordered) * (1 - JUDGING_SHARE)))
    examples = [Example(one.comment, one.labels, one.weight, one.at.timestamp()) for one in ordered]
    return examples[:cut], examples[cut:]


def _pass(champion: Classifier, challenger: Classifier, judging: Sequence[Example]) -> Gate:
    """The gate: better on the newest labels beyond noise, worse in no category, and nothing unlearned."""
    comparison = compare(champion, challenger, judging)
    cases = regression(champion, challenger)
    metrics = {
        "champion": comparison.champion,
        "challenger": comparison.challenger,
        "gain": _gains(comparison),
        "regression": {"areas": cases.areas, "lost": cases.lost},
    }
    if not comparison.better or comparison.worse_in:
        return Gate(RunStatus.KEPT, comparison.reason, metrics)
    if cases.lost:
        unlearned = (
            f"but it unlearned {', '.join(cases.lost)}: it orders the cases of the regression set worse."
        )
        return Gate(RunStatus.KEPT, f"{comparison.reason.removesuffix('.')}, {unlearned}", metrics)
    return Gate(RunStatus.PROMOTED, comparison.reason, metrics)


def _gains(comparison: Comparison) -> dict[str, Any]:
    """By how much the log-loss is lower, in all and by category, with 95 % intervals."""
    overall = {} if comparison.overall is None else {"overall": asdict(comparison.overall)}
    return overall | {name: asdict(interval) for name, interval in comparison.categories.items()}


def _promote(registry: Registry, ending: Ending, in_force: str) -> Ending:
    """Put the challenger in force, unless another model came there than the one it was compared with."""
    try:
        registry.promote(str(ending.challenger), expected=in_force)
    except ChampionChanged as error:
        return replace(
            ending, status=RunStatus.KEPT, reason=f"{error.champion} came into force during the run."
        )
    registry.prune()
    return ending


@contextmanager
def _heartbeat(process: Process, run_id: str) -> Iterator[None]:
    """Show signs of life while the job computes, so that no other worker takes the run over."""
    done = threading.Event()

    def show() -> None:
        while not done.wait(BEAT_SECONDS):
            # A missed one does no harm; without the thread the run would be taken over.
            with suppress(Unavailable), process.database.write() as session:
                beat(session, run_id, datetime.now(UTC))

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
