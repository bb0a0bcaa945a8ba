"""The proving job: what labels prove of the sites' promises, for the model in use.

Until it is done for a new champion or a changed promise, people look at everything that was promised about.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from moderation.domain.policy import PolicySettings
from moderation.scoring import ModelError, Scorer
from moderation.services.policies import current_policies
from moderation.services.proofs import (
    Labelled,
    count_labels,
    keep_proof,
    keep_scores,
    last_proof,
    promising_sites,
    proven_now,
    scored_texts,
    sites_to_prove,
    tries_anew,
)
from workers.process import Process, this_process

log = logging.getLogger(__name__)

SCORED_AT_ONCE = 256


def prove() -> int:
    """Prove what is due; gives the number of sites."""
    return prove_process(this_process())


def prove_process(process: Process) -> int:
    """The job itself, on the process given."""
    try:
        version = process.scorer.current().version
    except ModelError as error:
        log.error("no model: %s", error)  # noqa: TRY400 - one line says it all
        return 0
    with process.database.read() as session:
        due = sites_to_prove(session, promising_sites(session), version, datetime.now(UTC))
    for site_id in due:
        prove_site(process, site_id)
    return len(due)


def prove_site(process: Process, site_id: str) -> None:
    """Prove one site's promises by the labels there are now."""
    now, version = datetime.now(UTC), process.scorer.current().version
    with process.database.read() as session:
        policy = current_policies(session, {site_id}).get(site_id, PolicySettings())
        count = count_labels(session, site_id)
        texts = scored_texts(session, site_id, version, now)
        last = last_proof(session, site_id, version, policy.version)
    scored = _score(process.scorer, version, texts)
    if scored is None:
        log.info("another model came meanwhile; its promises are next", extra={"site_id": site_id})
        return
    whole = [replace(text, scores=scored.get(text.submission_id, text.scores)) for text in texts]
    anew = tries_anew(last, count)
    with process.database.write() as session:
        keep_scores(session, version, scored, now)
        keep_proof(
            session,
            site_id,
            version,
            proven_now(policy, whole, last, anew=anew),
            policy_version=policy.version,
            label_count=count,
            tried_with=count if anew or last is None else last.label_count,
            now=now,
        )
    log.info("proved promises by %d labelled texts", len(texts), extra={"site_id": site_id})


def _score(scorer: Scorer, version: str, texts: Sequence[Labelled]) -> dict[str, Mapping[str, float]] | None:
    """Scores by this model version of the texts without them; None if another one is in use by now."""
    missing = [text for text in texts if text.scores is None]
    found: dict[str, Mapping[str, float]] = {}
    for start in range(0, len(missing), SCORED_AT_ONCE):
        part = missing[start : start + SCORED_AT_ONCE]
        scores = scorer.score([text.comment for text in part])
        if scores.model_version != version:
            return None
        found |= {text.submission_id: row for text, row in zip(part, scores.rows, strict=True)}
    return found
