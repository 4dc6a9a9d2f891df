"""Ways to spoil a run folder, as damage or as malice would."""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

CONFIG, WEIGHTS = "config.json", "model.safetensors"
Spoiler = Callable[[random.Random, Path], None]
HUGE = 10**30


def deep(levels: int) -> str:
    """JSON so deep that a reader without care runs out of stack."""
    return "[" * levels + "]" * levels


def values(rng: random.Random) -> Any:
    """Something that no one expects in a configuration."""
    return rng.choice(
        [
            None,
            True,
            -1,
            0,
            1,
            2,
            7,
            8192,
            2**31,
            2**63,
            HUGE,
            -HUGE,
            1e308,
            -0.0,
            float("nan"),
            float("inf"),
            "",
            "lstm",
            "../../etc/passwd",
            "/dev/zero",
            "\0",
            "\ud800",
            "x" * 100_000,
            [],
            {},
            [1],
            ["x"],
            {"a": 1},
            [[]] * 10,
            "__import__('os').system('true')",
            "<script>alert(1)</script>",
        ]
    )


# --- any file ------------------------------------------------------------------------------------


def _file(rng: random.Random, folder: Path) -> Path:
    names = [CONFIG, WEIGHTS, *(p.name for p in folder.glob("tokenizer.*"))]
    return folder / rng.choice(names)


def truncate(rng: random.Random, folder: Path) -> None:
    path = _file(rng, folder)
    os.truncate(path, rng.randrange(path.stat().st_size))


def flip_bits(rng: random.Random, folder: Path) -> None:
    path = _file(rng, folder)
    data = bytearray(path.read_bytes())
    # headers are where it hurts
    end = len(data) if rng.random() < 0.5 else min(len(data), 2000)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        data[rng.randrange(end)] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def noise(rng: random.Random, folder: Path) -> None:
    """A stretch of random bytes, or nothing but random bytes."""
    path = _file(rng, folder)
    data = bytearray(path.read_bytes())
    begin, size = rng.randrange(len(data)), rng.choice([1, 16, 1000, len(data)])
    data[begin : begin + size] = rng.randbytes(size)
    path.write_bytes(data if rng.random() < 0.5 else rng.randbytes(rng.choice([0, 1, 8, 9, 4096])))


def splice(rng: random.Random, folder: Path) -> None:
    """A part twice, left out, or at the end."""
    path = _file(rng, folder)
    data = path.read_bytes()
    a, b = sorted(rng.choices(range(len(data)), k=2))
    path.write_bytes(rng.choice([data[:b] + data[a:], data[:a] + data[b:], data + data[a:b]]))


def swap_files(rng: random.Random, folder: Path) -> None:
    one, other = _file(rng, folder), _file(rng, folder)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def special_file(rng: random.Random, folder: Path) -> None:
    """Not a file but a link, a pipe, a folder; or a file with nothing but room in it."""
    path = _file(rng, folder)
    data = path.read_bytes()
    path.unlink()
    kind = rng.choice(
        [
            "zero",
            "random",
            "passwd",
            "loop",
            "dangling",
            "up",
            "pipe",
            "folder",
            "sparse",
            "gone",
            "moved",
            "tty",
            "self",
        ]
    )
    targets = {
        "zero": "/dev/zero",
        "random": "/dev/urandom",
        "passwd": "/etc/passwd",
        "loop": path.name,
        "dangling": "/nowhere/at/all",
        "up": "../" * 40 + "etc/hostname",
        "tty": "/dev/tty",
        "self": "/proc/self/mem",
    }
    if kind in targets:
        path.symlink_to(targets[kind])
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "sparse":
        path.write_bytes(data)
        os.truncate(path, rng.choice([10**8, 10**10, 10**12]))
    elif kind == "moved":  # which is no attack, as downloads are kept so
        path.with_name("blob").write_bytes(data)
        path.symlink_to("blob")


# --- config.json ---------------------------------------------------------------------------------


def config_values(rng: random.Random, folder: Path) -> None:
    path = folder / CONFIG
    card = json.loads(path.read_text(encoding="utf-8"))
    for _ in range(rng.choice([1, 1, 1, 3])):
        section = rng.choice([*card])
        if isinstance(card[section], dict) and card[section] and rng.random() < 0.85:
            card[section][rng.choice([*card[section]])] = values(rng)
        else:
            card[section] = values(rng)
    path.write_text(json.dumps(card), encoding="utf-8")


def config_sizes(rng: random.Random, folder: Path) -> None:
    """A model of any size, which the weights do not have."""
    path = folder / CONFIG
    card = json.loads(path.read_text(encoding="utf-8"))
    for name in rng.sample(
        ["hidden_size", "num_layers", "embedding_size"], k=rng.choice([1, 2, 3])
    ):
        card["model"][name] = rng.choice([1, 2, 16, 33, 100, 1024, 8192, 10**6, 10**9, HUGE])
    card["model"]["cell"] = rng.choice(["rnn", "lstm", "gru", "peephole", "coupled", "mingru"])
    card["model"]["tie_weights"] = rng.random() < 0.3
    path.write_text(json.dumps(card), encoding="utf-8")


def config_text(rng: random.Random, folder: Path) -> None:
    """JSON that is none, too deep, too long, in another encoding."""
    path = folder / CONFIG
    text = path.read_text(encoding="utf-8")
    spoiled = rng.choice(
        [
            deep(rng.choice([900, 5000, 100_000])).encode(),
            text.replace('"model": {', '"model": {"x": ' + deep(50_000) + ",", 1).encode(),
            text.encode("utf-16"),
            b"\xef\xbb\xbf" + text.encode(),
            text.encode() * 2,
            b" " * 900_000 + text.encode(),
            b" " * 2_000_000 + text.encode(),
            text.replace("1", "9" * 5000).encode(),
            b"null",
            b"[]",
            b"{}",
            b'""',
            b"\xff\xfe\xff",
            text.replace('"cell"', '"cell": "rnn", "cell"').encode(),
            text.replace('"format": 1', '"format": NaN').encode(),
        ]
    )
    path.write_bytes(spoiled)


# --- model.safetensors ---------------------------------------------------------------------------


def header_lies(rng: random.Random, folder: Path) -> None:
    """The header tells of other shapes, types, places or names."""
    path = folder / WEIGHTS
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    for _ in range(rng.choice([1, 1, 2])):
        name = rng.choice([n for n in header if n != "__metadata__"] or [""])
        entry = header.get(name, {})
        kind = rng.randrange(8)
        if kind == 0:
            entry["shape"] = rng.choice(
                [
                    [],
                    [0],
                    [-1],
                    [2**63],
                    [2**32, 2**32],
                    [1] * 1000,
                    [1.5],
                    "x",
                    None,
                    HUGE,
                    [n * 2 for n in entry.get("shape", [1])],
                    entry.get("shape", [1])[::-1],
                ]
            )
        elif kind == 1:
            entry["dtype"] = rng.choice(["F64", "F16", "BF16", "I64", "BOOL", "F8_E4M3", "X", 3])
        elif kind == 2:
            entry["data_offsets"] = rng.choice(
                [[0, 2**63], [2**64, 0], [0, 0], [8, 4], [-4, 4], [0], "x", None, [0, len(body)]]
            )
        elif kind == 3:
            header[rng.choice(["", "x", "../x", "\0", "recurrent.0.kernel" * 99])] = header.pop(
                name, {}
            )
        elif kind == 4:
            header.pop(name, None)
        elif kind == 5:
            header["__metadata__"] = rng.choice(
                [{"sha256": "0" * 64}, {"sha256": 3}, [], None, "x", {"a": "b" * 100_000}]
            )
        elif kind == 6:
            header = {
                f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                for i in range(rng.choice([10, 5000]))
            }
        else:
            entry["x"] = rng.choice([1, [1], json.loads(deep(100))])
    told = json.dumps(header).encode()
    if rng.random() < 0.1:
        told = deep(rng.choice([200, 100_000])).encode()
    if rng.random() < 0.1:
        told += b" " * rng.choice([10, 10**6, 5 * 10**7])
    length = len(told) if rng.random() < 0.8 else rng.choice([0, 1, 2**31, 2**63, 2**64 - 1])
    path.write_bytes(struct.pack("<Q", length) + told + body)


def weight_values(rng: random.Random, folder: Path) -> None:
    """Numbers that are none, too large, or of another type; a tensor too many or too few."""
    path = folder / WEIGHTS
    arrays = safetensors.numpy.load_file(path)
    name = rng.choice(sorted(arrays))
    array = arrays[name].copy()
    kind = rng.randrange(7)
    if kind == 0:
        array.flat[rng.randrange(array.size)] = rng.choice([np.nan, np.inf, -np.inf])
    elif kind == 1:
        array[...] = rng.choice([3e38, -3e38, 1e20, 1e-45, 0.0])
    elif kind == 2:
        array = array.astype(rng.choice([np.float64, np.float16, np.int32, np.uint8, np.bool_]))
    elif kind == 3:
        array = array.reshape(-1)
    elif kind == 4:
        arrays = {n: np.zeros(a.shape, np.float32) for n, a in arrays.items()}
        array = arrays[name]
    elif kind == 5:
        arrays["more"] = np.zeros(rng.choice([0, 1, 10**6]), np.float32)
    else:
        array = array[:0]
    arrays[name] = array
    safetensors.numpy.save_file(arrays, path)


# --- the tokenizer -------------------------------------------------------------------------------


def tokenizer_file(rng: random.Random, folder: Path) -> None:
    path = next(folder.glob("tokenizer.*"))
    if path.suffix == ".json":
        path.write_text(_vocabulary(rng, json.loads(path.read_text(encoding="utf-8"))))
    else:
        path.write_bytes(_pieces(rng, path.read_bytes()))


def _vocabulary(rng: random.Random, content: dict[str, Any]) -> str:
    characters = content["characters"]
    kind = rng.randrange(6)
    if kind == 0:
        characters[rng.randrange(len(characters))] = values(rng)
    elif kind == 1:
        characters += rng.choice([["\ud800"], ["\0"], ["ab"], ["\n"], [""], ["각" * 2], [[]]])
    elif kind == 2:
        content["characters"] = [chr(n) for n in range(0x4E00, 0x9FFF)] * rng.choice([1, 40])
    elif kind == 3:
        content["characters"] = values(rng)
    elif kind == 4:
        content[rng.choice(["format", "version", "characters", "more"])] = values(rng)
    else:
        return deep(rng.choice([500, 100_000]))
    return json.dumps(content)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _pieces(rng: random.Random, data: bytes) -> bytes:
    """A SentencePiece model that lies, or none at all."""
    kind = rng.randrange(7)
    if kind == 0:
        return rng.randbytes(rng.choice([1, 100, 10_000, 1_000_000]))
    if kind == 1:  # one more piece: its name and score
        score = struct.pack("<f", rng.choice([np.nan, np.inf, 0.0, -1e38]))
        name = rng.choice([b"", b"\0", b"\xff\xfe", b"x" * 100_000, "▁▁".encode(), b"<0x00>"])
        return data + _field(1, _field(1, name) + b"\x15" + score)
    if kind == 2:  # many pieces
        return data + b"".join(
            _field(1, _field(1, str(n).encode())) for n in range(rng.choice([1000, 300_000]))
        )
    if kind == 3:  # empty fields without end
        return rng.choice([b"\x0a\x00", b"\x12\x00", b"\x08\x00", b"\x1a\x02\x08\x01"]) * 500_000
    if kind == 4:  # a length beyond the end, or beyond all bounds
        return data + b"\x0a" + rng.choice([_varint(2**31), _varint(2**63), b"\xff" * 12])
    if kind == 5:  # settings: a normaliser with rules, other kinds of model
        rules = _field(2, rng.randbytes(rng.choice([4, 1000])))
        return data + _field(3, _field(1, b"identity") + rules)
    return data + _field(2, b"\x18" + _varint(rng.choice([0, 3, 4, 2**40])))


SPOILERS: tuple[Spoiler, ...] = (
    truncate,
    flip_bits,
    noise,
    splice,
    swap_files,
    special_file,
    config_values,
    config_sizes,
    config_text,
    header_lies,
    weight_values,
    tokenizer_file,
)


def spoiled(source: Path, target: Path, number: int, seed: int) -> str:
    """Make `target` from `source` by way `number`, drawn from `seed`; the name of the way."""
    rng = random.Random(f"{seed} {number}")
    shutil.copytree(source, target)
    way = SPOILERS[number % len(SPOILERS)]
    way(rng, target)
    return way.__name__
