"""`greenroom score`, `train` and `evaluate`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from made_up_comments import examples

from classifier import CATEGORIES, Classifier
from classifier.lines import MAX_LINE_BYTES
from classifier.model import card_bytes, model_bytes
from workers.cli.classifier_commands import evaluate, train
from workers.cli.score_command import score

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def model(small: Classifier, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.joblib").write_bytes(model_bytes(small))
    (folder / "card.json").write_bytes(card_bytes(small.card))
    return str(folder)


def answers(model: str, content: bytes, *options: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(score, ["--model", model, *options], input=content)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def line(**members: object) -> bytes:
    return json.dumps(members).encode() + b"\n"


def test_a_line_in_is_a_line_out_in_the_same_order(model: str) -> None:
    content = b"".join(line(body=f"comment {i}", id=i) for i in range(1200))
    found = answers(model, content)
    assert [answer["id"] for answer in found] == list(range(1200))
    assert list(found[0]) == ["id", "scores", "model_version"]
    assert list(found[0]["scores"]) == list(CATEGORIES)  # type: ignore[call-overload]


def test_the_last_line_needs_no_line_end(model: str) -> None:
    assert len(answers(model, line(body="one") + line(body="two").rstrip())) == 2


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"[1]", "not an object"),
        (b'{"id": 5}', "'body' is missing"),
        (b'{"id": 5, "body": 7}', "'body' is not a string"),
        (b'{"id": 5, "body": " \\n "}', "'body' is empty"),
        (b'{"id": 5, "body": "%s"}' % (b"x" * 20_001), "longer than 20000 characters"),
        (b'{"id": 5, "body": "a\\u0000b"}', "NUL or a lone surrogate"),
        (b'{"id": 5, "body": "\\ud800"}', "NUL or a lone surrogate"),
        (b'{"id": 5, "body": "\xff"}', "not UTF-8"),
        (b'{"id": 5, "body": "x", "bodi": 1}', "unknown member 'bodi'"),
        (b'{"id": 5, "body": "x", "author": {"nme": "A"}}', "unknown member 'author.nme'"),
        (b'{"id": 5, "body": "x", "author": "A"}', "'author' is not an object"),
        (b'{"id": 5, "body": "x", "thread": {"title": 1}}', "'thread.title' is not a string"),
        (b'{"id": NaN, "body": "x"}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"body": "%s' % (b"x" * (MAX_LINE_BYTES * 3)), "longer than"),
    ],
)
def test_a_bad_line_gets_its_error_and_the_rest_go_on(model: str, content: bytes, error: str) -> None:
    before, bad, after = answers(model, line(body="fine", id=1) + content + b"\n" + line(body="fine", id=2))
    assert "scores" in before and "scores" in after and after["id"] == 2
    assert list(bad) == ["id", "error"] and error in str(bad["error"])


def test_the_longest_valid_body_is_scored_however_it_is_escaped(model: str) -> None:
    (answer,) = answers(model, line(body="\U0001f600" * 20_000))
    assert "scores" in answer


def test_explanations_point_into_the_body(model: str) -> None:
    (answer,) = answers(model, line(body="Casino BONUS"), "--explain")
    spans = answer["spans"]
    assert isinstance(spans, list)
    assert set(spans[0]) == {"start", "end", "category", "weight"}
    assert "Casino BONUS"[spans[0]["start"] : spans[0]["end"]] == "Casino BONUS"


def test_files_may_be_named_instead_of_piped(model: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(line(body="hello"))
    paths = [str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")]
    assert CliRunner().invoke(score, ["--model", model, *paths]).exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["model_version"] == "small-1"


def test_a_missing_model_is_one_line_and_status_2(tmp_path: Path) -> None:
    result = CliRunner().invoke(score, ["--model", str(tmp_path / "none")], input=b"")
    assert result.exit_code == 2 and result.stdout == ""
    assert len(result.stderr.splitlines()) == 1 and "model.joblib" in result.stderr


def test_a_slow_pipe_is_answered_line_by_line_and_a_closed_one_is_no_stack_trace(model: str) -> None:
    program = "from workers.cli.score_command import score; score()"
    command = [sys.executable, "-c", program, "--model", model]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdin and child.stdout and child.stderr
        for i in range(3):
            child.stdin.write(line(body="hello", id=i))
            child.stdin.flush()
            assert json.loads(child.stdout.readline())["id"] == i
        child.stdout.close()
        child.stdin.write(line(body="nobody listens"))
        child.stdin.close()
        assert b"Traceback" not in child.stderr.read()


def test_evaluation_reads_json_lines_and_compares(model: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    rows = [{**example.comment, "labels": dict(example.labels)} for example in examples(60, seed=2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = CliRunner().invoke(evaluate, ["--data", str(path), "--model", model])
    assert table.exit_code == 0 and "labels.jsonl" in table.stdout and "toxicity" in table.stdout
    options = ["--data", str(path), "--model", model, "--against", model, "--json"]
    result = json.loads(CliRunner().invoke(evaluate, options).stdout)
    assert result["sources"]["labels.jsonl"]["spam"]["n"] == 60
    assert result["comparison"]["better"] is False


@pytest.mark.parametrize("labels", ["[]", '{"spam": 1}', '{"nice": true}'])
def test_labels_that_are_none_are_named_with_their_line(model: str, tmp_path: Path, labels: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f'{{"body": "x"}}\n{{"body": "x", "labels": {labels}}}\n')
    result = CliRunner().invoke(evaluate, ["--data", str(path), "--model", model])
    assert result.exit_code == 2 and "line 2" in result.stderr and "labels" in result.stderr


@pytest.mark.parametrize("command", [train, evaluate])
def test_missing_data_is_one_line_and_status_2(command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    options = ["--out", str(tmp_path / "out")] if command is train else []
    result = CliRunner().invoke(command, ["--data", str(tmp_path / "none.parquet"), *options])
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1


def test_training_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = CliRunner().invoke(train, ["--data", "x.parquet", "--out", str(tmp_path)])
    assert result.exit_code == 2 and "greenroom[train]" in result.stderr


def test_a_report_is_a_page_with_pictures_and_the_figures_behind_them(model: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    rows = [{**example.comment, "labels": dict(example.labels)} for example in examples(60, seed=2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ["--data", str(path), "--model", model, "--report"]
    pages = []
    for name in ("first", "again"):
        result = CliRunner().invoke(evaluate, [*options, str(tmp_path / name)])
        assert result.exit_code == 0, result.output
        pages.append((tmp_path / name / "index.html").read_text())
    assert pages[0] == pages[1]
    assert pages[0].count("<svg") == 4 and "<script" not in pages[0] and "http-equiv" not in pages[0]
    figures = json.loads((tmp_path / "first" / "report.json").read_text())
    assert figures["sources"]["kind: with a link"]["spam"]["n"] > 0
    assert "casino" not in pages[0]


def test_a_report_without_matplotlib_says_what_to_install(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(json.dumps({"body": "hello", "labels": {"spam": False}}) + "\n")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = CliRunner().invoke(
        evaluate, ["--data", str(path), "--model", model, "--report", str(tmp_path / "report")]
    )
    assert result.exit_code == 2 and "greenroom[train]" in result.stderr
