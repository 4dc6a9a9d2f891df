"""Datasets of the Hugging Face Hub become texts, streamed by `datasets`."""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

from textgen.errors import CorpusError
from textgen.text.columns import Value
from textgen.text.json_records import texts_of
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

FIRST = 1000  # records that tell which column holds the text
PATIENCE = 60.0  # seconds without news after which a dataset counts as unreachable

Record = Mapping[str, Value]


def read_dataset(item: str, config: ReadConfig, source: Provenance) -> Iterator[Part]:
    """The texts of "hf:NAME[/CONFIG][:SPLIT][:COLUMN]". Raises `CorpusError`."""
    candidates, split, column = parse_hf(item)

    def records() -> Iterator[Record]:
        import datasets

        _reach_hub()
        for number, (name, config) in enumerate(candidates, 1):
            try:
                yield from datasets.load_dataset(name, config, split=split, streaming=True)
                return
            except datasets.exceptions.DatasetNotFoundError:
                if number == len(candidates):
                    raise

    source.encoding, source.kind = "utf-8", "dataset"
    name = item.removeprefix("hf:")
    try:
        with _quiet(), contextlib.closing(_in_background(records)) as arriving:
            yield from _column_texts(arriving, column, item, config, source)
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


def _column_texts(
    records: Iterable[Record], wanted: str | None, name: str, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The texts of a dataset; which columns hold text is read off the first records."""
    rest = iter(records)
    head = list(itertools.islice(rest, FIRST))
    numbered = enumerate(itertools.chain(head, rest), 1)
    yield from texts_of(
        ((f"{name}, row {number:,},", dict(record)) for number, record in numbered),
        iter([(name, dict(record)) for record in head]),
        wanted,
        name,
        config,
        source,
    )


def _reach_hub() -> None:
    """Raise `OSError` at once where the Hub is out of reach; `datasets` would retry for long."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=5)
    except Exception as error:
        raise OSError("the Hub does not answer") from error


def _in_background(make: Callable[[], Iterable[Record]]) -> Generator[Record, None, None]:
    """The records of `make()`, fetched in a thread so that a dead connection cannot hang us."""
    batches: queue.Queue[list[Record] | BaseException | None] = queue.Queue(maxsize=8)
    stopped = threading.Event()

    def put(batch: list[Record] | BaseException | None) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                return batches.put(batch, timeout=0.2)

    def work() -> None:
        batch: list[Record] = []
        try:
            sent = time.monotonic()
            for record in make():
                batch.append(record)
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
                raise TimeoutError("no record for long") from None
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield from batch
    finally:
        stopped.set()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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
