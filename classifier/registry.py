"""The models of an installation: which is champion, which came before, are the bytes those we wrote.

Every step is safe against kill -9: a model's files lie in their place before the manifest names them, and
the manifest changes in one step. Files that no manifest names are rubbish, never loaded.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier import shipped
from classifier.errors import (
    ChampionChanged,
    DigestMismatch,
    ManifestInvalid,
    ModelError,
    NothingToRollBack,
    OutdatedModel,
    UnknownVersion,
)
from classifier.manifest import MANIFEST_FILE, Entry, Manifest, manifest_bytes, parse_manifest, sha256
from classifier.model import (
    CARD_FILE,
    MODEL_FILE,
    Classifier,
    card_bytes,
    from_bytes,
    model_bytes,
    parse_card,
)
from classifier.store import Directory, ModelStore, StoreUnreachable

logger = logging.getLogger(__name__)

# "" as champion would be ambiguous, and a version is a folder's name: no separators, no leading dot.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHIPPED_FOLDER = Path(shipped.__file__).parent
_KEPT_RECENT = 3
# Files that the manifest does not name may be a writer's who is about to name them; not after a day.
_RUBBISH_SECONDS = 24 * 3600.0
# Somebody wins each round, so this many must write at once before one of them gives up.
_MOST_ROUNDS = 50


@dataclass(frozen=True)
class VersionInfo:
    """A line of the list of models; `metrics` is the card's summary, `sha256` of model.joblib."""

    version: str
    champion: bool
    shipped: bool
    created_at: str
    parent: str | None
    sha256: str
    metrics: Mapping[str, Any]


class Registry:
    """The models in a folder or another place, plus the shipped one."""

    def __init__(self, models: Path | ModelStore, signing_key: bytes) -> None:
        self.store: ModelStore = Directory(models) if isinstance(models, Path) else models
        self._key = signing_key

    def stamp(self) -> object:
        """Changes whenever the champion may have changed; costs next to nothing."""
        return self.store.stamp()

    def champion(self) -> str:
        """The version in use; the shipped one until another is promoted."""
        return self._manifest().champion or shipped.VERSION

    def previous(self) -> str | None:
        """The champion before this one, to which a rollback returns; None if there was none."""
        return next(reversed(self._manifest().history), None)

    def knows(self, version: str) -> bool:
        """Whether it is a version of this installation, or the shipped one."""
        return version == shipped.VERSION or version in self._manifest().versions

    def load(self, version: str | None = None) -> Classifier:
        """A version, after its bytes were checked against their digests.

        None: the champion, or the shipped model if another release of the service made the champion's file,
        until a new champion is trained: an upgrade must not stop the scoring.
        """
        manifest = self._manifest()
        if version is not None:
            return self._load(manifest, version)
        try:
            return self._load(manifest, manifest.champion or shipped.VERSION)
        except OutdatedModel as error:
            logger.warning("%s; scoring with the shipped model", error)
            return load_shipped()

    def card(self, version: str) -> dict[str, Any]:
        """The checked card of a version."""
        return self._card(self._manifest(), version)

    def versions(self) -> list[VersionInfo]:
        """All models, the shipped one first, then in order of arrival."""
        manifest = self._manifest()
        names = [shipped.VERSION, *manifest.versions]
        return [self._info(name, manifest) for name in names]

    def add(self, classifier: Classifier) -> str:
        """Store a model as a new version (not yet the champion); ModelError when the version exists."""
        version = classifier.version
        if not _VERSION.fullmatch(version):
            raise ModelError(f"{version!r} cannot be a version: letters, digits, '.', '_' and '-' only")
        model = model_bytes(classifier)
        card = card_bytes({**classifier.card, "sha256": sha256(model)})
        entry = Entry(sha256(model), sha256(card))

        def with_it(manifest: Manifest) -> Manifest:
            if version in manifest.versions or version == shipped.VERSION:
                raise ModelError(f"{self.store.place(version)}: this version exists already")
            return replace(manifest, versions={**manifest.versions, version: entry})

        with self.store.writing():
            with_it(self._manifest())
            try:
                self.store.write(version, {MODEL_FILE: model, CARD_FILE: card})
            except OSError as error:
                raise self._failed(error, "cannot be written") from None
            self._change(with_it)
        return version

    def promote(self, version: str, *, expected: str | None = None) -> str:
        """Make a version the champion; loads it first, so that a champion can always be loaded.

        ChampionChanged when `expected` was named and is not the champion (nor the version itself).
        """

        def with_champion(manifest: Manifest) -> Manifest:
            current = manifest.champion or shipped.VERSION
            _refuse_unexpected(current, expected, version)
            self._load(manifest, version)
            if version == current:
                return manifest
            return replace(manifest, champion=_stored(version), history=(*manifest.history, current))

        with self.store.writing():
            self._change(with_champion)
        return version

    def rollback(self, *, expected: str | None = None) -> str:
        """Make the previous champion the champion again; NothingToRollBack when there is none.

        ChampionChanged when `expected` was named and is not the champion.
        """

        def with_the_previous(manifest: Manifest) -> Manifest:
            _refuse_unexpected(manifest.champion or shipped.VERSION, expected)
            if not manifest.history:
                raise NothingToRollBack(f"{self._record} names no champion before this one")
            previous = manifest.history[-1]
            # A shipped model may have been replaced by an upgrade since: then today's shipped one is meant.
            target = previous if previous in manifest.versions else shipped.VERSION
            self._load(manifest, target)
            return replace(manifest, champion=_stored(target), history=manifest.history[:-1])

        with self.store.writing():
            return self._change(with_the_previous).champion or shipped.VERSION

    def prune(self, keep: int = 5) -> list[str]:
        """Delete all but the newest `keep`; never the champion, the one before it, or the last three."""
        dropped: list[str] = []

        def without_the_old(manifest: Manifest) -> Manifest:
            names = list(manifest.versions)
            kept = {*names[-max(keep, _KEPT_RECENT) :], manifest.champion, *manifest.history[-1:]}
            dropped[:] = [name for name in names if name not in kept]
            remaining = {name: entry for name, entry in manifest.versions.items() if name in kept}
            history = tuple(name for name in manifest.history if name not in dropped)
            return replace(manifest, versions=remaining, history=history) if dropped else manifest

        with self.store.writing():
            manifest = self._change(without_the_old)
            # After the manifest: a crash here leaves rubbish, not a name without a model.
            self._delete([*dropped, *self._rubbish(manifest)])
        return dropped

    @property
    def _record(self) -> Path:
        return self.store.place(MANIFEST_FILE)

    def _manifest(self) -> Manifest:
        return self._read_manifest()[0]

    def _read_manifest(self) -> tuple[Manifest, object]:
        try:
            content, mark = self.store.manifest()
        except ConnectionError as error:
            raise self._failed(error, "cannot be read") from None
        except OSError as error:
            raise ManifestInvalid(f"{self._record} cannot be read ({error.strerror})") from None
        return parse_manifest(self._record, content, self._key), mark

    def _change(self, edit: Callable[[Manifest], Manifest]) -> Manifest:
        """Put the edited manifest in the old one's place; edits anew when another writer was quicker."""
        for _ in range(_MOST_ROUNDS):
            before, mark = self._read_manifest()
            after = edit(before)
            # Nothing to write also when the answer to our own write was lost and we come by again.
            if after == before or self._replace(mark, manifest_bytes(after, self._key)):
                return after
        raise StoreUnreachable(f"{self._record}: others write all the time; try again")

    def _replace(self, mark: object, content: bytes) -> bool:
        try:
            replaced, lost = self.store.replace_manifest(mark, content), None
        except OSError as error:
            replaced, lost = False, self._failed(error, "cannot be written")
        # A write whose answer was lost counts: done again, a rollback would go back two champions.
        if replaced or self._read_manifest()[0] == parse_manifest(self._record, content, self._key):
            return True
        if lost is not None:
            raise lost
        return False

    def _failed(self, error: OSError, what: str) -> ModelError:
        return _failed(self.store.place(), error, what)

    def _rubbish(self, manifest: Manifest) -> list[str]:
        """Versions that no manifest names although their files have lain there for a day."""
        long_ago = time.time() - _RUBBISH_SECONDS
        try:
            written = self.store.written()
        except OSError:
            return []
        return [name for name, at in written.items() if name not in manifest.versions and at < long_ago]

    def _delete(self, versions: list[str]) -> None:
        try:
            for version in versions:
                self.store.delete(version)
        except OSError as error:
            logger.warning("%s", self._failed(error, "old versions stay for now"))

    def _load(self, manifest: Manifest, version: str) -> Classifier:
        return _loaded(*self._place(manifest, version), version)

    def _card(self, manifest: Manifest, version: str) -> dict[str, Any]:
        store, entry, record = self._place(manifest, version)
        name = f"{version}/{CARD_FILE}"
        return parse_card(store.place(name), _verified(store, name, entry.card_sha256, record))

    def _place(self, manifest: Manifest, version: str) -> tuple[ModelStore, Entry, Path]:
        """Where a version lies, its digests, and where they are recorded."""
        if version in manifest.versions:
            return self.store, manifest.versions[version], self._record
        if version == shipped.VERSION:
            return _shipped_place()
        raise UnknownVersion(f"{self.store.place()} has no model version {version!r}")

    def _info(self, version: str, manifest: Manifest) -> VersionInfo:
        card = self._card(manifest, version)
        return VersionInfo(
            version=version,
            champion=version == (manifest.champion or shipped.VERSION),
            shipped=version == shipped.VERSION,
            created_at=card.get("created_at", ""),
            parent=card.get("parent"),
            sha256=self._place(manifest, version)[1].model_sha256,
            metrics=card.get("summary") or {},
        )


def _refuse_unexpected(champion: str, expected: str | None, wanted: str | None = None) -> None:
    # What is wanted may be in force already: by ourselves, when the answer to our own write was lost.
    if expected is not None and champion not in {expected, wanted}:
        raise ChampionChanged(champion)


def shipped_folder() -> Path:
    """Where the model that came with this release lies."""
    if not shipped.VERSION:
        raise UnknownVersion(f"{_SHIPPED_FOLDER} holds no model yet; run `make train`")
    return _SHIPPED_FOLDER / shipped.VERSION


def load_shipped() -> Classifier:
    """The checked model that came with this release."""
    return _loaded(*_shipped_place(), shipped_folder().name)


def _shipped_place() -> tuple[ModelStore, Entry, Path]:
    entry = Entry(shipped.MODEL_SHA256, shipped.CARD_SHA256)
    return Directory(shipped_folder().parent), entry, Path(shipped.__file__)


def _loaded(store: ModelStore, entry: Entry, record: Path, version: str) -> Classifier:
    model = _verified(store, f"{version}/{MODEL_FILE}", entry.model_sha256, record)
    card = _verified(store, f"{version}/{CARD_FILE}", entry.card_sha256, record)
    return from_bytes(store.place(version), model, card)


def _stored(version: str) -> str:
    """The shipped model is "" in the manifest, so that an upgrade brings its successor."""
    return "" if version == shipped.VERSION else version


def _verified(store: ModelStore, name: str, digest: str, record: Path) -> bytes:
    """The very bytes that were checked: reading them again later could give others."""
    try:
        content = store.read(name, digest)
    except OSError as error:
        raise _failed(store.place(name), error, "cannot be read") from None
    if sha256(content) != digest:
        raise DigestMismatch(store.place(name), record)
    return content


def _failed(place: Path, error: OSError, what: str) -> ModelError:
    if isinstance(error, ConnectionError):
        return StoreUnreachable(f"{place}: cannot be reached ({error.strerror or error})")
    return ModelError(f"{place}: {what} ({error.strerror or error})")
