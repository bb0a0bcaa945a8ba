"""Everything about the key itself: is it known, what was asked with it, and what WordPress shows of that."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from flask import Response

from moderation.api.access import Who, now, requires
from moderation.api.service import service
from moderation.compat.akismet.answers import INVALID, Refused, say, table, tell
from moderation.compat.akismet.call import Call, bp, check_blog, endpoint
from moderation.compat.akismet.comment import is_true
from moderation.compat.akismet.key import ABOUT_KEY
from moderation.services.usage import Usage, month_of, usage_by_month, usage_of_month

MOST_SITES = 500
_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)
_ORDERS = {"total": "calls", "spam": "spam", "ham": "ham"} | {
    "missed_spam": "missed_spam",
    "false_positives": "false_positives",
}
_COLUMNS = ("Site", "Total API Calls", "Spam", "Ham", "Missed Spam", "False Positives", "Is Revoked")


@endpoint("/1.1/verify-key", ABOUT_KEY)
def verify_key(call: Call) -> Response:
    """`valid` for a key of the site that the blog belongs to."""
    check_blog(call, lambda why: Refused(INVALID, why))
    return say("valid")


@endpoint("/1.1/deactivate", ABOUT_KEY)
def deactivate(_call: Call) -> Response:
    """A blog that stops asking; there is nothing to end here."""
    return say("deactivated")


@endpoint("/1.1/token")
def make_token(_call: Call) -> Response:
    """For links into pages that only Akismet has."""
    raise Refused(INVALID, "There are no tokens here")


@bp.route("/1.1/test", methods=["GET", "POST"])
@requires(Who.EVERYBODY)
def test_connection() -> Response:
    """Whether anybody is here."""
    return say("connected")


@endpoint("/1.1/get-subscription", ABOUT_KEY)
def read_subscription(_call: Call) -> Response:
    """What WordPress shows as the account."""
    found = {"account_id": 1, "account_name": "Greenroom", "account_type": "self-hosted", "status": "active"}
    return tell(found | {"limit_reached": False, "next_billing_date": False})


@endpoint("/1.1/get-stats", ABOUT_KEY)
def read_stats(call: Call) -> Response:
    """The sums WordPress shows: of the last six months, or of all time."""
    since = _months_ago(now(), 5) if call.read("from") == "6-months" else ""
    with service().database.read() as session:
        months = usage_by_month(session, call.caller.site_id, since)
    return tell(
        _sum(list(months.values()))
        | {"time_saved": 0, "breakdown": {m: _sum([u]) for m, u in months.items()}}
    )


@endpoint("/1.2/usage-limit")
def read_usage_limit(call: Call) -> Response:
    """How many checks were made this month; there is no limit."""
    month = month_of(now())
    with service().database.read() as session:
        used = sum(u.calls for u in usage_of_month(session, call.caller.site_id, month))
    found: dict[str, Any] = {"limit": "none", "usage": used, "percentage": "0.00", "throttled": False}
    if is_true(call.read("extended")):
        found |= {"notice_level": 0, "upgrade": False}
    return tell(found)


@endpoint("/1.2/key-sites")
def read_key_sites(call: Call) -> Response:
    """The figures of each blog of one month, as JSON or CSV."""
    asked = call.read("month")
    month = asked if _MONTH.fullmatch(asked) else month_of(now())
    with service().database.read() as session:
        found = list(usage_of_month(session, call.caller.site_id, month))
    wanted = call.read("filter").lower()
    found = [one for one in found if wanted in one.blog]
    found.sort(key=attrgetter(_ORDERS.get(call.read("order"), "calls")), reverse=True)
    limit, offset = _number(call, "limit", MOST_SITES), _number(call, "offset", 0)
    limit = min(limit, MOST_SITES)
    page = found[offset : offset + limit]
    if call.read("format").lower() == "csv":
        shown = f"(limit:{limit}, offset: {offset}, total: {len(found)})"
        return table(_as_csv(f"Active sites for {call.key} during {month} {shown}", page))
    return tell({month: [_site(one) for one in page], "limit": limit, "offset": offset, "total": len(found)})


def _site(one: Usage) -> dict[str, Any]:
    """Figures are strings in this dialect."""
    figures = {"api_calls": one.calls, "spam": one.spam, "ham": one.ham}
    figures |= {"missed_spam": one.missed_spam, "false_positives": one.false_positives}
    return {"site": one.blog} | {name: str(value) for name, value in figures.items()} | {"is_revoked": False}


def _as_csv(head: str, page: Sequence[Usage]) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in page:
        writer.writerow(
            [one.blog, one.calls, one.spam, one.ham, one.missed_spam, one.false_positives, "false"]
        )
    return f"{head}\n{written.getvalue()}"


def _sum(found: Sequence[Usage]) -> dict[str, Any]:
    names = ("spam", "ham", "missed_spam", "false_positives")
    sums: dict[str, Any] = {name: sum(getattr(one, name) for one in found) for name in names}
    answered = sums["spam"] + sums["ham"]
    wrong = min(answered, sums["missed_spam"] + sums["false_positives"])
    return sums | {"accuracy": round(100 * (answered - wrong) / answered, 3) if answered else 100}


def _months_ago(at: datetime, months: int) -> str:
    number = at.year * 12 + at.month - 1 - months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _number(call: Call, name: str, default: int) -> int:
    text = call.read(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default
