"""Models in an object store: a real S3 server, several processes, and what happens when it is away."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from classifier import Classifier, ModelError, shipped
from classifier.errors import DigestMismatch, ManifestInvalid, NothingToRollBack, UnknownVersion
from classifier.model import card_bytes, model_bytes
from classifier.registry import Registry, load_shipped
from classifier.store import StoreUnreachable
from moderation import scoring
from moderation.model_store import ObjectStore, parse_address
from moderation.scoring import Scorer, open_scorer
from moderation.settings import SettingsError, load_settings
from tests.conftest import make_settings
from tests.object_store import KEY, SECRET, ObjectServer, client, running_object_server
from tests.processes.running import wait_until
from tests.together import together

ROOT = Path(__file__).parent.parent
SIGNING_KEY = b"the installation's key"
COMMENT = [{"body": "hello"}]


@pytest.fixture(scope="module")
def model() -> Classifier:
    """The shipped model, to be stored under other names."""
    return load_shipped()


@pytest.fixture
def url(object_server: ObjectServer, request: pytest.FixtureRequest) -> str:
    """A place of this test's own in the bucket."""
    return object_server.url(f"tests/{abs(hash(request.node.nodeid))}")


@pytest.fixture
def open_models(url: str, tmp_path: Path) -> Callable[[str], Registry]:
    """The registry as another machine sees it: with a cache of its own."""
    return lambda machine: Registry(ObjectStore(url, tmp_path / machine), SIGNING_KEY)


@pytest.fixture
def models(open_models: Callable[[str], Registry]) -> Registry:
    return open_models("here")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ObjectServer]:
    """A server that the test may kill."""
    folder = tmp_path / "server"
    folder.mkdir()
    with running_object_server(folder) as server:
        yield server


@pytest.fixture
def scorer_on() -> Iterator[Callable[[str, Path], Scorer]]:
    """Scorers with their homes, which follow the store until the test ends."""
    opened: list[Scorer] = []

    def open_one(url: str, home: Path) -> Scorer:
        opened.append(open_scorer(make_settings(f"sqlite:///{home}/unused.db", home, MODELS_URL=url)))
        return opened[-1]

    yield open_one
    for scorer in opened:
        scorer.close()


def named(model: Classifier, version: str, **more: Any) -> Classifier:
    return Classifier(model.network, {**model.card, "version": version, **more})


def objects(url: str) -> Any:
    """The bucket's objects under this test's prefix by path, and the client to change them."""
    import obstore

    bucket = client(url)
    return bucket, [one["path"] for found in obstore.list(bucket) for one in found]  # type: ignore[call-overload]


def spoil(url: str, ending: str, change: Callable[[bytes], bytes]) -> None:
    """Change an object behind the service's back."""
    import obstore

    bucket, paths = objects(url)
    (path,) = [path for path in paths if path.endswith(ending)]
    obstore.put(bucket, path, change(bytes(obstore.get(bucket, path).bytes())))


def test_a_new_place_has_the_shipped_model_as_champion(models: Registry) -> None:
    assert models.champion() == shipped.VERSION == models.load().version
    assert [info.version for info in models.versions()] == [shipped.VERSION]


def test_versions_are_added_promoted_rolled_back_and_pruned(models: Registry, model: Classifier) -> None:
    stamps = [models.stamp()]
    for number in range(7):
        models.add(named(model, f"v-{number}"))
    for version in ("v-0", "v-6"):
        assert models.promote(version) == models.champion() == models.load().version == version
        stamps.append(models.stamp())
    assert models.rollback() == "v-0"
    assert models.prune(keep=1) == ["v-1", "v-2", "v-3"]
    assert [info.version for info in models.versions()[1:]] == ["v-0", "v-4", "v-5", "v-6"]
    assert models.rollback() == shipped.VERSION
    with pytest.raises(NothingToRollBack):
        models.rollback()
    with pytest.raises(UnknownVersion):
        models.load("v-1")
    assert len(set(stamps)) == 3


def test_pruning_removes_the_files_and_leaves_what_is_not_ours(
    models: Registry, model: Classifier, url: str
) -> None:
    import obstore

    obstore.put(client(url), "someone/else/file.json", b"{}")  # type: ignore[arg-type]
    for number in range(4):
        models.add(named(model, f"v-{number}"))
    models.prune(keep=3)
    _, paths = objects(url)
    assert {path.split("/")[0] for path in paths} == {"manifest.json", "someone", "v-1", "v-2", "v-3"}


def test_another_machine_sees_the_promotion_and_its_card(
    models: Registry, open_models: Callable[[str], Registry], model: Classifier
) -> None:
    there = open_models("there")
    assert there.champion() == shipped.VERSION
    models.add(named(model, "v-1", note="made here"))
    models.promote("v-1")
    assert there.load().version == "v-1"
    assert there.card("v-1")["note"] == "made here"


@pytest.mark.parametrize("ending", ["model.joblib", "card.json"])
def test_a_changed_object_is_refused_by_name_and_never_loaded(
    models: Registry, open_models: Callable[[str], Registry], model: Classifier, url: str, ending: str
) -> None:
    models.add(named(model, "v-1"))
    spoil(url, ending, lambda content: content[:-1] + b"!")
    there = open_models("there")
    with pytest.raises(DigestMismatch, match=rf"v-1/{ending} does not match its digest in .*manifest\.json"):
        there.promote("v-1")
    assert there.champion() == shipped.VERSION


def test_a_manifest_edited_by_hand_or_signed_with_another_key_is_refused(
    models: Registry, model: Classifier, url: str, tmp_path: Path
) -> None:
    models.add(named(model, "v-1"))
    with pytest.raises(ManifestInvalid, match="not signed with this installation's key"):
        Registry(ObjectStore(url, tmp_path / "stranger"), b"a stranger's key").champion()
    spoil(url, "manifest.json", lambda content: content.replace(b'"champion": ""', b'"champion": "v-1"'))
    with pytest.raises(ManifestInvalid):
        models.load()


def test_a_file_spoilt_in_the_cache_is_fetched_again(
    models: Registry, model: Classifier, tmp_path: Path
) -> None:
    models.add(named(model, "v-1"))
    models.promote("v-1")
    for path in (tmp_path / "here").rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            path.write_bytes(b"spoilt")
    assert models.load().version == "v-1"


def test_of_promotions_at_once_each_counts_and_the_pointer_is_whole(
    open_models: Callable[[str], Registry], model: Classifier
) -> None:
    machines = [open_models(f"machine-{number}") for number in range(4)]
    versions = [machines[0].add(named(model, f"v-{number}")) for number in range(4)]
    together([lambda m=m, v=v: m.promote(v) for m, v in zip(machines, versions, strict=True)])
    champion = machines[0].champion()
    line = [champion]
    for _ in range(4):
        line.append(machines[0].rollback())
    assert sorted(line) == sorted([shipped.VERSION, *versions])
    assert line[-1] == shipped.VERSION


def test_one_version_added_by_two_machines_at_once_is_whole(
    open_models: Callable[[str], Registry], model: Classifier
) -> None:
    # A retraining run that was thought lost and is made twice: the same name, not the same bytes.
    machines = [open_models("one"), open_models("two")]
    made = [named(model, "v-1", note=str(number)) for number in range(2)]
    ended = together([lambda m=m, c=c: m.add(c) for m, c in zip(machines, made, strict=True)])
    assert sorted(type(end).__name__ for end in ended) == ["ModelError", "str"]
    winner = ended.index("v-1")
    assert open_models("three").load("v-1").card["note"] == str(winner)


def test_a_promotion_whose_answer_was_lost_counts(
    models: Registry, model: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = ObjectStore.replace_manifest

    def lost(store: ObjectStore, mark: object, content: bytes) -> bool:
        replace(store, mark, content)
        raise ConnectionError("the answer was lost")

    for number in range(3):
        models.add(named(model, f"v-{number}"))
        models.promote(f"v-{number}")
    monkeypatch.setattr(ObjectStore, "replace_manifest", lost)
    assert models.rollback() == "v-1" == models.champion()


# One process that writes versions until it is killed.
WRITER = """
import sys
from pathlib import Path
from classifier import Classifier, load
from classifier.registry import Registry
from moderation.model_store import ObjectStore

models = Registry(ObjectStore(sys.argv[1], Path(sys.argv[2])), sys.argv[3].encode())
model = load(Path(sys.argv[4]))
print("ready", flush=True)
for number in range(10_000):
    version = f"{sys.argv[5]}-{number}"
    models.add(Classifier(model.network, {**model.card, "version": version}))
    models.promote(version)
    print(version, flush=True)
"""


@pytest.mark.processes
def test_a_writer_killed_anywhere_leaves_a_champion_that_loads(
    models: Registry, model: Classifier, url: str, tmp_path: Path
) -> None:
    (tmp_path / "model.joblib").write_bytes(model_bytes(model))
    (tmp_path / "card.json").write_bytes(card_bytes(model.card))
    for attempt in range(4):
        words = [url, str(tmp_path / "writer"), SIGNING_KEY.decode(), str(tmp_path), f"k-{attempt}"]
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(attempt + 1):
            assert writer.stdout.readline()
        # Somewhere in the next version, another place each time.
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(0.11 * (attempt + 1))
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert models.load().score(COMMENT).shape == (1, 7)
    for info in models.versions():
        models.load(info.version)


# A process that scores on and on and says whenever the version changes.
FOLLOWER = """
import sys, time
from moderation.scoring import open_scorer
from moderation.settings import load_settings

scorer, last = open_scorer(load_settings()), None
while True:
    version = scorer.score([{"body": "hello"}]).model_version
    if version != last:
        print(version, flush=True)
        last = version
    time.sleep(0.02)
"""


@pytest.mark.processes
def test_two_other_processes_take_a_promotion_over_by_themselves(
    url: str, tmp_path: Path, model: Classifier, scorer_on: Callable[[str, Path], Scorer]
) -> None:
    scorer = scorer_on(url, tmp_path)
    followers = [
        subprocess.Popen(
            [sys.executable, "-c", FOLLOWER],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={
                "GREENROOM_HOME": str(tmp_path / str(number)),
                "GREENROOM_MODELS_URL": url,
                "GREENROOM_SECRET_KEY": "a secret for tests that is long enough",
            },
        )
        for number in range(2)
    ]
    try:
        assert [said(one) for one in followers] == [shipped.VERSION] * 2
        for number in range(2):
            scorer.registry.add(named(model, f"v-{number}"))
            scorer.registry.promote(f"v-{number}")
            assert [said(one) for one in followers] == [f"v-{number}"] * 2
        scorer.registry.rollback()
        assert [said(one) for one in followers] == ["v-0"] * 2
    finally:
        for one in followers:
            one.kill()
            one.communicate()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.processes
def test_a_store_that_goes_away_and_comes_back(
    own_server: ObjectServer,
    model: Classifier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scorer_on: Callable[[str, Path], Scorer],
) -> None:
    monkeypatch.setattr(scoring, "FOLLOW_SECONDS", 0.2)
    scorer = scorer_on(own_server.url(), tmp_path / "home")
    scorer.registry.add(named(model, "v-1"))
    scorer.registry.promote("v-1")
    assert (scorer.score(COMMENT).model_version, scorer.trouble()) == ("v-1", None)
    own_server.kill()
    wait_until(lambda: scorer.trouble() is not None)
    assert scorer.trouble() == "the place of the models cannot be reached; going on with v-1"
    assert scorer.score(COMMENT).model_version == "v-1"
    assert [info.version for info in scorer.registry.versions()] == [shipped.VERSION, "v-1"]
    with pytest.raises(StoreUnreachable, match="cannot be reached"):
        scorer.registry.rollback()

    # A restart without the store goes on with what this machine has seen; a new machine has nothing to go by.
    assert scorer_on(own_server.url(), tmp_path / "home").score(COMMENT).model_version == "v-1"
    new = scorer_on(own_server.url(), tmp_path / "new")
    for _ in range(2):
        with pytest.raises(ModelError, match="cannot be reached"):
            new.score(COMMENT)
    assert new.trouble() == "the place of the models cannot be reached"

    own_server.start()
    wait_until(lambda: scorer.trouble() is None and new.trouble() is None)
    assert new.score(COMMENT).model_version == "v-1"
    assert scorer.registry.rollback() == shipped.VERSION
    wait_until(lambda: {one.score(COMMENT).model_version for one in (scorer, new)} == {shipped.VERSION})


def test_a_caller_does_not_ask_a_store_that_just_did_not_answer(
    tmp_path: Path, scorer_on: Callable[[str, Path], Scorer]
) -> None:
    scorer = scorer_on("s3://bucket?endpoint=http://127.0.0.1:9", tmp_path)
    looks: list[int] = []
    look = scorer._look_far
    scorer._look_far = lambda: (looks.append(1), look())[1]  # type: ignore[method-assign, func-returns-value]
    for _ in range(50):
        with pytest.raises(StoreUnreachable):
            scorer.current()
    assert 1 <= len(looks) < 10


def test_a_champion_that_cannot_be_loaded_leaves_the_one_in_memory(
    url: str,
    model: Classifier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scorer_on: Callable[[str, Path], Scorer],
) -> None:
    monkeypatch.setattr(scoring, "FOLLOW_SECONDS", 0.1)
    scorer, other = scorer_on(url, tmp_path / "here"), scorer_on(url, tmp_path / "there")
    assert scorer.current().version == shipped.VERSION
    other.registry.add(named(model, "v-1"))
    other.registry.load("v-1")
    spoil(url, "card.json", lambda content: content + b" ")
    other.registry.promote("v-1")  # its machine has the true bytes in its cache
    wait_until(lambda: scorer.trouble() is not None)
    assert scorer.trouble() == f"DigestMismatch; going on with {shipped.VERSION}"
    assert scorer.current().version == shipped.VERSION


def test_a_manifest_that_is_put_right_again_ends_the_trouble(
    url: str,
    model: Classifier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scorer_on: Callable[[str, Path], Scorer],
) -> None:
    monkeypatch.setattr(scoring, "FOLLOW_SECONDS", 0.1)
    scorer = scorer_on(url, tmp_path)
    scorer.registry.add(named(model, "v-1"))
    scorer.registry.promote("v-1")
    assert (scorer.current().version, scorer.trouble()) == ("v-1", None)
    spoil(url, "manifest.json", lambda content: content.replace(b'"v-1"', b'"v-2"'))
    wait_until(lambda: scorer.trouble() == "ManifestInvalid; going on with v-1")
    spoil(url, "manifest.json", lambda content: content.replace(b'"v-2"', b'"v-1"'))
    wait_until(lambda: scorer.trouble() is None)
    assert scorer.current().version == "v-1"


def test_a_bucket_that_is_not_there_is_no_empty_installation(
    object_server: ObjectServer, tmp_path: Path
) -> None:
    elsewhere = object_server.url().replace("@greenroom/", "@no-such-bucket/")
    with pytest.raises(StoreUnreachable, match="no-such-bucket"):
        Registry(ObjectStore(elsewhere, tmp_path), SIGNING_KEY).champion()


def test_wrong_credentials_are_named_and_never_shown(object_server: ObjectServer, tmp_path: Path) -> None:
    wrong = object_server.url().replace(SECRET, "swordfish")
    with pytest.raises(StoreUnreachable) as refusal:
        Registry(ObjectStore(wrong, tmp_path), SIGNING_KEY).champion()
    assert "PermissionDenied" in str(refusal.value) or "Unauthenticated" in str(refusal.value)
    assert "swordfish" not in str(refusal.value) and KEY not in str(refusal.value)


def test_a_cache_that_cannot_be_written_does_not_matter(url: str, model: Classifier, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    models = Registry(ObjectStore(url, tmp_path / "file"), SIGNING_KEY)
    models.add(named(model, "v-1"))
    assert models.promote("v-1") == models.load().version


@pytest.mark.parametrize(
    "url",
    [
        "https://bucket/models",
        "s3://",
        "s3://bucket:9000/models",
        "s3://bucket?endpoint=127.0.0.1:9000",
        "s3://bucket?endpoit=http://127.0.0.1:9000",
        "s3://key@bucket",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="GREENROOM_MODELS_URL must"):
        load_settings({"GREENROOM_HOME": str(tmp_path), "GREENROOM_MODELS_URL": url})


def test_an_address_is_read_with_its_credentials_unquoted() -> None:
    address = parse_address("s3://key:a%2Fb%40c@bucket/some/where/?endpoint=http://host:9000&region=eu")
    assert (address.bucket, address.prefix) == ("bucket", "some/where")
    assert address.options == {"endpoint": "http://host:9000", "region": "eu"}
    assert address.credentials == {"access_key_id": "key", "secret_access_key": "a/b@c"}


def test_without_the_package_the_start_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"needs the package obstore: pip install 'greenroom\[s3\]'"):
        load_settings({"GREENROOM_HOME": str(tmp_path), "GREENROOM_MODELS_URL": "s3://bucket"})


def test_the_manifest_in_the_store_is_the_one_of_a_folder(
    models: Registry, model: Classifier, url: str, tmp_path: Path
) -> None:
    """So that an installation can move: copy the folder's versions by `add`, or read it with any S3 tool."""
    import obstore

    folder = Registry(tmp_path / "folder", SIGNING_KEY)
    for registry in (models, folder):
        registry.add(named(model, "v-1"))
        registry.promote("v-1")
    stored = json.loads(bytes(obstore.get(client(url), "manifest.json").bytes()))  # type: ignore[arg-type]
    assert stored == json.loads((tmp_path / "folder" / "manifest.json").read_text())
