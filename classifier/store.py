"""Where the bytes of models lie: one small interface, and the directory behind it.

Whatever the place, `Registry` checks digests and signature before it uses a byte of it.
"""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from classifier.errors import ModelError
from classifier.manifest import LOCK_FILE, MANIFEST_FILE, locked, sync_folder, write_durably


class StoreUnreachable(ModelError):
    """The place of the models does not answer: it may be back in a moment."""


class ModelStore(Protocol):
    """A place for models. It raises OSError where it fails, ConnectionError where it cannot be reached."""

    def place(self, name: str = "") -> Path:
        """Where a name lies, for messages only."""

    def read(self, name: str, digest: str) -> bytes:
        """The bytes of `version/file`; the digest says which, where a place may hold several."""

    def write(self, version: str, files: Mapping[str, bytes]) -> None:
        """Lay a new version's files down for good; nobody reads them before the manifest names them."""

    def delete(self, version: str) -> None:
        """Remove all files of a version, if there are any."""

    def written(self) -> Mapping[str, float]:
        """The versions that only a writer of ours can have left, each with the time of its latest file."""

    def manifest(self) -> tuple[bytes | None, object]:
        """The manifest's bytes, None when there is none, and a mark of this state of it."""

    def replace_manifest(self, mark: object, content: bytes) -> bool:
        """Put another in one step; False when it is no longer in the state of that mark."""

    def stamp(self) -> object:
        """Changes when the manifest has changed; never waits for anything."""

    def trouble(self) -> str | None:
        """Why the place did not answer when it was last asked; None when it did."""

    def writing(self) -> AbstractContextManager[None]:
        """One writer at a time, as far as the place can tell; `replace_manifest` decides all the same."""


class Directory:
    """Models in a folder of this machine, or of one that several machines share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, name: str = "") -> Path:
        """Where a name lies."""
        return self.folder / name

    def read(self, name: str, digest: str) -> bytes:
        """The bytes of a file."""
        return (self.folder / name).read_bytes()

    def write(self, version: str, files: Mapping[str, bytes]) -> None:
        """Write the folder under another name, then rename it."""
        target = self.folder / version
        for leftover in [target, *self.folder.glob(".adding-*")]:
            # We hold the lock and no manifest names it: left by a writer that was killed.
            shutil.rmtree(leftover, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=".adding-", dir=self.folder))
        temporary.chmod(0o755)
        for name, content in files.items():
            write_durably(temporary / name, content)
        sync_folder(temporary)
        temporary.rename(target)
        sync_folder(self.folder)

    def delete(self, version: str) -> None:
        """Remove a version's folder."""
        shutil.rmtree(self.folder / version, ignore_errors=True)

    def written(self) -> Mapping[str, float]:
        """None: a folder that the manifest does not name may be its owner's copy, and `write` clears ours."""
        return {}

    def manifest(self) -> tuple[bytes | None, object]:
        """The manifest, which is its own mark."""
        try:
            content = (self.folder / MANIFEST_FILE).read_bytes()
        except FileNotFoundError:
            return None, None
        return content, content

    def replace_manifest(self, mark: object, content: bytes) -> bool:
        """Replace it by a rename, so that a reader or a crash sees the old or the new one."""
        if self.manifest()[1] != mark:
            return False
        temporary = self.folder / f"{MANIFEST_FILE}.new"  # one name is enough: writers hold the lock
        write_durably(temporary, content)
        temporary.replace(self.folder / MANIFEST_FILE)
        sync_folder(self.folder)
        return True

    def stamp(self) -> object:
        """Costs one os.stat."""
        try:
            state = (self.folder / MANIFEST_FILE).stat()
        except FileNotFoundError:
            return ()
        return state.st_mtime_ns, state.st_ino, state.st_size

    def trouble(self) -> str | None:
        """None: a folder is there, or reading it says what is wrong."""
        return None

    def writing(self) -> AbstractContextManager[None]:
        """A lock that the kernel releases when its holder is killed."""
        return locked(self.folder / LOCK_FILE)
