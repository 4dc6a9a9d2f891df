"""Rows become texts: tables and the datasets of the Hugging Face Hub, streamed by `datasets`."""

from __future__ import annotations

import contextlib
import glob
import itertools
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from textgen.errors import CorpusError

TABLES = {".jsonl": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
TEXT_COLUMNS = ("text", "document", "content")
PATIENCE = 60.0  # seconds without news after which a dataset counts as unreachable

Row = Mapping[str, Any]


def table_texts(path: Path, column: str | None, encoding: str) -> Generator[str, None, None]:
    import datasets

    suffix = path.suffix.lower()
    options: dict[str, Any] = {}
    if suffix != ".parquet":
        options["encoding"] = "utf-16" if encoding.startswith("utf-16") else encoding
    if TABLES[suffix] == "csv":
        options |= {"keep_default_na": False, "na_values": [""]}  # "NA" and "null" are words
    if suffix == ".tsv":
        options |= {"sep": "\t", "quoting": 3}  # a lone quotation mark is text there, not syntax
    files: dict[str, Any] = {
        "data_files": glob.escape(str(path)),
        "split": "train",
        "streaming": True,
    }
    try:
        with quiet():
            rows = datasets.load_dataset(TABLES[suffix], **files, **options)
            yield from _column_texts(rows, column, str(path))
    except CorpusError:
        raise
    except Exception as error:
        raise CorpusError(f"cannot read {path} ({_brief(error)}): check the file") from None


def dataset_texts(item: str) -> Generator[str, None, None]:
    candidates, split, column = parse_hf(item)

    def rows() -> Iterator[Row]:
        import datasets

        _reach_hub()
        for number, (name, config) in enumerate(candidates, 1):
            try:
                yield from datasets.load_dataset(name, config, split=split, streaming=True)
                return
            except datasets.exceptions.DatasetNotFoundError:
                if number == len(candidates):
                    raise

    name = item.removeprefix("hf:")
    try:
        with quiet(), contextlib.closing(_in_background(rows)) as arriving:
            yield from _column_texts(arriving, column, item)
        return
    except CorpusError:
        raise
    except FileNotFoundError:
        trouble = "is not on the Hugging Face Hub, or not public: check its name"
    except OSError:  # no connection, or none any more; TimeoutError is one too
        trouble = "is out of reach: connect to the internet"
    except Exception as error:
        trouble = f"cannot be read ({_brief(error)}): check its config and split"
    raise CorpusError(f"dataset {name} {trouble} or give a local file")


def parse_hf(item: str) -> tuple[list[tuple[str, str | None]], str, str | None]:
    """([(name, config), ...] to try in order, split, column) of "hf:NAME[/CONFIG]:SPLIT:COLUMN"."""
    path, *rest = item.removeprefix("hf:").split(":")
    parts = path.split("/")
    if not all(parts) or len(parts) > 3 or len(rest) > 2 or any(c.isspace() for c in path):
        raise CorpusError(f"{item!r} names no dataset: write hf:NAME[/CONFIG][:SPLIT][:COLUMN]")
    split, column = (*rest, "", "")[:2]
    candidates: list[tuple[str, str | None]] = [(path, None)]
    if len(parts) == 2:  # owner/name, or the name of an old dataset without owner and a config
        candidates.append((parts[0], parts[1]))
    elif len(parts) == 3:
        candidates = [("/".join(parts[:2]), parts[2])]
    return candidates, split or "train", column or None


def _column_texts(rows: Iterable[Row], column: str | None, name: str) -> Generator[str, None, None]:
    """The texts of one column; which columns hold text is read off the first rows."""
    rest = iter(rows)
    head = list(itertools.islice(rest, 100))
    if not head:
        return
    values = {key: [r[key] for r in head if r.get(key) is not None] for key in head[0]}
    textual = [k for k, v in values.items() if v and all(isinstance(value, str) for value in v)]
    if column is None:
        usual = [key for key in TEXT_COLUMNS if key in textual]
        column = usual[0] if usual else textual[0] if len(textual) == 1 else None
    if column not in textual:
        fault = f"has no text column {column!r}" if column else "leaves open which column is meant"
        known = ", ".join(textual) or "none"
        raise CorpusError(f"{name} {fault}: write :COLUMN after it (columns with text: {known})")
    for row in itertools.chain(head, rest):
        if row.get(column) is not None:
            yield str(row[column])


def _reach_hub() -> None:
    """Raise `OSError` at once where the Hub is out of reach; `datasets` would retry for long."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=5)
    except Exception as error:
        raise OSError("the Hub does not answer") from error


def _in_background(make: Callable[[], Iterable[Row]]) -> Generator[Row, None, None]:
    """The rows of `make()`, fetched in a thread so that a dead connection cannot hang us."""
    batches: queue.Queue[list[Row] | BaseException | None] = queue.Queue(maxsize=8)
    stopped = threading.Event()

    def put(batch: list[Row] | BaseException | None) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                return batches.put(batch, timeout=0.2)

    def work() -> None:
        batch: list[Row] = []
        try:
            sent = time.monotonic()
            for row in make():
                batch.append(row)
                if stopped.is_set():
                    return
                if len(batch) == 256 or time.monotonic() - sent > 1:
                    put(batch)
                    batch, sent = [], time.monotonic()
            put(batch)
            put(None)
        except BaseException as error:
            put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            try:
                batch = batches.get(timeout=PATIENCE)
            except queue.Empty:
                raise TimeoutError("no row for long") from None
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield from batch
    finally:
        stopped.set()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no log lines of `datasets` and the Hub's client."""
    import datasets
    import huggingface_hub

    loggers = (datasets.utils.logging, huggingface_hub.utils.logging)
    before = [logger.get_verbosity() for logger in loggers]
    bars = datasets.is_progress_bar_enabled()
    try:
        datasets.disable_progress_bars()
        for logger in loggers:
            logger.set_verbosity(logger.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.set_verbosity(level)
        if bars:
            datasets.enable_progress_bars()


def _brief(error: Exception) -> str:
    """One short line of an error of someone else's."""
    return " ".join(str(error.__cause__ or error).split())[:160] or type(error).__name__
