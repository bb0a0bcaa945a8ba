"""An encoder in a file of 4-bit numbers: classifier.quantised"""

import struct
from pathlib import Path

import numpy as np
import pytest

from classifier.errors import ModelError
from classifier.quantised import _EMBEDDINGS, _PARTS, Quantised, bert, read_quantised, tokenizer

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁good", "▁pig", "s", "🐷", "g", "o", "d"]
HIDDEN, INNER, POSITIONS = 32, 64, 16
READ_AS = {ord("\t"): " ", ord("ｇ"): "g", 0x200B: ""}
ROWS_OF_BLOCKS = {"q": HIDDEN, "k": HIDDEN, "v": HIDDEN, "ao": HIDDEN, "fi": INNER, "fo": HIDDEN}
COLUMNS = {part: INNER if part == "fo" else HIDDEN for part in ROWS_OF_BLOCKS}


def numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Whole steps from -8 to 7, which a block of scale 1 holds exactly."""
    return np.random.default_rng(seed).integers(-8, 8, shape).astype(np.float32)


def weights() -> dict[str, tuple[bool, np.ndarray]]:
    """By name, whether they are in blocks and what they are."""
    found = {
        "emb.word": (True, numbers((len(PIECES), HIDDEN), 1)),
        "emb.pos": (False, numbers((POSITIONS, HIDDEN), 2) / 3),
        "emb.type": (False, numbers((2, HIDDEN), 3) / 3),
        "emb.ln.w": (False, np.ones(HIDDEN, np.float32)),
        "emb.ln.b": (False, np.zeros(HIDDEN, np.float32)),
    }
    for seed, part in enumerate(_PARTS):
        if part in ROWS_OF_BLOCKS:
            found[f"l0.{part}.w"] = True, numbers((ROWS_OF_BLOCKS[part], COLUMNS[part]), seed)
            found[f"l0.{part}.b"] = False, numbers((ROWS_OF_BLOCKS[part],), 9 + seed) / 7
        else:
            found[f"l0.{part}.w"] = False, np.ones(HIDDEN, np.float32)
            found[f"l0.{part}.b"] = False, np.zeros(HIDDEN, np.float32)
    return found


def in_blocks(values: np.ndarray, scale: float = 0.5) -> bytes:
    steps = (values.ravel() + 8).astype(np.uint8).reshape(-1, 32)
    pairs = steps[:, :16] | steps[:, 16:] << 4
    return b"".join(struct.pack("<e", scale) + row.tobytes() for row in pairs)


def written(path: Path) -> Path:
    letters = [piece.encode() for piece in PIECES]
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, 1, 2, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32)
    vocabulary = struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(b"".join(letters)))
    vocabulary += np.cumsum([0, *map(len, letters)]).astype("<u4").tobytes()
    scores = [0.0, 0.0, 0.0, 0.0, -4.0, -3.0, -3.0, -2.0, -5.0, -6.0, -6.0, -6.0]
    vocabulary += np.array(scores, "<f4").tobytes() + b"".join(letters)
    read_as = b"".join(
        struct.pack(f"<IB{len(to)}I", of, len(to), *map(ord, to)) for of, to in sorted(READ_AS.items())
    )
    vocabulary += struct.pack("<iI", len(READ_AS), len(read_as)) + read_as
    parts = {
        name: (blocks, values.size, in_blocks(values) if blocks else values.astype("<f4").tobytes())
        for name, (blocks, values) in weights().items()
    }
    start = len(head + vocabulary) + 4 + sum(2 + len(name) + 21 for name in parts)
    places, data = struct.pack("<i", len(parts)), b""
    for name, (blocks, count, packed) in parts.items():
        places += struct.pack("<H", len(name)) + name.encode()
        places += struct.pack("<BIQQ", blocks, count, start + len(data), len(packed))
        data += packed
    path.write_bytes(head + vocabulary + places + data)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Quantised:
    return read_quantised(written(tmp_path / "small.bin"))


def test_weights_in_blocks_are_their_steps_times_the_scale_and_the_others_as_they_are(
    small: Quantised,
) -> None:
    for name, (blocks, values) in weights().items():
        assert np.array_equal(small.weights[name], (values * 0.5 if blocks else values).ravel()), name


def test_sizes_pieces_and_ids_are_as_written(small: Quantised) -> None:
    assert (small.sizes.hidden, small.sizes.intermediate, small.sizes.positions) == (HIDDEN, INNER, POSITIONS)
    assert [piece for piece, _ in small.pieces] == PIECES
    assert small.ends == (0, 2, 1, 3)


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(b"PK\3\4 something else")
    with pytest.raises(ModelError, match=r"other\.bin: not an encoder"):
        read_quantised(path)


@pytest.mark.parametrize("length", [12, 60, 200, 2000])
def test_a_file_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    path = written(tmp_path / "small.bin")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelError, match="cannot be read as an encoder"):
        read_quantised(path)


def test_a_text_becomes_the_likeliest_pieces_between_the_two_ends(small: Quantised) -> None:
    pytest.importorskip("tokenizers", reason="no tokenizers (make train installs it)")
    cutter, prepared = tokenizer(small)
    pieces = cutter.encode(prepared("ｇo\u200bod\tpigs  🐷")).tokens
    assert pieces == ["<s>", "▁good", "▁pig", "s", "▁", "🐷", "</s>"]


def test_the_network_takes_every_weight_where_it_belongs(small: Quantised) -> None:
    pytest.importorskip("torch", reason="no PyTorch (make train installs it)")
    pytest.importorskip("transformers", reason="no transformers (make train installs it)")
    network = bert(small)
    found = dict(network.named_parameters())
    assert len(found) == len(weights())
    assert np.array_equal(found["embeddings.word_embeddings.weight"].detach(), weights()["emb.word"][1] * 0.5)
    for part, place in _PARTS.items():
        blocks, values = weights()[f"l0.{part}.w"]
        there = found[f"encoder.layer.0.{place}.weight"].detach().numpy()
        assert np.array_equal(there, values * 0.5 if blocks else values), part
    assert set(_EMBEDDINGS.values()) < set(found)
    assert network.config.pad_token_id == PIECES.index("<pad>")
