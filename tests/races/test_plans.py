"""The plans PostgreSQL makes for 100,000 comments: no statement of everyday work reads a whole table"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from moderation.database import Database, open_database
from moderation.domain.policy import CATEGORIES, PolicySettings
from moderation.domain.status import Action
from moderation.models import Comment, QueueItem, Role, Shadow
from moderation.services import (
    at_once,
    claims,
    drift,
    evidence,
    following,
    history,
    importing,
    item_languages,
    labels,
    nearest,
    pending,
    published,
    queue,
    recall,
    records,
    reports,
    selections,
    shadows,
    site_feedback,
    statistics,
    traces,
    webhook_deliveries,
    webhooks,
    what_if,
    what_if_model,
    workload,
)
from moderation.services.accept import Entry, Idempotency, NewComment, accept
from moderation.services.access import ModeratorCaller
from moderation.services.claims import claim_next
from moderation.services.queue import QueueFilters, Sort
from moderation.services.reports import NewReport
from tests.stores import PostgresqlServer, SharedPostgresql, run_sql
from workers.sweeper import forget_idempotency_keys

ROWS = Path(__file__).with_name("hundred_thousand.sql")
OPEN = 2_000
BRUNO = ModeratorCaller("mod_1", "Bruno", Role.MODERATOR)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
# Small for ever: as many rows as there are people, sites (and their months) or runs.
SMALL = {
    "sites",
    "policies",
    "moderators",
    "access_keys",
    "retraining_runs",
    "spam_check_months",
    "trace_progress",
    "webhook_endpoints",
    "announced_models",
    "drifts",
    "shadows",
}
POLICIES = {f"site_{n}": PolicySettings() for n in range(20)}
TRACES = [
    traces.Traces(f"sub_{n}", f"site_{n % 20}", tuple(range(n, n + 20)), (f"{n}.example",))
    for n in range(200)
]
PAST = [
    importing.PastComment(
        NewComment(f"page {n}", "hello", {"name": "A"}, external_id=f"wordpress:{n}"),
        NOW - timedelta(days=n),
        Action.REJECT,
        thread_at=NOW - timedelta(days=n),
        parent=f"wordpress:{n // 2}",
    )
    for n in range(1, 501)
]


@pytest.fixture(scope="module")
def large(postgresql_server: PostgresqlServer, shared_postgresql: SharedPostgresql) -> Iterator[Database]:
    """A database of some months: nearly everything is decided, a little waits."""
    url = postgresql_server.create("large", shared_postgresql.TEMPLATE)
    # As docs/operations.md advises: to a server that takes disks for slow a table of this size is small.
    run_sql(url, "ALTER DATABASE large SET random_page_cost = 1.1")
    database = open_database(url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql(ROWS.read_text())
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    yield database
    database.engine.dispose()
    postgresql_server.drop("large")


class Plans:
    """The plans of the statements run so far."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []

    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    def whole_tables(self) -> set[str]:
        found = {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}
        return found - SMALL


@contextmanager
def explained(engine: sa.Engine) -> Iterator[Plans]:
    """Ask for the plan of every statement, with its own parameters, before it runs."""
    plans = Plans()

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            return
        with cursor.connection.cursor() as other:
            other.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            (found,) = other.fetchone()
        found = json.loads(found) if isinstance(found, str) else found
        plans.nodes.extend(_nodes(found[0]["Plan"]))

    sa.event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        sa.event.remove(engine, "before_cursor_execute", explain)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from _nodes(inner)


def _after(sort: Sort) -> tuple[Any, str]:
    by_number = sort in {Sort.SCORE, Sort.UNCERTAINTY}
    return (0.2 if by_number else NOW - timedelta(hours=1), "i_000100")


EVERYDAY: dict[str, tuple[Callable[[Session], Any], str | None]] = {
    "take what waits": (
        lambda s: pending.take_pending(s, NOW, most=256, most_bytes=400_000, seconds=15),
        "ix_submissions_waiting_by_site",
    ),
    "ask whether anything waits": (lambda s: pending.has_pending(s, NOW), "ix_submissions_waiting_by_site"),
    "read what was taken": (
        lambda s: pending.read_taken(s, [f"s_{n:06}" for n in range(99_500, 99_756)], NOW),
        "ix_submissions_judged_by_digest",
    ),
    "claim": (
        lambda s: claim_next(s, "mod_1", QueueFilters(), NOW, count=20),
        "ix_queue_items_open_due",
    ),
    "claim of one site": (
        lambda s: claim_next(s, "mod_1", QueueFilters(site="site_3"), NOW, count=20),
        "ix_queue_items_open_due",
    ),
    "the queue": (lambda s: queue.list_queue(s, QueueFilters(), NOW), "ix_queue_items_open_due"),
    "a later page of the queue": (
        lambda s: queue.list_queue(s, QueueFilters(), NOW, after=_after(Sort.DUE)),
        "ix_queue_items_open_due",
    ),
    "the queue by score": (
        lambda s: queue.list_queue(s, QueueFilters(), NOW, sort=Sort.SCORE, after=_after(Sort.SCORE)),
        None,
    ),
    "the newest of the queue": (
        lambda s: queue.list_queue(s, QueueFilters(), NOW, sort=Sort.NEWEST, after=_after(Sort.NEWEST)),
        None,
    ),
    "the least certain of the queue": (
        lambda s: queue.list_queue(
            s, QueueFilters(), NOW, sort=Sort.UNCERTAINTY, after=_after(Sort.UNCERTAINTY)
        ),
        None,
    ),
    "an author's part of the queue": (
        lambda s: queue.list_queue(s, QueueFilters(author="7", reported=False, escalated=False), NOW),
        None,
    ),
    "ask whether anything is to be delivered": (
        lambda s: webhook_deliveries.has_due(s, NOW),
        "ix_webhook_deliveries_waiting",
    ),
    "find endpoints to deliver to": (
        lambda s: webhook_deliveries.due_endpoints(s, NOW, 16),
        "ix_webhook_deliveries_waiting",
    ),
    "take the next delivery": (
        lambda s: (
            webhook_deliveries.take_endpoint(s, "we_3", "w", NOW)
            and webhook_deliveries.next_errand(s, "we_3", "w", NOW)
        ),
        "ix_webhook_deliveries_waiting",
    ),
    "replay what was given up": (
        lambda s: webhooks.replay_dead(s, "we_3", "Carla", NOW),
        "ix_webhook_deliveries_endpoint_id_id",
    ),
    "find slow endpoints to deliver to": (
        lambda s: webhook_deliveries.due_endpoints(s, NOW, 4, ["we_1"], slow=True),
        "ix_webhook_deliveries_waiting",
    ),
    "delete old deliveries": (
        lambda s: webhook_deliveries.delete_old(s, NOW),
        "ix_webhook_deliveries_finished_at",
    ),
    "items without a language": (
        lambda s: item_languages.items_without_language(s, 500),
        "ix_queue_items_open_due",
    ),
    "freeze a selection": (
        lambda s: selections.select_items(s, QueueFilters(q="text"), BRUNO, NOW),
        "ix_selections_created_at",
    ),
    "give everything back": (lambda s: claims.release_all(s, "mod_1"), None),
    "report": (
        lambda s: reports.report(s, "site_5", "c_002005", NewReport("reader", "spam"), NOW),
        "uq_reports_submission_id_reporter",
    ),
    "what happened to a comment": (
        lambda s: history.events_of(s, queue.get_entry(s, "i_000007")),
        "ix_reports_comment_id",
    ),
    "what a policy would do": (
        lambda s: what_if.effect_of(s, "site_3", PolicySettings(), {}, NOW, most=50),
        "ix_decisions_created_at",
    ),
    "what another model is tried on": (
        lambda s: what_if_model.read_replayed(
            s, "site_3", PolicySettings(), NOW - timedelta(days=30), NOW, 50
        ),
        "ix_decisions_created_at",
    ),
    "the desk over a day": (
        lambda s: workload.workload(s, NOW, timedelta(days=1)),
        "ix_decisions_created_at",
    ),
    "what came in a week": (
        lambda s: drift.sample(s, "v", NOW - timedelta(days=7), NOW),
        "pk_scores",
    ),
    "what a shadow shows": (
        lambda s: shadows.compare(s, s.get_one(Shadow, "sha_1")),
        "pk_shadow_scores",
    ),
    "whether a shadow has seen enough": (
        lambda s: shadows.reason_to_end(s, s.get_one(Shadow, "sha_1"), NOW),
        "pk_shadow_scores",
    ),
    "forget an old shadow": (
        lambda s: shadows.forget_shadow(s, NOW + timedelta(days=99)),
        "pk_shadow_scores",
    ),
    "the last look for drift": (lambda s: drift.latest_drift(s, NOW), None),
    "one thread's part of the queue": (
        lambda s: queue.list_queue(s, QueueFilters(site="site_3", thread="page 3", q="text"), NOW),
        None,
    ),
    "the surroundings of an item": (
        lambda s: queue.get_context(s, queue.get_entry(s, "i_000007")),
        "ix_comments_thread_id_status_id",
    ),
    "the nearest comments": (
        lambda s: nearest.find_nearest(s, s.get_one(Comment, "c_000007")),
        "ix_text_imprints_key_4",
    ),
    "look back": (lambda s: pending.look_back(s, TRACES, POLICIES, NOW), "pk_memory_keys"),
    "the domains linked to": (lambda s: records.domain_records(s, TRACES), "pk_link_domains"),
    "sites that recall anything": (
        lambda s: pending.sites_to_recall(s, POLICIES),
        "ix_memories_site_id_submission_id",
    ),
    "remember": (lambda s: recall.remember(s, "site_7", "s_000007"), "uq_text_imprints_submission_id"),
    "forget surplus memories": (lambda s: recall.forget_surplus(s, "site_7", 100), None),
    "forget old memories": (lambda s: recall.forget_memories(s, NOW, 100), "pk_memories"),
    "forget traces": (lambda s: traces.forget_traces(s, NOW, 100), "uq_text_imprints_submission_id"),
    "ask for old traces": (lambda s: traces.old_traces(s, NOW), "uq_text_imprints_submission_id"),
    "what the author did before": (
        lambda s: evidence.author_past(s, s.get_one(Comment, "c_000007")),
        "ix_comments_site_id_author_key_id",
    ),
    "what is around a comment": (
        lambda s: evidence.around(s, s.get_one(Comment, "c_000007")),
        "ix_comments_thread_id_status_id",
    ),
    "follow the decisions up": (
        lambda s: following.follow_decisions(s, lambda _: ["a", "few", "words"], NOW, 500),
        "pk_decisions",
    ),
    "a thread's comments": (
        lambda s: published.list_approved(s, "site_3", "page 3", after="c_000100"),
        "ix_comments_thread_id_status_id",
    ),
    "a comment": (lambda s: published.get_comment(s, "c_000007"), "uq_decisions_comment_id_number"),
    "the statistics": (lambda s: statistics.statistics(s, NOW), "ix_decisions_created_at"),
    "labels of a comment": (
        lambda s: labels.label_comment(s, "c_000007", {"spam": True}, NOW),
        "ix_labels_submission_id",
    ),
    "find what a site asks about again": (
        lambda s: at_once.find_known(s, "site_3", "akismet:7"),
        "uq_comments_site_id_external_id",
    ),
    "decide at once": (
        lambda s: at_once.accept_and_decide(
            s,
            Entry("site_3", NewComment("page 3", "hello", {"name": "A"}, external_id="akismet:8"), NOW),
            (dict.fromkeys(CATEGORIES, 0.1), {}, "a model"),
            adjust=lambda verdict, _: verdict,
            record=lambda verdict, _: verdict,
        ),
        "ix_submissions_judged_by_digest",
    ),
    "learn what a site reports": (
        lambda s: site_feedback.learn_about_comment(s, "site_3", "c_000003", spam=True, now=NOW),
        "ix_labels_submission_id",
    ),
    "look what of a history is there": (
        lambda s: importing.look_through(s, "site_3", PAST),
        "uq_comments_site_id_external_id",
    ),
    "import a comment of a history": (
        lambda s: importing.take_past(s, "site_3", PAST[:1], NOW),
        "uq_comments_site_id_external_id",
    ),
    "accept": (
        lambda s: accept(
            s,
            "site_3",
            NewComment("page 3", "hello", {"name": "A"}, parent_id="c_000003", external_id="x"),
            NOW,
            Idempotency("a new key", "digest"),
        ),
        "pk_comments",
    ),
}


@pytest.mark.parametrize("what", EVERYDAY)
def test_everyday_work_reads_no_whole_table(large: Database, what: str) -> None:
    work, index = EVERYDAY[what]
    with explained(large.engine) as plans, large.read() as session:
        work(session)
        session.flush()
    assert plans.nodes
    assert plans.whole_tables() == set()
    assert index is None or index in plans.indexes()


def test_old_idempotency_keys_are_found_by_their_age_and_deleted_by_their_name(large: Database) -> None:
    class Process:
        database = large

    with explained(large.engine) as plans:
        forget_idempotency_keys(Process(), NOW)  # type: ignore[arg-type]
    assert plans.whole_tables() == set()
    assert plans.indexes() == {"ix_idempotency_keys_created_at", "pk_idempotency_keys"}
    with large.read() as session:
        left = session.scalar(sa.text("SELECT count(*) FROM idempotency_keys"))
    assert left == 24 * 3600 / 0.9 + 1


def test_most_items_of_the_queue_are_decided(large: Database) -> None:
    with large.read() as session:
        open_items = session.scalar(sa.select(sa.func.count()).where(QueueItem.closed_at.is_(None)))
    assert open_items == OPEN
