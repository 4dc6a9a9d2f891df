"""What a user names becomes files: found under either form of its name, unpacked, within limits."""

from __future__ import annotations

import atexit
import bz2
import contextlib
import dataclasses
import functools
import gzip
import lzma
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, cast

from textgen.errors import CorpusError
from textgen.guesses import guesses
from textgen.text.nfc import nfc

BLOCK = 1 << 20  # bytes of a file read at once; characters of a chunk
PACKED = (".gz", ".bz2", ".xz", ".zst")
TEXT_FILES = (".txt", ".md")  # what a folder is searched for
RUN = ("config.json", "model.safetensors")  # what a folder that a model was trained into holds
STANDARD_INPUT = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
# A packed file that is a bomb: text rarely shrinks to a twentieth
BOMB_SIZE, BOMB_RATIO = 1 << 26, 200


@dataclasses.dataclass(frozen=True)
class File:
    """A file that can be read from its beginning as often as needed.

    name: for messages. suffix: of what is in it, in lower case. packing: one of `PACKED` or "".
    """

    path: Path
    name: str
    suffix: str
    packing: str = ""

    def blocks(self, size: int = 0) -> Generator[bytes, None, None]:
        """Its bytes, unpacked. Raises `CorpusError`."""
        size = size or BLOCK
        try:
            packed = self.path.stat().st_size
            read = 0
            with contextlib.closing(self._open()) as file:
                while data := file.read(size):
                    read += len(data)
                    if self.packing and read > max(BOMB_SIZE, BOMB_RATIO * packed):
                        raise CorpusError(
                            f"{self.name} unpacks to more than {BOMB_RATIO} times its size: "
                            "unpack it yourself if it is no bomb"
                        )
                    yield data
        except (EOFError, lzma.LZMAError, zlib.error):
            raise self._damaged() from None
        except OSError as error:
            if self.packing and error.errno is None:
                raise self._damaged() from None
            raise CorpusError(
                f"cannot read {self.name} ({error.strerror or error}): check the file"
            ) from None

    def head(self, size: int) -> bytes:
        """Its first bytes, at most `size`."""
        head = b""
        with contextlib.closing(self.blocks(min(size, BLOCK))) as blocks:
            for data in blocks:
                head += data
                if len(head) >= size:
                    break
        return head[:size]

    def whole(self, limit: int) -> bytes:
        """All of its bytes. Raises `CorpusError` where they are more than `limit`."""
        parts, read = [], 0
        for data in self.blocks():
            read += len(data)
            if read > limit:
                raise CorpusError(
                    f"{self.name} has more than {limit >> 20:,} MiB, too much for its kind: "
                    "give its text as .txt, .csv or .jsonl"
                )
            parts.append(data)
        return b"".join(parts)

    def size(self) -> int:
        """In bytes, unpacked."""
        return sum(map(len, self.blocks())) if self.packing else self.path.stat().st_size

    def _open(self) -> BinaryIO:
        if self.packing == ".gz":
            return cast(BinaryIO, gzip.open(self.path, "rb"))
        if self.packing == ".bz2":
            return cast(BinaryIO, bz2.open(self.path, "rb"))
        if self.packing == ".xz":
            return cast(BinaryIO, lzma.open(self.path, "rb"))
        if self.packing == ".zst":
            import pyarrow

            return cast(BinaryIO, pyarrow.input_stream(str(self.path), compression="zstd"))
        return self.path.open("rb")

    def _damaged(self) -> CorpusError:
        return CorpusError(
            f"{self.name} is damaged, or no {self.packing} file: check it, or unpack it yourself"
        )


def file_of(path: Path, name: str | None = None) -> File:
    """What to read at `path`."""
    suffix, packing = path.suffix.lower(), ""
    if suffix in PACKED:
        suffix, packing = path.with_suffix("").suffix.lower() or ".txt", suffix
    return File(path, name or str(path), suffix, packing)


# --- names ----------------------------------------------------------------------------------------


def is_stream(item: str) -> bool:
    """Whether `item` can be read but once: standard input or a pipe."""
    if item in STANDARD_INPUT:
        return True
    try:
        return stat.S_ISFIFO(os.stat(item).st_mode)
    except (OSError, ValueError):
        return False


def find(item: str) -> Path | None:
    """The path that `item` names, whether its name on the disk is in NFC or, as macOS has it, in
    NFD; None where there is none. Raises `CorpusError` where two differ in nothing else."""
    if _exists(item):
        return Path(item)
    if item.isascii():
        return None
    path = Path(item)
    here = Path(path.anchor)
    for part in path.parts[1:] if path.anchor else path.parts:
        if _exists(here / part):
            here /= part
            continue
        alike = [name for name in _names_in(here) if nfc(name) == nfc(part)]
        if len(alike) > 1:
            raise CorpusError(f"{here} holds {part!r} twice, in NFC and in NFD: rename one")
        if not alike:
            return None
        here /= alike[0]
    return here


def missing(item: str) -> CorpusError:
    """What is said of a name that nothing has."""
    path = Path(item[:1000])
    if os.path.islink(path):
        target = os.readlink(path)[:200]
        return CorpusError(f"{item[:200]!r} is a link to {target!r}, which is not there: mend it")
    by_stem: dict[str, list[str]] = {}  # what stands after the dot is no part of a slip
    for name in _names_in(path.parent):
        by_stem.setdefault(Path(name).stem, []).append(name)
    near = [name for stem in guesses(path.stem, by_stem) for name in by_stem[stem]]
    near.sort(key=lambda name: Path(name).suffix != path.suffix)
    remedy = f"is it {near[0]!r}?" if near else "check the path"
    return CorpusError(f"no such file or folder: {item[:200]!r}: {remedy}")


def _exists(path: str | Path) -> bool:
    try:
        return os.path.exists(path)  # unlike Path.exists, calm about names that are far too long
    except ValueError:
        return False


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


# --- streams --------------------------------------------------------------------------------------


@functools.cache
def _spool_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="textgen-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


_spooled: dict[str, Path] = {}


def spool(item: str) -> Path:
    """A file with all that a stream gives. It is read once in a process: a second reading of the
    same name gets the same file. Raises `CorpusError`."""
    key = "-" if item in STANDARD_INPUT else f"{item} {os.stat(item).st_ino}"
    if key not in _spooled:
        path = _spool_folder() / f"{len(_spooled)}"
        try:
            if key == "-" and sys.stdin is None:
                raise CorpusError("standard input is closed: give a file, or pipe a text in")
            if key == "-" and sys.stdin.isatty():
                raise CorpusError("standard input is a terminal: give a file, or pipe a text in")
            with (
                (
                    contextlib.nullcontext(sys.stdin.buffer) if key == "-" else open(item, "rb")
                ) as stream,
                path.open("wb") as file,
            ):
                shutil.copyfileobj(stream, file, BLOCK)
        except (OSError, AttributeError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no stream of bytes"
            raise CorpusError(f"cannot read {item} ({why}): give a file") from None
        _spooled[key] = path
    return _spooled[key]


# --- folders --------------------------------------------------------------------------------------


def files_in(folder: Path) -> tuple[list[Path], dict[str, int]]:
    """(the texts in `folder`, what else is left out -> how often).

    Links are not followed, nothing but plain files is opened, and what a model wrote in a run
    within is no text to train on.
    """
    texts: list[Path] = []
    left_out: Counter[str] = Counter()
    for place, folders, names in os.walk(folder):
        here = Path(place)
        if all((here / name).is_file() for name in RUN):
            folders.clear()
            left_out["runs"] += 1
            continue
        left_out["linked folders"] += sum(
            name[0] != "." and (here / name).is_symlink() for name in folders
        )
        left_out["hidden folders"] += sum(name[0] == "." for name in folders)
        folders[:] = sorted(n for n in folders if n[0] != "." and not (here / n).is_symlink())
        for name in names:
            path = here / name
            suffix = path.suffix.lower()
            if name.startswith("."):
                left_out["hidden files"] += 1
            elif name.startswith("~$"):  # which Office writes beside a document that is open
                left_out["lock files"] += 1
            elif path.is_symlink():
                left_out["linked files"] += 1
            elif not stat.S_ISREG(path.lstat().st_mode):
                left_out["pipes and devices"] += 1
            elif suffix in TEXT_FILES:
                texts.append(path)
            else:
                left_out[f"{suffix or 'nameless'} files"] += 1
    return sorted(texts, key=Path.as_posix), {k: n for k, n in left_out.items() if n}
