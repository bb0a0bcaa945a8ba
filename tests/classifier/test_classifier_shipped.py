"""The model in this repository scores real comments at once."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

from classifier import CATEGORIES, Classifier, load, registry, shipped
from classifier.errors import DigestMismatch
from classifier.model import ModelError
from classifier.perturbation import DISGUISES, disguised
from classifier.registry import load_shipped, shipped_folder

pytestmark = pytest.mark.skipif(not shipped.VERSION, reason="no model was trained yet")
ORDINARY = {"body": "Thanks for writing this up. The second example fixed my build, but is the cache needed?"}
ADVERT = {
    "body": 'Cheap viagra and casino bonus <a href="http://pills.example/buy">buy online</a> best price'
}
ABUSE = {"body": "You are a stupid fucking idiot."}


@pytest.fixture(scope="module")
def model() -> Classifier:
    return load_shipped()


def test_it_is_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in shipped_folder().iterdir()) < 14_000_000


def test_scoring_a_large_batch_keeps_no_other_thread_at_work() -> None:
    program = """
import random, time
from classifier.registry import load_shipped
letters = random.Random(0).choices("abcdefgh", k=51_200)
def made_up(at):
    return {"body": " ".join("".join(letters[i : i + 5]) for i in range(at, at + 100, 2))}
batch = [made_up(at) for at in range(0, 51_000, 100)]
model = load_shipped()
started = time.process_time(), time.thread_time()
model.score(batch)
everything, own = time.process_time() - started[0], time.thread_time() - started[1]
print((everything - own) / own)
"""
    threads = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | threads, capture_output=True, text=True, check=True
    )
    # In threads of its own, the library of matrices took nine tenths as much again, waiting.
    assert float(done.stdout) < 0.2


def test_an_advert_scores_above_an_ordinary_comment(model: Classifier) -> None:
    ordinary, advert = model.score([ORDINARY, ADVERT])[:, CATEGORIES.index("spam")]
    assert advert > 0.9 > 0.6 > ordinary


def test_abuse_scores_above_an_ordinary_comment(model: Classifier) -> None:
    ordinary, abuse = model.score([ORDINARY, ABUSE])[:, CATEGORIES.index("toxicity")]
    assert abuse > 0.9 > 0.1 > ordinary


@pytest.mark.parametrize(
    ("abuse", "ordinary"),
    [
        ("Du bist so ein dummes Arschloch, halt die Fresse", "Sehr schöner Artikel, vielen Dank dafür"),
        ("Você é um idiota, vai se ferrar seu lixo", "Muito bom o artigo, obrigado pela dica!"),
        ("너는 정말 쓰레기 같은 새끼야", "좋은 글 감사합니다"),
    ],
)
def test_abuse_in_other_languages_is_held_and_thanks_are_not(
    model: Classifier, abuse: str, ordinary: str
) -> None:
    held = model.card["operating_points"]["toxicity"]["hold"]["threshold"]
    scores = model.score([{"body": abuse}, {"body": ordinary}])[:, CATEGORIES.index("toxicity")]
    assert scores[0] > held > 10 * scores[1]
    assert model.network.read([{"body": abuse}, {"body": ordinary}]).abroad.tolist() == [0, 1]


def test_its_explanation_points_at_the_abuse(model: Classifier) -> None:
    spans = [span for span in model.explain([ABUSE], limit=30)[0] if span.category == "toxicity"]
    assert [ABUSE["body"][span.start : span.end] for span in spans] == ["stupid fucking idiot"]


@pytest.mark.parametrize("name", sorted(DISGUISES))
def test_abuse_in_disguise_is_still_abuse(model: Classifier, name: str) -> None:
    body = disguised(ABUSE["body"], random.Random(4), DISGUISES[name], share=1.0)
    assert body != ABUSE["body"]
    assert model.score([{"body": body}])[0, CATEGORIES.index("toxicity")] > 0.5


def test_who_is_spoken_of_hardly_moves_a_score(model: Classifier) -> None:
    people = ("gay", "straight", "muslim", "christian", "black", "white", "deaf", "old")
    scores = model.score([{"body": f"My {who} neighbour baked bread for us."} for who in people])
    assert np.ptp(scores[:, CATEGORIES.index("toxicity")]) < 0.05


@pytest.mark.parametrize(
    "body",
    [
        "ok",
        "This bug drives me crazy!!! WHY does it still crash?!",
        "I strongly disagree, this argument is wrong and the numbers are made up.",
        "sorry for my bad english, i am try your code but is not work for me",
        "See https://docs.python.org/3/library/re.html for what the flag does.",
    ],
)
def test_ordinary_comments_are_not_rejected(model: Classifier, body: str) -> None:
    points = model.card["operating_points"]
    for category, score in zip(CATEGORIES, model.score([{"body": body}])[0], strict=True):
        threshold = points[category]["reject"]["threshold"]
        assert threshold is None or score < threshold


def test_its_card_states_operating_points_and_where_it_comes_from(model: Classifier) -> None:
    assert set(model.card["operating_points"]) == set(CATEGORIES)
    for points in model.card["operating_points"].values():
        reject, hold = points["reject"]["threshold"], points["hold"]["threshold"]
        assert 0 <= hold <= (1 if reject is None else reject) <= 1
    assert {
        "created_at",
        "data",
        "parameters",
        "seed",
        "metrics",
        "libraries",
        "sha256",
        "licences",
        "limits",
    } <= set(model.card)


def test_it_is_refused_when_a_byte_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "MODEL_SHA256", "0" * 64)
    with pytest.raises(DigestMismatch, match=r"model\.joblib does not match its digest in .*; refusing"):
        load_shipped()


def test_a_truncated_copy_is_refused_by_name(tmp_path, model: Classifier) -> None:  # type: ignore[no-untyped-def]
    for path in shipped_folder().iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"model\.joblib: cannot be loaded"):
        load(tmp_path)


def test_a_repository_without_a_model_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "VERSION", "")
    with pytest.raises(ModelError, match="make train"):
        registry.load_shipped()


def test_an_authors_email_address_says_nothing(model: Classifier) -> None:
    comment = {"body": "I baked this on Sunday and it came out well.", "author": {"name": "Ann"}}
    known = {**comment, "author": {"name": "Ann", "email": "ann@example.com"}}
    without, with_it = model.score([comment])[0], model.score([known])[0]
    assert without.tolist() == with_it.tolist()
