"""What the benchmarks reckon with; the runs themselves are not part of the suite."""

import itertools
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from benchmarks.backlog import Stage, when
from benchmarks.cases import FOLDER, area, read_cases
from benchmarks.crowd import batches, comments
from benchmarks.doors import DOORS
from benchmarks.figures import percentile, percentiles
from benchmarks.processes import below, by_kind
from benchmarks.scaling import stops_at
from benchmarks.truth import Truth, without_double_work
from benchmarks.variants import variants
from classifier.categories import CATEGORIES
from classifier.grammar import LANGUAGES
from moderation.database import Database
from moderation.models import Site
from tests.conftest import Api
from workers.process import Process
from workers.scoring import drain_process
from workers.sweeper import keep_traces


def test_variants_of_a_campaign_all_differ_and_are_the_same_again_by_the_same_chance() -> None:
    seed = "Visit our great shop. It sells cheap watches, call Anna at 555123! See https://shop.example/a"
    made = [variants(seed, 50, ["lamp", "river"], random.Random(1)) for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) == 50
    assert not [text for text in made[0] if "shop.example" in text or "555123" in text]


def test_the_pace_of_each_tenth_is_its_comments_by_its_seconds() -> None:
    stage = Stage("drained", progress=[(0.0, 0), (10.0, 500), (30.0, 1000)])
    assert stage.paces() == pytest.approx([50] * 5 + [25] * 5)


def test_a_goal_between_two_looks_is_reached_in_proportion() -> None:
    assert when([(0.0, 0), (4.0, 100)], 25) == pytest.approx(1.0)


def test_memory_is_told_by_its_highest_value_in_each_quarter() -> None:
    stage = Stage("drained", memory=[{"web": n} for n in (1, 5, 2, 2, 3, 9, 4, 4)])
    assert stage.peaks_of("web") == [5, 2, 9, 4]
    assert stage.peaks_of("worker") == []


def test_more_workers_end_to_help_where_the_next_number_gains_less_than_a_tenth() -> None:
    assert stops_at({1: 100, 2: 190, 4: 200, 8: 500}) == 2
    assert stops_at({1: 100, 2: 190}) == 2


def test_every_case_says_what_it_is_and_every_language_has_some() -> None:
    files = {path.stem: read_cases(path) for path in FOLDER.glob("*.jsonl")}
    assert {*LANGUAGES, "en-speech", "en-adverts"} == {*files}
    for name, cases in files.items():
        assert len({case["body"] for case in cases}) == len(cases) >= 75, name
        for case in cases:
            labels = {category: case[category] for category in CATEGORIES if category in case}
            assert labels and {*labels.values()} <= {0, 1}, case
            assert {*case} - {*labels} <= {"body", "author", "case"}, case


def test_an_area_counts_labelled_cases_alone_and_needs_both_kinds() -> None:
    scores = np.zeros((4, len(CATEGORIES)), np.float32)
    scores[:, 0] = [0.9, 0.1, 0.8, 0.2]
    cases = [{"spam": 1}, {"spam": 0}, {"threat": 1}, {"spam": 1}]
    assert area(scores, cases, "spam") == 1.0
    assert np.isnan(area(scores, cases, "threat"))


def test_percentiles_of_nothing_are_zero() -> None:
    assert percentile([], 0.5) == 0
    assert percentiles(list(range(101)))["p90"] == 90


def test_every_comment_of_the_crowd_differs() -> None:
    bodies = [one["body"] for one in itertools.islice(comments(1), 500)]
    assert len(set(bodies)) == 500
    assert len(list(batches(1, 250, "a key"))) == 3


def test_a_child_is_seen_by_what_it_does() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()", "gunicorn"], stdin=subprocess.PIPE)
    try:
        (found,) = (one for one in by_kind(below(os.getpid()))["web"] if one.pid == child.pid)
        assert found.resident > 1_000_000
    finally:
        child.communicate(b"\n")


def test_the_truth_knows_work_done_once_from_work_left_or_repeated(
    api: Api, alma, process: Process, database: Database
) -> None:
    begin = datetime.now(UTC)
    for _ in range(3):
        api.hand_in(alma)
    truth = Truth(database.engine, alma.site_id)
    assert truth.waiting() == 3
    assert not without_double_work(truth.counts())
    drain_process(process)
    counts = truth.counts()
    assert truth.all_judged()
    assert without_double_work(counts)
    assert len(truth.times()) == 3
    (at, done) = truth.decided_after(begin)[-1]
    assert done == 3
    assert 0 < at < 60
    assert truth.decided_after(datetime.now(UTC)) == []
    assert not truth.all_followed_up()
    keep_traces(process, datetime.now(UTC) + timedelta(minutes=1))
    assert truth.all_followed_up()
    assert not without_double_work(counts | {"takes": 4})
    assert not without_double_work(counts | {"not decided once": 1})


@pytest.mark.parametrize("name", DOORS)
def test_a_door_is_asked_as_its_clients_ask_and_gives_a_verdict(api: Api, alma, database, name: str) -> None:
    with database.write() as session:
        session.get_one(Site, alma.site_id).allowed_origins = []
    head, _, body = DOORS[name].ask(alma.secret_key, "A few words.").partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split()
    answer = api.client.open(path, method=method, headers=dict(one.split(": ") for one in lines), data=body)
    assert DOORS[name].is_verdict(answer.data), answer.data
    assert not DOORS[name].is_verdict(b"error")
