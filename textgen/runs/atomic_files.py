"""Files of a run: written whole or not at all, read with suspicion.

A process that is killed, or a disk that is full, leaves what stood there before.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from textgen.errors import RunError

REMEDY = "give a folder that `textgen train --out` made"
_FOLDERS_OPEN = os.name == "posix"  # elsewhere a folder can be neither locked nor synced


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Make `folder` where there is none, and keep other processes from training in it.

    What a killed process left half written there is cleared away, and folders made here that stay
    empty. Raises `RunError`.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY) if _FOLDERS_OPEN else None
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        if handle is not None and not lock(handle):
            raise RunError(f"another process is training in {folder}: wait for its end, or stop it")
        for path in folder.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                path.unlink()
        yield
    finally:
        if handle is not None:
            os.close(handle)  # which unlocks
        with contextlib.suppress(OSError):  # of one that is not empty
            for path in made:
                path.rmdir()


def lock(file: int | IO[bytes], *, wait: bool = False) -> bool:
    """Lock `file` until it is closed, here and in the processes that inherit it; whether it was
    free."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        pass  # a system, or a file system, that has no such locks
    return True


def write_file(path: Path, data: bytes) -> None:
    """Write `data` as `replacing` does. Raises `RunError`."""
    with replacing(path) as file:
        file.write(data)


def write_output(path: Path, data: bytes) -> None:
    """Write `data` where a person asked for it: a plain file as `write_file` does, at the end of a
    link where it is one; a pipe or a device is written into, and stays. Raises `RunError`."""
    path = Path(os.path.realpath(path))
    if not path.exists() or path.is_file() or path.is_dir():
        write_file(path, data)
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise _unwritable(path, error) from error


def check_writable(path: Path) -> None:
    """Raise `RunError` where `write_output` could not write to `path`, as far as that can be told
    without writing."""
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise _unwritable(path, OSError(errno.EISDIR, os.strerror(errno.EISDIR)))
    if place.exists() and not place.is_file():  # a pipe or a device
        return
    folder = next(above for above in place.parents if above.exists())
    code = errno.EACCES if folder.is_dir() else errno.ENOTDIR
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(path, OSError(code, os.strerror(code)))


def remove(path: Path) -> None:
    """Take a file away, where there is one. Raises `RunError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside `path`, to be written, that is put there in one move: never half a file.

    Raises `RunError` when the disk is full or the folder cannot be written; what stood at `path`
    stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # before the move: else a power cut may leave an empty file
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Let the move itself survive a power cut."""
    if _FOLDERS_OPEN:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unwritable(path: Path, error: OSError) -> RunError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    way_out = "free some space or choose another folder" if full else "choose another place"
    return RunError(f"cannot write {path}: {error.strerror or error}; {way_out}")


def append_line(path: Path, line: str) -> None:
    """Add a line to a log of the run. Raises `RunError` when the disk is full."""
    try:
        # not through a link: in a folder from elsewhere it may lead anywhere
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with open(os.open(path, flags, 0o666), "a", encoding="utf-8", errors="replace") as file:
            file.write(line)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror}; free some space, then go on with --resume"
        ) from error


def keep_lines(path: Path, step_of: Callable[[str], int], last: int) -> None:
    """Drop the lines of a log that tell of steps after `last`, or are torn.

    step_of: raises `ValueError`, `LookupError` or `TypeError` for a line that is torn.
    """
    if not path.is_file():
        return
    lines = []
    # by bytes, since a text may hold other marks that end a line; what follows the last is torn
    for line in read_file(path).split(b"\n")[:-1]:
        with contextlib.suppress(ValueError, LookupError, TypeError):
            if step_of(line.decode()) <= last:
                lines.append(line + b"\n")
    write_file(path, b"".join(lines))


def read_file(path: Path, largest: int | None = None, remedy: str = REMEDY) -> bytes:
    """The bytes of a plain file, of a run folder unless `remedy` says what to give instead. Raises
    `RunError` when missing or too large."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe never ends, nor does /dev/zero
            raise RunError(f"{path} is not a plain file: {remedy}")
        if largest is not None and status.st_size > largest:
            raise RunError(f"{path} is larger than {largest} bytes: {remedy}")
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}; {remedy}") from error
