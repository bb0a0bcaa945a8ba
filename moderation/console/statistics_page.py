"""How the desk is doing: the queue, what came and went, who did how much, and how long it took."""

from datetime import timedelta

from flask import render_template, request

from moderation.api.access import now
from moderation.api.problems import Problem
from moderation.api.service import service
from moderation.console.blueprint import bp
from moderation.console.chart import bars_in_pairs
from moderation.console.sign_in import signed_in
from moderation.services.access import list_sites
from moderation.services.spot_checks import spot_check_figures
from moderation.services.statistics import statistics
from moderation.services.workload import BY_HOUR_UP_TO, workload

WINDOWS = ((1, "24 hours"), (7, "7 days"), (30, "30 days"))


@bp.get("/statistics")
@signed_in
def show_statistics() -> str:
    """Figures and charts of a window of time."""
    days = request.args.get("days", 1, type=int)
    if days not in dict(WINDOWS):
        raise Problem("invalid", "There is no such window of time.")
    site_id, window = request.args.get("site") or None, timedelta(days=days)
    with service().database.read() as reading:
        found, sites = workload(reading, now(), window, site_id), list_sites(reading)
        figures = statistics(reading, now())
        checks = spot_check_figures(reading, now() - window, site_id)
    hourly = window <= BY_HOUR_UP_TO
    return render_template(
        "console/statistics.html",
        figures=figures,
        window=found,
        chart=bars_in_pairs(found["series"], ("opened", "decided"), hourly),
        hourly=hourly,
        checks=checks,
        windows=WINDOWS,
        days=days,
        sites=sites,
        site_names={site.id: site.name for site in sites},
        site_id=site_id,
    )
