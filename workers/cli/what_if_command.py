"""`greenroom what-if`: what another model would do to a site's latest comments."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import click

from moderation.database import open_database
from moderation.domain.rightness import Rightness
from moderation.model_trial import try_model
from moderation.scoring import open_scorer
from moderation.services.what_if_model import ModelEffect
from workers.cli.start import refusing, settings_and_log

_OUTCOMES = ("approved", "held", "rejected")


@click.command("what-if")
@click.option("--site", "site_id", required=True, help="Whose comments, and by whose policy.")
@click.option("--model", "version", required=True, help="The version to try.")
@click.option("--days", type=click.IntRange(1, 90), default=30, show_default=True, help="Of so many days.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@refusing
def what_if_command(site_id: str, version: str, days: int, as_json: bool) -> None:
    """Judge a site's latest comments, 5,000 at most, once more with another model; nothing is changed."""
    settings = settings_and_log()
    database, scorer = open_database(settings.database_url), open_scorer(settings)
    try:
        trial = try_model(database, scorer, site_id, version, datetime.now(UTC), days=days)
    finally:
        scorer.close()
        database.engine.dispose()
    click.echo(json.dumps(_facts(trial)) if as_json else "\n".join(_lines(trial)))


def _facts(trial: ModelEffect) -> dict[str, object]:
    """As the API tells it, without the texts of comments."""
    facts = asdict(trial)
    del facts["effect"]["sample"]
    facts["effect"]["since"] = trial.effect.since.isoformat()
    return facts


def _lines(trial: ModelEffect) -> list[str]:
    effect = trial.effect
    head = f"{'':<24}" + "".join(f"{name:>10}" for name in (*_OUTCOMES, "held/day"))
    sides = (
        (trial.champion, effect.now, effect.held_a_day_now),
        (trial.model_version, effect.then, effect.held_a_day_then),
    )
    lines = [f"{effect.replayed} comments since {effect.since:%Y-%m-%d}, {trial.labelled} labelled", head]
    for version, counts, held in sides:
        lines.append(f"{version:<24}" + "".join(f"{counts[one]:>10}" for one in _OUTCOMES) + f"{held:>10}")
    lines += [f"{change}: {count}" for change, count in sorted(effect.changes.items())]
    for version, right in ((trial.champion, trial.right_now), (trial.model_version, trial.right_then)):
        lines += [f"{version}: {name} {_told(one)}" for name, one in right.items()]
    return lines


def _told(one: Rightness) -> str:
    if one.share is None:
        return "without a person: no labels tell how rightly"
    return (
        f"rightly {100 * one.share:.1f} % ({100 * (one.low or 0):.1f} to {100 * (one.high or 0):.1f}; "
        f"{one.wrong} of {one.labelled} labelled were wrong)"
    )
