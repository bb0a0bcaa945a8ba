"""What can be wrong with a model: one line each, naming the file."""

from pathlib import Path


class ModelError(Exception):
    """A model cannot be used; the text is one line for a person."""


class DigestMismatch(ModelError):
    """A file is not the one that was recorded: never load it, joblib runs code on load."""

    def __init__(self, path: Path, recorded_in: Path) -> None:
        super().__init__(f"{path} does not match its digest in {recorded_in}; refusing to load it")


class UnknownVersion(ModelError):
    """No model has this version."""


class ManifestInvalid(ModelError):
    """The manifest is not JSON, or not signed with this installation's key."""


class NothingToRollBack(ModelError):
    """The champion has no predecessor."""


class ChampionChanged(ModelError):
    """Another model came into force than the one that whoever asked had seen there."""

    def __init__(self, champion: str) -> None:
        super().__init__(f"{champion} is in force meanwhile")
        self.champion = champion


class OutdatedModel(ModelError):
    """Another release of the service made this file, in a form that this one does not read."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: was made by another release of the service and cannot be used by this one")
