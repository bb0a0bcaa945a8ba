"""The signed list of an installation's models: without the key nobody can make us run code."""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from classifier.errors import ManifestInvalid

MANIFEST_FILE, LOCK_FILE = "manifest.json", "manifest.lock"
_FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """The SHA-256 of a version's two files."""

    model_sha256: str
    card_sha256: str


@dataclass(frozen=True)
class Manifest:
    """Versions by name in order of arrival, the champion ("" is the shipped model), and those before it."""

    versions: Mapping[str, Entry] = field(default_factory=dict)
    champion: str = ""
    history: tuple[str, ...] = ()


def parse_manifest(path: Path, content: bytes | None, key: bytes) -> Manifest:
    """The manifest in these bytes, an empty one for None; ManifestInvalid when it is not ours."""
    if content is None:
        return Manifest()
    try:
        outer = json.loads(content)
        signature, body = str(outer["signature"]), outer["manifest"]
    except (ValueError, TypeError, KeyError):
        raise ManifestInvalid(f"{path} is not a manifest; refusing to use it") from None
    if not hmac.compare_digest(signature.encode(), _signature(body, key).encode()):
        raise ManifestInvalid(f"{path} is not signed with this installation's key; refusing to use it")
    return _parse(path, body)


def manifest_bytes(manifest: Manifest, key: bytes) -> bytes:
    """The signed manifest; the same one gives the same bytes."""
    body = {"format": _FORMAT, "order": list(manifest.versions), **asdict(manifest)}
    content = json.dumps({"manifest": body, "signature": _signature(body, key)}, indent=1, sort_keys=True)
    return content.encode()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One holder at a time, across processes; the kernel releases the lock of a killed one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk: a rename is durable only then."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def _signature(body: Any, key: bytes) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, b"greenroom models manifest\n" + canonical.encode(), hashlib.sha256).hexdigest()


def _parse(path: Path, body: Any) -> Manifest:
    try:
        if body["format"] != _FORMAT:
            raise ManifestInvalid(f"{path} has format {body['format']}, this program reads {_FORMAT}")
        # Sorting the keys for the signature loses the order of arrival, so each entry's place is in `order`.
        versions = {name: Entry(**body["versions"][name]) for name in body["order"]}
        return Manifest(versions, body["champion"], tuple(body["history"]))
    except (TypeError, KeyError):
        raise ManifestInvalid(f"{path} lacks members; refusing to use it") from None
