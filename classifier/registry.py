"""Where an installation keeps its models: which is champion, which came before, are the files those we wrote.

Every step is safe against kill -9: a model's folder appears by one rename before the manifest names it, and
the manifest changes by one rename. A folder that no manifest names is rubbish, never loaded.
"""

import logging
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier import shipped
from classifier.errors import DigestMismatch, ModelError, NothingToRollBack, OutdatedModel, UnknownVersion
from classifier.manifest import (
    MANIFEST_FILE,
    Entry,
    Manifest,
    locked,
    read_manifest,
    sha256,
    sync_folder,
    write_durably,
    write_manifest,
)
from classifier.model import (
    CARD_FILE,
    MODEL_FILE,
    Classifier,
    card_bytes,
    from_bytes,
    model_bytes,
    parse_card,
)

logger = logging.getLogger(__name__)

# "" as champion would be ambiguous, and a version is a folder's name: no separators, no leading dot.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHIPPED_FOLDER = Path(shipped.__file__).parent
_KEPT_RECENT = 3


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
    """The models of an installation: a folder each under `models_dir`, plus the shipped one."""

    def __init__(self, models_dir: Path, signing_key: bytes) -> None:
        self.models_dir = Path(models_dir)
        self._key = signing_key

    def stamp(self) -> tuple[int, ...]:
        """Changes whenever the champion may have changed; costs one os.stat."""
        try:
            state = (self.models_dir / MANIFEST_FILE).stat()
        except FileNotFoundError:
            return ()
        return state.st_mtime_ns, state.st_ino, state.st_size

    def champion(self) -> str:
        """The version in use; the shipped one until another is promoted."""
        return self._manifest().champion or shipped.VERSION

    def load(self, version: str | None = None) -> Classifier:
        """A version, after its bytes were checked against their digests.

        None: the champion, or the shipped model if another release of the service made the champion's file,
        until a new champion is trained: an upgrade must not stop the scoring.
        """
        if version is not None:
            return self._load(version)
        try:
            return self._load(self.champion())
        except OutdatedModel as error:
            logger.warning("%s; scoring with the shipped model", error)
            return load_shipped()

    def _load(self, name: str) -> Classifier:
        manifest = self._manifest()
        folder, entry, record = self._place(manifest, name)
        model = _verified(folder / MODEL_FILE, entry.model_sha256, record)
        card = _verified(folder / CARD_FILE, entry.card_sha256, record)
        return from_bytes(folder, model, card)

    def card(self, version: str) -> dict[str, Any]:
        """The checked card of a version."""
        folder, entry, record = self._place(self._manifest(), version)
        return parse_card(folder / CARD_FILE, _verified(folder / CARD_FILE, entry.card_sha256, record))

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
        with locked(self.models_dir):
            manifest = self._manifest()
            if version in manifest.versions or version == shipped.VERSION:
                raise ModelError(f"{self.models_dir / version}: this version exists already")
            self._store(version, model, card)
            entry = Entry(sha256(model), sha256(card))
            self._write(replace(manifest, versions={**manifest.versions, version: entry}))
        return version

    def promote(self, version: str) -> str:
        """Make a version the champion; loads it first, so that a champion can always be loaded."""
        with locked(self.models_dir):
            manifest = self._manifest()
            self.load(version)
            current = manifest.champion or shipped.VERSION
            if version != current:
                history = (*manifest.history, current)
                self._write(replace(manifest, champion=_stored(version), history=history))
        return version

    def rollback(self) -> str:
        """Make the previous champion the champion again; NothingToRollBack when there is none."""
        with locked(self.models_dir):
            manifest = self._manifest()
            if not manifest.history:
                raise NothingToRollBack(
                    f"{self.models_dir / MANIFEST_FILE} names no champion before this one"
                )
            previous = manifest.history[-1]
            # A shipped model may have been replaced by an upgrade since: then today's shipped one is meant.
            target = previous if previous in manifest.versions else shipped.VERSION
            self.load(target)
            self._write(replace(manifest, champion=_stored(target), history=manifest.history[:-1]))
        return target

    def prune(self, keep: int = 5) -> list[str]:
        """Delete all but the newest `keep`; never the champion, the one before it, or the last three."""
        with locked(self.models_dir):
            manifest = self._manifest()
            names = list(manifest.versions)
            kept = {*names[-max(keep, _KEPT_RECENT) :], manifest.champion, *manifest.history[-1:]}
            dropped = [name for name in names if name not in kept]
            if dropped:
                remaining = {name: entry for name, entry in manifest.versions.items() if name in kept}
                history = tuple(name for name in manifest.history if name not in dropped)
                self._write(replace(manifest, versions=remaining, history=history))
            # After the manifest: a crash here leaves rubbish, not a name without a model.
            for name in dropped:
                shutil.rmtree(self.models_dir / name, ignore_errors=True)
        return dropped

    def _manifest(self) -> Manifest:
        return read_manifest(self.models_dir, self._key)

    def _write(self, manifest: Manifest) -> None:
        write_manifest(self.models_dir, self._key, manifest)

    def _place(self, manifest: Manifest, version: str) -> tuple[Path, Entry, Path]:
        """The folder of a version, its digests, and where they are recorded."""
        if version in manifest.versions:
            return self.models_dir / version, manifest.versions[version], self.models_dir / MANIFEST_FILE
        if version == shipped.VERSION:
            return shipped_folder(), Entry(shipped.MODEL_SHA256, shipped.CARD_SHA256), Path(shipped.__file__)
        raise UnknownVersion(f"{self.models_dir} has no model version {version!r}")

    def _info(self, version: str, manifest: Manifest) -> VersionInfo:
        folder, entry, record = self._place(manifest, version)
        card = parse_card(folder / CARD_FILE, _verified(folder / CARD_FILE, entry.card_sha256, record))
        return VersionInfo(
            version=version,
            champion=version == (manifest.champion or shipped.VERSION),
            shipped=version == shipped.VERSION,
            created_at=card.get("created_at", ""),
            parent=card.get("parent"),
            sha256=entry.model_sha256,
            metrics=card.get("summary") or {},
        )

    def _store(self, version: str, model: bytes, card: bytes) -> None:
        """Write the folder under another name, then rename it."""
        target = self.models_dir / version
        for leftover in [target, *self.models_dir.glob(".adding-*")]:
            # We hold the lock and no manifest names it: left by a writer that was killed.
            shutil.rmtree(leftover, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=".adding-", dir=self.models_dir))
        temporary.chmod(0o755)
        write_durably(temporary / MODEL_FILE, model)
        write_durably(temporary / CARD_FILE, card)
        sync_folder(temporary)
        temporary.rename(target)
        sync_folder(self.models_dir)


def shipped_folder() -> Path:
    """Where the model that came with this release lies."""
    if not shipped.VERSION:
        raise UnknownVersion(f"{_SHIPPED_FOLDER} holds no model yet; run `make train`")
    return _SHIPPED_FOLDER / shipped.VERSION


def load_shipped() -> Classifier:
    """The checked model that came with this release."""
    folder, record = shipped_folder(), Path(shipped.__file__)
    model = _verified(folder / MODEL_FILE, shipped.MODEL_SHA256, record)
    return from_bytes(folder, model, _verified(folder / CARD_FILE, shipped.CARD_SHA256, record))


def _stored(version: str) -> str:
    """The shipped model is "" in the manifest, so that an upgrade brings its successor."""
    return "" if version == shipped.VERSION else version


def _verified(path: Path, digest: str, record: Path) -> bytes:
    """The very bytes that were checked: reading the file again later could give others."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
    if sha256(content) != digest:
        raise DigestMismatch(path, record)
    return content
