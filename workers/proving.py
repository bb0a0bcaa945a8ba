"""The proving job: what labels prove of the sites' promises, for the model in use.

Until it is done for a new champion or a changed promise, people look at everything that was promised about.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from moderation.domain.policy import PolicySettings
from moderation.scoring import ModelError, Scorer
from moderation.services.policies import current_policies
from moderation.services.proofs import (
    Labelled,
    count_labels,
    keep_proof,
    labelled_texts,
    promising_sites,
    proven_now,
    sites_to_prove,
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
        texts = labelled_texts(session, site_id, version, now)
    version, texts = _score(process.scorer, version, texts)
    proven = proven_now(policy, texts)
    with process.database.write() as session:
        keep_proof(
            session, site_id, version, proven, policy_version=policy.version, label_count=count, now=now
        )
    log.info("proved promises by %d labelled texts", len(texts), extra={"site_id": site_id})


def _score(scorer: Scorer, version: str, texts: Sequence[Labelled]) -> tuple[str, list[Labelled]]:
    """The texts with scores of one model version; another champion meanwhile scores them all."""
    missing = [text.comment for text in texts if text.scores is None]
    rows: list[dict[str, float]] = []
    for start in range(0, len(missing), SCORED_AT_ONCE):
        scores = scorer.score(missing[start : start + SCORED_AT_ONCE])
        if scores.model_version != version:
            return _score(scorer, scores.model_version, [replace(text, scores=None) for text in texts])
        rows.extend(scores.rows)
    waiting = iter(rows)
    return version, [
        text if text.scores is not None else replace(text, scores=next(waiting)) for text in texts
    ]
