"""The registry: checked before loaded, and never without a champion that loads."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

from classifier import Classifier, ModelError, registry, shipped
from classifier.errors import (
    DigestMismatch,
    ManifestInvalid,
    NothingToRollBack,
    OutdatedModel,
    UnknownVersion,
)
from classifier.model import card_bytes, model_bytes
from classifier.registry import Registry
from classifier.training import next_version, write_shipped

KEY = b"the installation's key"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def models(small: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry in which the small model is the shipped one."""
    place_small_as_shipped(small, tmp_path / "shipped", monkeypatch)
    yield Registry(tmp_path / "models", KEY)


def place_small_as_shipped(small: Classifier, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shipped(Classifier(small.network, {**small.card, "version": "shipped-1"}), folder)
    written: dict[str, str] = {}
    exec((folder / "__init__.py").read_text(), written)
    for name in ("VERSION", "MODEL_SHA256", "CARD_SHA256"):
        monkeypatch.setattr(shipped, name, written[name])
    monkeypatch.setattr(registry, "_SHIPPED_FOLDER", folder)


def named(small: Classifier, version: str) -> Classifier:
    return Classifier(small.network, {**small.card, "version": version, "parent": "shipped-1"})


def test_the_shipped_model_is_champion_when_nothing_was_promoted(models: Registry) -> None:
    assert models.champion() == "shipped-1" == models.load().version
    assert [(info.version, info.champion) for info in models.versions()] == [("shipped-1", True)]


def test_an_added_model_is_listed_but_not_champion(models: Registry, small: Classifier) -> None:
    assert models.add(named(small, "v-1")) == "v-1"
    assert models.champion() == "shipped-1"
    info = models.versions()[-1]
    assert (info.version, info.parent, info.metrics) == ("v-1", "shipped-1", {"spam": {"auc": 1.0}})
    assert models.card("v-1")["sha256"] == info.sha256


def test_promotion_and_rollback_move_the_champion_and_the_stamp(models: Registry, small: Classifier) -> None:
    stamps = {models.stamp()}
    for version in ("v-1", "v-2"):
        models.add(named(small, version))
        models.promote(version)
        stamps.add(models.stamp())
    assert models.load().version == "v-2"
    assert models.rollback() == "v-1" and models.rollback() == "shipped-1"
    stamps.add(models.stamp())
    assert len(stamps) == 4
    with pytest.raises(NothingToRollBack):
        models.rollback()


def test_promoting_the_champion_again_adds_no_history(models: Registry, small: Classifier) -> None:
    models.add(named(small, "v-1"))
    models.promote("v-1")
    models.promote("v-1")
    assert models.rollback() == "shipped-1"


@pytest.mark.parametrize("name", ["model.joblib", "card.json"])
def test_a_changed_file_is_refused_by_name(models: Registry, small: Classifier, name: str) -> None:
    models.add(named(small, "v-1"))
    path = models.store.folder / "v-1" / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    with pytest.raises(DigestMismatch, match=r"does not match its digest in .*manifest\.json; refusing"):
        models.load("v-1")
    with pytest.raises(ModelError, match=f"v-1/{name}"):
        models.promote("v-1")


def test_a_truncated_or_missing_file_is_refused_by_name(models: Registry, small: Classifier) -> None:
    models.add(named(small, "v-1"))
    path = models.store.folder / "v-1" / "model.joblib"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DigestMismatch, match=r"v-1/model\.joblib"):
        models.load("v-1")
    path.unlink()
    with pytest.raises(ModelError, match=r"v-1/model\.joblib: cannot be read"):
        models.load("v-1")


def test_the_shipped_model_is_checked_against_the_source(
    models: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "MODEL_SHA256", "0" * 64)
    with pytest.raises(DigestMismatch, match=r"shipped-1/model\.joblib does not match"):
        models.load()


def test_a_manifest_signed_with_another_key_is_refused(models: Registry, small: Classifier) -> None:
    models.add(named(small, "v-1"))
    with pytest.raises(ManifestInvalid, match="not signed with this installation's key"):
        Registry(models.store.folder, b"a stranger's key").champion()


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json", '{"manifest": {}, "signature": 1}'])
def test_a_manifest_that_is_none_is_refused(models: Registry, content: str) -> None:
    models.store.folder.mkdir()
    (models.store.folder / "manifest.json").write_text(content)
    with pytest.raises(ManifestInvalid, match=r"manifest\.json"):
        models.champion()


def test_a_manifest_edited_by_hand_is_refused(models: Registry, small: Classifier) -> None:
    models.add(named(small, "v-1"))
    path = models.store.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["manifest"]["champion"] = "v-1"
    path.write_text(json.dumps(manifest))
    with pytest.raises(ManifestInvalid):
        models.load()


@pytest.mark.parametrize("version", ["../escape", "", ".hidden", "a/b", "a" * 65, "x\n"])
def test_a_version_that_is_no_folder_name_is_refused(
    models: Registry, small: Classifier, version: str
) -> None:
    with pytest.raises(ModelError, match="cannot be a version"):
        models.add(named(small, version))


def test_a_version_is_added_once(models: Registry, small: Classifier) -> None:
    models.add(named(small, "v-1"))
    for version in ("v-1", "shipped-1"):
        with pytest.raises(ModelError, match="exists already"):
            models.add(named(small, version))


def test_an_unknown_version_is_refused(models: Registry) -> None:
    for act in (models.load, models.promote, models.card):
        with pytest.raises(UnknownVersion, match="no model version 'v-9'"):
            act("v-9")


def test_pruning_keeps_the_champion_and_the_newest(models: Registry, small: Classifier) -> None:
    for i in range(7):
        models.add(named(small, f"v-{i}"))
    models.promote("v-0")
    assert models.prune(keep=1) == ["v-1", "v-2", "v-3"]
    assert [info.version for info in models.versions()] == ["shipped-1", "v-0", "v-4", "v-5", "v-6"]
    assert models.load().version == "v-0"
    assert not (models.store.folder / "v-1").exists()


def test_rubbish_of_a_killed_writer_does_not_matter(models: Registry, small: Classifier) -> None:
    models.store.folder.mkdir()
    for name in ("v-1", ".adding-abc"):
        (models.store.folder / name).mkdir()
        (models.store.folder / name / "model.joblib").write_bytes(b"half")
    (models.store.folder / "manifest.json.new").write_text("half")
    assert models.champion() == "shipped-1"
    models.add(named(small, "v-1"))
    assert models.load("v-1").version == "v-1"
    assert not (models.store.folder / ".adding-abc").exists()


def test_a_version_of_today_gets_the_next_number(tmp_path: Path) -> None:
    assert next_version(tmp_path / "none", "2026.11.22") == "2026.11.22-1"
    (tmp_path / "2026.11.22-9").mkdir()
    (tmp_path / "2026.11.22-10").mkdir()
    assert next_version(tmp_path, "2026.11.22") == "2026.11.22-11"


# One process that forks: importing scikit-learn again for each of them would take a second each.
CRASHES = """
import os, signal, sys, time
from pathlib import Path
from classifier import Classifier, load
from classifier.registry import Registry

models, model = Registry(Path(sys.argv[1]), b"key"), load(Path(sys.argv[2]))

def fork(act):
    child = os.fork()
    if not child:
        act()
        os._exit(0)
    return child

def add(version):
    models.add(Classifier(model.network, {**model.card, "version": version}))

def promote(version):
    for _ in range(15):
        models.promote(version)

def add_and_promote_on_and_on(attempt):
    for i in range(10_000):
        add(f"k-{attempt}-{i}")
        models.promote(f"k-{attempt}-{i}")

add("v-1"), add("v-2")
children = [fork(lambda: promote("v-1")), fork(lambda: promote("v-2"))]
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
history = (*models._manifest().history, models.load().version)
assert all(one != other for one, other in zip(history, history[1:]))

for attempt in range(8):
    before = len(models.versions())
    child = fork(lambda: add_and_promote_on_and_on(attempt))
    while len(models.versions()) == before:
        time.sleep(0.001)
    time.sleep(0.004 * attempt)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert models.load().score([{"body": "hello"}]).shape == (1, 7)
for info in models.versions():
    models.load(info.version)
print(len(models.versions()))
"""


def test_promoting_at_once_and_being_killed_anywhere_leave_a_champion_that_loads(
    small: Classifier, tmp_path: Path
) -> None:
    (tmp_path / "model.joblib").write_bytes(model_bytes(small))
    (tmp_path / "card.json").write_bytes(card_bytes(small.card))
    command = [sys.executable, "-c", CRASHES, str(tmp_path / "models"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3 + 8


def test_a_champion_of_another_release_is_replaced_by_the_shipped_model(
    models: Registry, small: Classifier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    models.add(named(small, "old-1"))
    models.promote("old-1")
    older = io.BytesIO()
    joblib.dump({"pipeline": None}, older)
    read = registry.from_bytes
    monkeypatch.setattr(
        registry,
        "from_bytes",
        lambda path, model, card: read(path, older.getvalue() if path.name == "old-1" else model, card),
    )
    with pytest.raises(OutdatedModel, match="made by another release"):
        models.load("old-1")
    assert models.load().version == shipped.VERSION
    assert "scoring with the shipped model" in caplog.text


def test_it_tells_the_champion_before_and_which_versions_it_knows(
    models: Registry, small: Classifier
) -> None:
    assert models.previous() is None
    assert models.knows(shipped.VERSION)
    assert not models.knows(small.version)
    models.add(small)
    models.promote(small.version)
    assert (models.previous(), models.knows(small.version)) == (shipped.VERSION, True)
    models.rollback()
    assert models.previous() is None
