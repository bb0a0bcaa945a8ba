"""Models in an S3-compatible object store, for machines that share no directory.

The registry checks digests and signature, so nothing here trusts the store, nor the cache on this machine.
A version's files lie under a name that holds their digest: two machines that write the same version at once
do not spoil each other's. The manifest is replaced by a conditional PUT (If-Match), which one writer wins.

The client's threads do not survive a fork: a process that forks leaves the store to its children.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from moderation.model_cache import ModelCache

if TYPE_CHECKING:
    from obstore.store import S3Store

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
OPTIONS = frozenset({"endpoint", "region"})
CONNECT_SECONDS, SILENT_SECONDS, MOST_SECONDS = 2, 5, 60
# Enough of a digest to tell files apart; the registry compares the whole of it.
_DIGITS = 16
_NONE, _UNKNOWN = "no manifest yet", "the store could not be asked"


@dataclass(frozen=True)
class Address:
    """What a URL such as `s3://key:secret@bucket/prefix?endpoint=https://host&region=name` says."""

    bucket: str
    prefix: str
    options: Mapping[str, str]
    credentials: Mapping[str, str]


def parse_address(url: str) -> Address:
    """The parts of MODELS_URL; ValueError with what it must be."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    endpoint = urlsplit(options.get("endpoint", "https://host"))
    if parts.scheme != "s3" or not parts.hostname or parts.port or not options.keys() <= OPTIONS:
        raise ValueError("must be a URL like s3://bucket/prefix?endpoint=https://host&region=name")
    if endpoint.scheme not in {"http", "https"} or not endpoint.netloc:
        raise ValueError("must have an endpoint that starts with http:// or https://")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("must have both a key and a secret before the bucket, or neither")
    credentials = {
        "access_key_id": unquote(parts.username or ""),
        "secret_access_key": unquote(parts.password or ""),
    }
    return Address(parts.hostname, parts.path.strip("/"), options, credentials if parts.username else {})


class ObjectStore:
    """The registry's interface to a bucket; what was read is kept in `cache_folder` as well."""

    def __init__(self, url: str, cache_folder: Path) -> None:
        self.address = parse_address(url)
        self._trouble: str | None = None
        shown = f"{self.address.bucket}/{self.address.prefix}".rstrip("/")
        place = hashlib.sha256(f"{shown} {sorted(self.address.options.items())}".encode()).hexdigest()
        self._shown = Path("s3:") / shown
        self._cache = ModelCache(cache_folder / place[:_DIGITS])
        self._seen: tuple[bytes | None, str] | None = None

    def place(self, name: str = "") -> Path:
        """Where a name lies, without credentials."""
        return self._shown / name

    def read(self, name: str, digest: str) -> bytes:
        """From this machine's cache if it holds these very bytes, else from the store."""
        cached = self._cache.read(digest)
        if cached is not None:
            return cached
        import obstore

        with self._asking():
            content = bytes(obstore.get(self._client, _key(name, digest)).bytes())
        self._cache.keep(digest, content)
        return content

    def write(self, version: str, files: Mapping[str, bytes]) -> None:
        """Each file in one request, so that it is there whole or not at all."""
        import obstore

        for name, content in files.items():
            digest = hashlib.sha256(content).hexdigest()
            with self._asking():
                obstore.put(self._client, _key(f"{version}/{name}", digest), content, use_multipart=False)

    def delete(self, version: str) -> None:
        """Remove a version's files."""
        import obstore

        with self._asking():
            for found in obstore.list(self._client, prefix=version):
                obstore.delete(self._client, [one["path"] for one in found])

    def written(self) -> Mapping[str, float]:
        """The versions with files here, each with the time of its latest one."""
        import obstore

        latest: dict[str, float] = {}
        with self._asking():
            for one in (one for found in obstore.list(self._client) for one in found):
                version, _, rest = one["path"].partition("/")
                # Only names of our making: what else lies in the bucket is not ours to judge.
                if rest.endswith((".joblib", ".json")) and rest.count("/") == 1:
                    latest[version] = max(latest.get(version, 0.0), one["last_modified"].timestamp())
        return latest

    def manifest(self) -> tuple[bytes | None, object]:
        """The manifest, or the last one seen if the store is away, with a mark that forbids replacing it."""
        try:
            self._seen = self._ask_for_manifest(self._seen)
        except ConnectionError:
            last = self._seen[0] if self._seen else self._cache.read_manifest()
            if last is None and self._seen is None:
                raise
            return last, _UNKNOWN
        return self._seen

    def replace_manifest(self, mark: object, content: bytes) -> bool:
        """A conditional PUT: of several writers that saw the same manifest one wins."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        if mark is _UNKNOWN:
            raise ConnectionError(_UNKNOWN)
        try:
            with self._asking():
                done = obstore.put(
                    self._client,
                    MANIFEST,
                    content,
                    mode="create" if mark is _NONE else {"e_tag": str(mark)},
                    use_multipart=False,
                )
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return False
        self._seen = content, str(done["e_tag"])
        self._cache.keep_manifest(content)
        return True

    def stamp(self) -> object:
        """The entity tag seen last; asks nobody."""
        return self._seen and self._seen[1]

    def writing(self) -> AbstractContextManager[None]:
        """Nothing to hold: names with digests and the conditional PUT do it."""
        return nullcontext()

    def trouble(self) -> str | None:
        """Why the store did not answer when it was last asked."""
        return self._trouble

    def _ask_for_manifest(self, seen: tuple[bytes | None, str] | None) -> tuple[bytes | None, str]:
        import obstore
        from obstore.exceptions import NotModifiedError

        known = seen is not None and seen[1] is not _NONE
        try:
            with self._asking():
                got = obstore.get(
                    self._client, MANIFEST, options={"if_none_match": seen[1]} if seen and known else {}
                )
                content, mark = bytes(got.bytes()), str(got.meta["e_tag"])
        except NotModifiedError:
            return seen or (None, _NONE)
        except FileNotFoundError:
            return None, _NONE
        self._cache.keep_manifest(content)
        return content, mark

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Tell apart what the store answered from its not answering, and remember which it was."""
        from obstore import exceptions

        answers = (
            exceptions.AlreadyExistsError,
            exceptions.NotModifiedError,
            exceptions.PreconditionError,
            FileNotFoundError,
        )
        try:
            yield
        except answers as error:
            if "NoSuchBucket" in str(error):
                raise self._unreachable(f"no bucket {self.address.bucket}") from None
            self._reached()
            raise
        except (exceptions.BaseError, ValueError, OSError) as error:
            # The client's own words run over many lines.
            log.debug("%s", str(error).partition("\n")[0])
            raise self._unreachable(type(error).__name__) from None
        else:
            self._reached()

    def _unreachable(self, why: str) -> ConnectionError:
        if self._trouble is None:
            log.warning("%s cannot be reached (%s); going on with what is at hand", self._shown, why)
        self._trouble = why
        return ConnectionError(why)

    def _reached(self) -> None:
        if self._trouble is not None:
            log.warning("%s can be reached again", self._shown)
        self._trouble = None

    @property
    def _client(self) -> "S3Store":
        client, pid = self._made
        if pid != os.getpid():
            raise ConnectionError("the process that used the store before was forked")
        return client

    @cached_property
    def _made(self) -> "tuple[S3Store, int]":
        from obstore.store import S3Store

        address = self.address
        endpoint = address.options.get("endpoint", "")
        client = S3Store(
            address.bucket,
            prefix=address.prefix or None,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "read_timeout": timedelta(seconds=SILENT_SECONDS),
                "timeout": timedelta(seconds=MOST_SECONDS),
            },
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=CONNECT_SECONDS)},
            **{**address.options, **address.credentials},  # type: ignore[arg-type]
        )
        return client, os.getpid()


def _key(name: str, digest: str) -> str:
    version, _, file = name.partition("/")
    return f"{version}/{digest[:_DIGITS]}/{file}"
