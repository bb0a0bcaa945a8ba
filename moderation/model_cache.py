"""What this machine has read of an object store, so that a restart without the store goes on scoring.

Only a copy: a process that cannot write it works from memory, and everything read from it is checked again.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

# Two files a version: the champions of late, and the cards that a list of models shows.
MOST_FILES = 40
_MANIFEST = "manifest.json"


class ModelCache:
    """A folder of files named by their digest, and the last manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, digest: str) -> bytes | None:
        """The bytes with this digest, if they are here and still have it."""
        content = self._read(digest)
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            return None
        with contextlib.suppress(OSError):
            os.utime(self.folder / digest)  # what is in use stays longest
        return content

    def keep(self, digest: str, content: bytes) -> None:
        """Keep bytes that have this digest, and let go of what was not used for longest."""
        if hashlib.sha256(content).hexdigest() == digest:
            self._write(digest, content)
            self._let_go()

    def read_manifest(self) -> bytes | None:
        """The manifest seen last, perhaps by another process of this machine."""
        return self._read(_MANIFEST)

    def keep_manifest(self, content: bytes) -> None:
        """Remember the manifest."""
        self._write(_MANIFEST, content)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def _write(self, name: str, content: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as draft:
                draft.write(content)
            # Whole or not at all, for a process that reads meanwhile. Not fsynced: it is only a copy.
            Path(draft.name).replace(self.folder / name)
        except OSError as error:
            log.debug("%s cannot be written (%s)", self.folder, error.strerror)

    def _let_go(self) -> None:
        with contextlib.suppress(OSError):
            files = [path for path in self.folder.iterdir() if path.name != _MANIFEST]
            files.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            for path in files[MOST_FILES:]:
                path.unlink(missing_ok=True)
