"""What of the labels teaches a model, and what is left out"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from moderation.domain.settling import Taught
from moderation.domain.sources import Teacher
from moderation.domain.training_set import LabelledText, largest_fair, training_set

START = datetime(2026, 1, 1, tzinfo=UTC)
BRUNO, DORIS = (Teacher("moderator", "site_a", name) for name in ("mod_bruno", "mod_doris"))
ELSEWHERE = Teacher("import")


def read(body: str) -> Sequence[str]:
    return body.lower().split()


def text(
    number: int, body: str, by: Teacher = ELSEWHERE, *, email: str | None = None, **labels: bool
) -> LabelledText:
    at = START + timedelta(hours=number)
    taught = [Taught(name, value, by, True, at) for name, value in (labels or {"spam": True}).items()]
    comment = {"body": body, "author": {"name": "Reader", "email": email}}
    return LabelledText(f"sub_{number}", comment, f"c_{number}", tuple(taught))


def long(seed: int, words: int = 30) -> str:
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(words))


def many(count: int, start: int = 0, by: Teacher = ELSEWHERE, email: str | None = None) -> list[LabelledText]:
    return [text(n, long(n), by, email=email) for n in range(start, start + count)]


def test_examples_come_in_the_order_of_time() -> None:
    made = training_set(many(9)[::-1], read)
    assert [one.comment_id for one in made.examples] == [f"c_{n}" for n in range(9)]


def test_the_same_text_counts_once_in_whatever_case() -> None:
    made = training_set([text(1, "Buy now"), text(2, "buy  NOW"), text(3, "buy later")], read)
    assert [one.comment_id for one in made.examples] == ["c_1", "c_3"]
    assert made.figures["near_copies"] == 1


def test_a_near_copy_of_a_long_text_counts_once_and_keeps_the_time_of_the_first() -> None:
    made = training_set([text(1, long(1)), text(2, "hello " + long(1)), text(3, long(3))], read)
    assert [(one.comment_id, one.at.hour) for one in made.examples] == [("c_1", 1), ("c_3", 3)]


def test_short_texts_that_only_look_alike_count_each() -> None:
    made = training_set([text(n, f"thank you for post {n}") for n in range(5)], read)
    assert len(made.examples) == 5


def test_variants_that_share_half_of_their_words_count_each() -> None:
    made = training_set([text(n, long(99, 15) + " " + long(n, 15)) for n in range(10)], read)
    assert len(made.examples) == 10


def test_people_who_disagree_on_near_copies_leave_the_category_out() -> None:
    texts = [text(1, long(1), BRUNO, spam=True, insult=True), text(2, "oh " + long(1), DORIS, spam=False)]
    made = training_set(texts, read)
    assert [one.labels for one in made.examples] == [{"insult": True}]
    assert (made.figures["conflicts"], made.figures["disputed"]) == (1, 1)


def test_a_text_about_which_all_is_disputed_teaches_nothing() -> None:
    made = training_set([text(1, "x", BRUNO, spam=True), text(2, "x", DORIS, spam=False)], read)
    assert made.examples == ()
    assert made.figures["taught_nothing"] == 1


def test_one_author_is_no_more_than_a_fifth_of_the_examples() -> None:
    made = training_set([*many(300, email="A@example.org"), *many(200, 300)], read)
    of_one = [one for one in made.examples if one.comment["author"]["email"]]
    assert len(of_one) == 50 == len(made.examples) / 5
    assert made.figures["capped_by_author"] == 250
    # Some of every time, not the first or the last.
    assert max(one.at for one in of_one) - min(one.at for one in of_one) > timedelta(hours=280)


def test_twenty_examples_of_an_author_are_never_too_many() -> None:
    assert len(training_set(many(20, email="a@example.org"), read).examples) == 20


def test_names_alone_make_no_author() -> None:
    assert len(training_set(many(200), read).examples) == 200


def test_a_moderator_among_several_weighs_no_more_than_the_others() -> None:
    made = training_set([*many(900, by=BRUNO), *many(300, 900, by=DORIS)], read)
    weight = {
        who: sum(one.weight for one in made.examples if one.moderator_id == who)
        for who in ("mod_bruno", "mod_doris")
    }
    assert 295 <= weight["mod_bruno"] <= 301
    assert weight["mod_doris"] == 300
    assert made.figures["weigh_less_by_moderator"] == 900


def test_the_only_moderator_keeps_the_full_weight_and_so_does_a_small_site() -> None:
    alone = training_set(many(500, by=BRUNO), read)
    small = training_set([*many(190, by=BRUNO), *many(5, 190, by=DORIS)], read)
    assert {one.weight for one in (*alone.examples, *small.examples)} == {1.0}


def test_balance_and_sources_are_told() -> None:
    made = training_set([text(1, "a", spam=True), text(2, "b", spam=False), text(3, "c", BRUNO)], read)
    assert made.figures["balance"] == {"spam": {"yes": 2, "no": 1}}
    assert made.figures["sources"] == {"import": 2, "moderator": 1}
    assert (made.figures["texts"], made.figures["examples"]) == (3, 3)


def test_no_labels_make_an_empty_set() -> None:
    assert training_set([], read).examples == ()


def test_a_fair_cap_holds_for_what_is_left() -> None:
    for counts in ([1000, 5], [50, 50, 50], [300, 200, *[1] * 500]):
        most = largest_fair(counts, 0.2, 20)
        assert most <= max(20, 0.2 * sum(min(count, most) for count in counts))
