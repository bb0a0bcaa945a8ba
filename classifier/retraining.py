"""Fit a challenger: the shipped model as the prior, and one correction from a site's own labels."""

# ruff: noqa: N806 - X is what scikit-learn calls a feature matrix

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit

from classifier.card import fingerprint, new_card
from classifier.categories import CATEGORIES
from classifier.correction import SiteCorrection
from classifier.examples import Example, label_matrix, weight_vector
from classifier.model import Classifier, Correction, batches
from classifier.site_features import site_features
from classifier.thresholds import operating_points

__all__ = ["Example", "fit_challenger"]

# Fewer true or false labels than this say little about a precision of 0.98.
_FEWEST_FOR_POINTS = 100


def fit_challenger(
    base: Classifier, examples: Sequence[Example], *, version: str, seed: int = 0
) -> Classifier:
    """A new model version: the base's prior plus one correction fitted on all examples.

    A corrected base is not corrected again: its own base is taken, so corrections never pile up.
    Needs no minimum: with few labels the challenger is the base.
    """
    labels, weights = label_matrix(examples), weight_vector(examples)
    # A site without labels is one empty comment about which nothing is known.
    comments = [example.comment for example in examples] or [{"body": ""}]
    X, offset = _read(base, comments)
    known = labels if examples else np.full((1, len(CATEGORIES)), np.nan)
    correction = SiteCorrection(random_state=seed)
    correction.fit(X, known, weights if examples else None, offset)
    card = new_card(
        version,
        created_at=time.time(),
        parent=base.version,
        seed=seed,
        prior=base.card.get("prior") or base.version,
        data=_data(examples, labels),
        parameters=correction.get_params(deep=False),
        strengths=dict(zip(CATEGORIES, correction.strength_, strict=True)),
        operating_points=_points(base, correction, known, weights),
    )
    return Classifier(base.network, card, Correction(correction.coef_, correction.intercept_))


def _read(base: Classifier, comments: Sequence[Mapping[str, Any]]) -> tuple[sparse.csr_matrix, Any]:
    """The features of all comments and the base's logits; of each batch no more than these is kept."""
    blocks, logits = [], []
    for part in batches(comments):
        reading = base.network.read(part)
        blocks.append(site_features(part, reading))
        logits.append(reading.logits)
    return sparse.vstack(blocks, format="csr"), np.concatenate(logits)


def _data(examples: Sequence[Example], labels: Any) -> dict[str, Any]:
    """What the site's labels were, without a word of them."""
    rows = (
        json.dumps([dict(e.comment), dict(e.labels), e.weight], sort_keys=True, default=str) for e in examples
    )
    counts = {
        category: {"true": int((labels[:, k] == 1).sum()), "false": int((labels[:, k] == 0).sum())}
        for k, category in enumerate(CATEGORIES)
    }
    data = {"fingerprint": fingerprint(rows), "rows": len(examples), "labels": counts}
    return data | _labelled([example.at for example in examples if example.at])


def _labelled(at: Sequence[float]) -> dict[str, Any]:
    """From when to when, as far as that is known."""
    if not at:
        return {}
    first, last = (
        datetime.fromtimestamp(one, UTC).isoformat(timespec="seconds") for one in (min(at), max(at))
    )
    return {"labelled": {"first": first.replace("+00:00", "Z"), "last": last.replace("+00:00", "Z")}}


def _points(base: Classifier, correction: SiteCorrection, labels: Any, weights: Any) -> dict[str, Any]:
    """Operating points from out-of-fold scores where there are labels enough, else the base's."""
    points = dict(base.card.get("operating_points") or {})
    for k, category in enumerate(CATEGORIES):
        true, false = (labels[:, k] == 1).sum(), (labels[:, k] == 0).sum()
        if correction.strength_[k] is None or min(true, false) < _FEWEST_FOR_POINTS:
            continue
        own = operating_points(expit(correction.held_out_logits_[:, k]), labels[:, k], weights)
        if own is not None:
            points[category] = {**own, "from": "held-out scores of the site's labels"}
    return points
