"""The drain job: workers.scoring"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from rq import Queue, SimpleWorker
from sqlalchemy import func, select, update

from moderation.database import Database, open_database
from moderation.jobs import AWAKE, DRAIN_ID, POKE, Jobs, open_jobs
from moderation.models import Comment, Decision, QueueItem, Score, Submission
from moderation.services import pending, taking
from moderation.services.accept import NewComment, accept
from moderation.services.access import NewSite
from moderation.services.change import edit, withdraw
from moderation.services.pending import ATTEMPTS_AT_ALL, read_taken, take_pending
from tests.conftest import make_process, make_settings, make_site
from tests.fakes import FakeScorer, FakeWakeUps
from tests.processes.running import wait_until
from workers import scoring
from workers.process import Process, stopping
from workers.scoring import Batch, drain_process, run_batch


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def process(database_url: str, database: Database, tmp_path: Path) -> Process:
    return make_process(
        make_settings(database_url, tmp_path, BATCH_COMMENTS="10"), database, FakeWakeUps(), FakeScorer()
    )


@pytest.fixture
def site(database: Database) -> NewSite:
    return make_site(database)


def hand_in(database: Database, site: NewSite, *bodies: str) -> list[str]:
    """Accept comments with these texts; gives their ids."""
    with database.write() as session:
        new = [NewComment(thread_key="t", body=body, author={"name": "A"}) for body in bodies]
        return [accept(session, site.site_id, one, datetime.now(UTC)).comment_id for one in new]


def statuses(database: Database) -> dict[str, int]:
    """How many comments there are of each status."""
    with database.read() as session:
        return dict(session.execute(select(Comment.status, func.count()).group_by(Comment.status)).all())  # type: ignore[arg-type]


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_it_decides_everything_that_waits_in_batches(
    process: Process, database: Database, site: NewSite
) -> None:
    hand_in(database, site, *(f"kind word {n}" for n in range(25)), "score:spam=0.95", "score:toxicity=0.6")
    assert drain_process(process) == 27
    assert statuses(database) == {"approved": 25, "rejected": 1, "held": 1}
    assert process.scorer.batches == [10, 10, 7]  # type: ignore[attr-defined]
    assert (count(database, Decision), count(database, Score), count(database, QueueItem)) == (27, 27, 1)


def test_running_it_twice_decides_nothing_twice(process: Process, database: Database, site: NewSite) -> None:
    hand_in(database, site, "one", "two")
    assert (drain_process(process), drain_process(process)) == (2, 0)
    assert count(database, Decision) == 2


def test_a_poison_comment_is_held_and_its_neighbours_are_decided(
    process: Process, database: Database, site: NewSite
) -> None:
    *_, poison = hand_in(database, site, *(f"kind word {n}" for n in range(5)), "poison")
    assert drain_process(process) == 6
    assert statuses(database) == {"approved": 5, "held": 1}
    with database.read() as session:
        comment = session.get_one(Comment, poison)
        assert (comment.status, comment.reason) == ("held", "unscored")


def test_without_a_model_everything_is_held_unscored(
    process: Process, database: Database, site: NewSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    from classifier import ModelError

    def no_model(_comments: object) -> None:
        raise ModelError("no model here")

    monkeypatch.setattr(process.scorer, "score", no_model)
    hand_in(database, site, "one", "two")
    assert drain_process(process) == 2
    assert statuses(database) == {"held": 2}
    assert count(database, Score) == 0


def test_a_score_that_is_no_number_is_no_score_and_approves_nothing(
    process: Process, database: Database, site: NewSite
) -> None:
    hand_in(database, site, "score:spam=nan", "score:toxicity=inf", "kind")
    assert run_batch(process) == Batch(3, 3)
    assert statuses(database) == {"approved": 1, "held": 2}
    assert count(database, Score) == 1


def test_what_a_dead_worker_took_is_free_again_after_a_while(
    process: Process, database: Database, site: NewSite
) -> None:
    hand_in(database, site, "one", "two")
    with database.write() as session:
        assert len(take_pending(session, datetime.now(UTC), most=10, most_bytes=10_000, seconds=60).ids) == 2
    assert drain_process(process) == 0
    _end_holds(database)
    assert drain_process(process) == 2


def test_a_submission_that_keeps_killing_its_worker_comes_alone_and_is_given_up_at_last(
    process: Process, database: Database, site: NewSite
) -> None:
    killer, other = hand_in(database, site, "kills", "harmless")
    with database.write() as session:
        session.execute(
            update(Submission).where(Submission.comment_id == killer).values(attempts=ATTEMPTS_AT_ALL)
        )
    assert run_batch(process) == Batch(1, 1, more=True)
    with database.read() as session:
        assert session.get_one(Comment, killer).reason == "unscored"
        assert session.get_one(Comment, other).status == "pending"
    assert process.scorer.batches == []  # type: ignore[attr-defined]
    assert drain_process(process) == 1


def test_a_verdict_on_an_old_text_never_decides_the_new_one(
    process: Process, database: Database, site: NewSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    (comment_id,) = hand_in(database, site, "kind at first")
    score = process.scorer.score

    def edited_meanwhile(comments: list[dict[str, str]]) -> object:
        with database.write() as session:
            edit(session, site.site_id, comment_id, "score:spam=0.95", datetime.now(UTC))
        return score(comments)

    monkeypatch.setattr(process.scorer, "score", edited_meanwhile)
    assert run_batch(process) == Batch(0, 1)
    monkeypatch.setattr(process.scorer, "score", score)
    assert drain_process(process) == 1
    assert statuses(database) == {"rejected": 1}


def test_a_comment_withdrawn_meanwhile_stays_removed(
    process: Process, database: Database, site: NewSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    (comment_id,) = hand_in(database, site, "kind")
    score = process.scorer.score

    def withdrawn_meanwhile(comments: list[dict[str, str]]) -> object:
        with database.write() as session:
            withdraw(session, site.site_id, comment_id, datetime.now(UTC))
        return score(comments)

    monkeypatch.setattr(process.scorer, "score", withdrawn_meanwhile)
    assert drain_process(process) == 0
    assert statuses(database) == {"removed": 1}


def test_two_drainers_never_decide_the_same_comment(
    database_url: str, database: Database, site: NewSite, tmp_path: Path
) -> None:
    hand_in(database, site, *(f"kind word {n}" for n in range(200)))
    settings = make_settings(database_url, tmp_path, BATCH_COMMENTS="7")
    decided: list[int] = []

    def work() -> None:
        own = make_process(settings, open_database(database_url), FakeWakeUps(), FakeScorer())
        decided.append(drain_process(own))
        own.database.engine.dispose()

    _together([work] * 4)
    drain_process(make_process(settings, database, FakeWakeUps(), FakeScorer()))
    assert sum(decided) <= 200
    assert statuses(database) == {"approved": 200}
    assert count(database, Decision) == count(database, Score) == 200


def test_batches_are_limited_by_bytes_and_a_large_comment_still_comes_through(
    database: Database, site: NewSite
) -> None:
    hand_in(database, site, "x" * 900, "y" * 50, "z" * 100)
    with database.write() as session:
        now = datetime.now(UTC)
        first, second = (
            read_taken(session, take_pending(session, now, most=10, most_bytes=500, seconds=60).ids, now)
            for _ in range(2)
        )
    assert [len(taken.body) for taken in first] == [900]
    assert [len(taken.body) for taken in second] == [50, 100]


def test_the_same_text_again_within_a_day_is_held(
    process: Process, database: Database, site: NewSite
) -> None:
    hand_in(database, site, *["A sentence long enough to be remembered."] * 4)
    drain_process(process)
    assert statuses(database) == {"approved": 2, "held": 2}


def test_the_same_text_counts_whether_it_was_judged_or_waits(
    process: Process, database: Database, site: NewSite
) -> None:
    text = "A sentence long enough to be remembered."
    hand_in(database, site, text)
    drain_process(process)
    hand_in(database, site, text, text)
    drain_process(process)
    assert statuses(database) == {"approved": 2, "held": 1}


def test_a_request_to_stop_ends_after_the_batch_at_hand_and_wakes_the_next_worker(
    process: Process, database: Database, site: NewSite
) -> None:
    hand_in(database, site, *(f"kind word {n}" for n in range(25)))
    stopping.set()
    try:
        assert drain_process(process) == 10
    finally:
        stopping.clear()
    assert process.jobs.scoring == 1  # type: ignore[attr-defined]


def test_a_flood_of_one_site_does_not_delay_anothers_single_comment(
    process: Process, database: Database, site: NewSite
) -> None:
    other = make_site(database)
    hand_in(database, site, *(f"flood {n}" for n in range(100)))
    (single,) = hand_in(database, other, "only one")
    assert run_batch(process) == Batch(10, 10, more=True)
    with database.read() as session:
        assert session.get_one(Comment, single).status == "approved"
    assert drain_process(process) == 91


def test_sites_share_a_batch_and_leave_no_room_unused(database: Database, site: NewSite) -> None:
    sites = [site, make_site(database), make_site(database)]
    for one, number in zip(sites, (50, 1, 50), strict=True):
        hand_in(database, one, *(f"comment {n}" for n in range(number)))
    with database.write() as session:
        now = datetime.now(UTC)
        taken = take_pending(session, now, most=21, most_bytes=100_000, seconds=60)
        found = Counter(one.site_id for one in read_taken(session, taken.ids, now))
    assert taken.more
    assert sorted(found.values()) == [1, 10, 10]


def test_a_hundred_sites_all_have_their_turn(process: Process, database: Database, site: NewSite) -> None:
    for one in [site, *(make_site(database) for _ in range(99))]:
        hand_in(database, one, "a comment")
    assert drain_process(process) == 100


def test_taking_and_counting_do_not_look_at_everything_that_waits(sqlite_url: str) -> None:
    opened = open_database(sqlite_url)
    with opened.read() as session:
        for statement in (taking._SITES, taking._OLDEST, pending._ANY_FREE, pending._COUNT):
            told = str(statement.compile(opened.engine, compile_kwargs={"render_postcompile": True}))
            plan = session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN {told}", tuple("1" for _ in range(told.count("?")))
            )
            steps = [row[3] for row in plan if "submissions" in row[3]]
            assert all("ix_submissions_waiting" in step for step in steps), steps
    opened.engine.dispose()


class TestTheWakeUp:
    """The mark in Redis: one drain job is enough, and none may be missing."""

    @pytest.fixture
    def jobs(self, redis_url: str) -> Jobs:
        jobs = open_jobs(redis_url)
        jobs.redis.flushall()
        return jobs

    @pytest.fixture
    def awake(self, process: Process, jobs: Jobs) -> Process:
        return make_process(process.settings, process.database, jobs, process.scorer)

    def test_a_hundred_comments_leave_one_job(self, jobs: Jobs) -> None:
        assert all(jobs.wake_scoring() for _ in range(100))
        assert jobs.redis.llen("rq:queue:scoring") == 1

    def test_draining_clears_the_mark_so_that_the_next_comment_wakes_again(
        self, awake: Process, jobs: Jobs, database: Database, site: NewSite
    ) -> None:
        hand_in(database, site, "one")
        jobs.wake_scoring()
        drain_process(awake)
        assert not jobs.redis.exists(AWAKE)

    def test_a_comment_accepted_while_the_mark_was_cleared_is_not_left_behind(
        self,
        awake: Process,
        jobs: Jobs,
        database: Database,
        site: NewSite,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        jobs.wake_scoring()
        look = scoring._look_once_more
        late: list[str] = []

        def one_arrives_just_before(process: Process) -> bool:
            if not late:
                late.extend(hand_in(database, site, "late"))
            return look(process)

        monkeypatch.setattr(scoring, "_look_once_more", one_arrives_just_before)
        assert drain_process(awake) == 1

    def test_a_comment_accepted_while_it_lingers_is_decided_without_another_job(
        self, awake: Process, jobs: Jobs, database: Database, site: NewSite
    ) -> None:
        decided: list[int] = []
        drainer = Thread(target=lambda: decided.append(drain_process(awake, linger=30)))
        jobs.wake_scoring()
        jobs.redis.delete("rq:queue:scoring")
        drainer.start()
        try:
            for n in range(3):
                hand_in(database, site, f"comment {n}")
                jobs.wake_scoring()
                wait_until(lambda n=n: statuses(database) == {"approved": n + 1})  # type: ignore[misc]
        finally:
            stopping.set()
            drainer.join()
            stopping.clear()
        assert decided == [3]
        assert jobs.redis.llen("rq:queue:scoring") == 0
        assert not jobs.redis.exists(AWAKE)

    def test_of_two_that_linger_one_goes_on_and_the_mark_stays(
        self, awake: Process, jobs: Jobs, database: Database, site: NewSite
    ) -> None:
        ended: list[int] = []
        both = [Thread(target=lambda: ended.append(drain_process(awake, linger=30))) for _ in range(2)]
        try:
            for drainer in both:
                drainer.start()
            wait_until(lambda: bool(ended))
            assert jobs.redis.exists(AWAKE)
            hand_in(database, site, "after one left")
            jobs.wake_scoring()
            wait_until(lambda: statuses(database) == {"approved": 1})
        finally:
            stopping.set()
            for drainer in both:
                drainer.join()
            stopping.clear()
        assert ended == [0, 1]
        assert jobs.redis.llen("rq:queue:scoring") == 0

    def test_the_name_of_one_that_died_keeps_nobody_from_lingering(self, jobs: Jobs) -> None:
        jobs.stay_awake("0 a lower name")
        assert not jobs.stay_awake("1 its successor")
        assert jobs.linger_on("1 its successor")

    def test_an_assistant_drains_a_backlog_and_leaves_the_mark_alone(
        self,
        awake: Process,
        jobs: Jobs,
        database: Database,
        site: NewSite,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(scoring, "this_process", lambda: awake)
        hand_in(database, site, *(f"comment {n}" for n in range(25)))
        jobs.stay_awake("another")
        assert scoring.assist() == 25
        assert jobs.redis.get(AWAKE) == b"another"

    def test_it_does_not_linger_without_redis(self, awake: Process, database: Database) -> None:
        gone = open_jobs("unix:///nowhere/redis.sock")
        assert drain_process(make_process(awake.settings, database, gone, awake.scorer), linger=3600) == 0

    def test_pokes_do_not_gather(self, jobs: Jobs) -> None:
        for _ in range(100):
            jobs.wake_scoring()
        assert jobs.redis.llen(POKE) == 1

    def test_a_lost_mark_of_a_worker_that_died_does_not_multiply_jobs(self, jobs: Jobs) -> None:
        for _ in range(5):
            jobs.wake_scoring()
            jobs.redis.delete(AWAKE)
        assert jobs.redis.llen("rq:queue:scoring") == 1

    def test_another_worker_is_woken_for_a_backlog_only_if_there_is_one(self, jobs: Jobs) -> None:
        jobs.wake_another()
        assert jobs.redis.llen("rq:queue:scoring") == 0
        for name in ("one", "two"):
            worker = SimpleWorker([Queue("scoring", connection=jobs.redis)], name=name, connection=jobs.redis)
            worker.register_birth()
        for _ in range(5):
            jobs.wake_another()
        assert jobs.redis.llen("rq:queue:scoring") == 1

    def test_a_queued_assistant_does_not_stand_in_for_the_drain_job(self, jobs: Jobs) -> None:
        """It would end with the backlog, and nobody would be awake for what comes under the mark."""
        for name in ("one", "two"):
            worker = SimpleWorker([Queue("scoring", connection=jobs.redis)], name=name, connection=jobs.redis)
            worker.register_birth()
        jobs.wake_another()
        for _ in range(3):
            jobs.wake_scoring()
            jobs.look_now()
        first, second = Queue("scoring", connection=jobs.redis).job_ids
        assert (first.startswith(DRAIN_ID), second.startswith(DRAIN_ID)) == (False, True)

    def test_a_job_that_fails_leaves_no_mark_that_keeps_everybody_asleep(
        self, awake: Process, jobs: Jobs, database: Database, site: NewSite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("a fault of our own")

        monkeypatch.setattr(scoring, "this_process", lambda: awake)
        monkeypatch.setattr(scoring, "record_verdicts", fail)
        hand_in(database, site, "one")
        with pytest.raises(RuntimeError):
            scoring.drain()
        assert not jobs.redis.exists(AWAKE)

    def test_a_database_that_is_away_fails_no_job(
        self, awake: Process, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone = open_database(f"sqlite:///{tmp_path / 'gone.db'}")
        (tmp_path / "gone.db").mkdir()
        process = make_process(awake.settings, gone, jobs, awake.scorer)
        monkeypatch.setattr(scoring, "this_process", lambda: process)
        assert scoring.drain() == 0
        assert not jobs.redis.exists(AWAKE)

    def test_without_redis_it_still_decides(self, awake: Process, database: Database, site: NewSite) -> None:
        gone = open_jobs("unix:///nowhere/redis.sock")
        hand_in(database, site, "one")
        assert not gone.wake_scoring()
        assert drain_process(make_process(awake.settings, database, gone, awake.scorer)) == 1


def _end_holds(database: Database) -> None:
    with database.write() as session:
        session.execute(update(Submission).values(taken_until=datetime.now(UTC) - timedelta(seconds=1)))


def _together(calls: list[Callable[[], None]]) -> None:
    threads = [Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
