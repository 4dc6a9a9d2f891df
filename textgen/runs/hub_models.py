"""Run folders on the Hugging Face Hub: "hf://user/name", or "hf://user/name@revision"."""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from textgen.errors import MissingPart, RunError, TextgenError, shown
from textgen.runs.array_file import LARGEST_FILE
from textgen.runs.ngrams import NGRAMS
from textgen.runs.run_folder import (
    CONFIG,
    LARGEST_CONFIG,
    LARGEST_TOKENIZER,
    WEIGHTS,
    read_config,
    tokenizer_class,
)
from textgen.runs.voices import VOICES

# a Path has but one of the slashes
ADDRESS = re.compile(r"hf:/{1,2}(\w[\w.-]*/\w[\w.-]*)(?:@(\w[\w./-]*))?")
PATIENCE = 5.0  # seconds
OUT_OF_REACH = "is out of reach: connect to the internet"
NOT_YOURS = "is not yours to write: `hf auth login`, with a token that may"


def is_on_hub(path: str | Path) -> bool:
    """Whether this names a run on the Hub."""
    return str(path).startswith("hf:/")


def fetch(address: str | Path) -> Path:
    """The run folder at `address`, as it lies in the Hub's cache on this machine: nothing but what
    is needed to write is fetched, and nothing that is larger than such a file can be.

    Raises `RunError` where there is none, where it is out of reach, and for what is no run folder;
    `MissingPart` without huggingface_hub.
    """
    found = ADDRESS.fullmatch(str(address))
    if found is None:
        raise RunError(f"{shown(str(address))} names no model: write hf://user/name")
    need_hub()
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    repository, revision = found[1], found[2] or "main"
    with errors_explained(f"hf://{repository}"):
        get = _from_hub if _hub_answers() else _from_cache
        path, commit = get(repository, CONFIG, revision, LARGEST_CONFIG)
        tokenizer = tokenizer_class(path.parent, read_config(path.parent)).filename
        get(repository, tokenizer, commit, LARGEST_TOKENIZER)
        get(repository, WEIGHTS, commit, LARGEST_FILE)
        for name in (VOICES, NGRAMS):  # few models have them
            try:
                get(repository, name, commit, LARGEST_FILE)
            except LocalEntryNotFoundError:
                if get is _from_hub:  # it has broken off
                    raise
            except EntryNotFoundError:
                pass
    return path.parent


def need_hub() -> None:
    """Raise `MissingPart` without the Hub's client."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingPart("the Hub needs huggingface_hub: pip install 'textgen-recurrent[hub]'")


def check_access(repository: str) -> None:
    """Raise `RunError` where nothing could be sent to the repository "user/name" from here, since
    nobody is logged in, or the Hub is out of reach or does not know who it is."""
    from huggingface_hub import HfApi, get_token

    address = f"hf://{repository}"
    if get_token() is None:
        raise RunError(f"{address} {NOT_YOURS}")
    if not _hub_answers():
        raise RunError(f"{address} {OUT_OF_REACH}")
    with errors_explained(address):
        HfApi().whoami()


def _hub_answers() -> bool:
    """Whether it does at once; its client would try again for half a minute."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception:
        return False
    return True


def _from_hub(repository: str, name: str, revision: str, largest: int) -> tuple[Path, str]:
    """(where the file lies now, the commit it is of)."""
    from huggingface_hub import hf_hub_download

    about = hf_hub_download(repository, name, revision=revision, dry_run=True)
    if about.file_size is None or about.file_size > largest:
        raise RunError(f"hf://{repository}: {name} is larger than {largest} bytes")
    path = Path(hf_hub_download(repository, name, revision=about.commit_hash))
    return path, about.commit_hash


def _from_cache(repository: str, name: str, revision: str, largest: int) -> tuple[Path, str]:
    """The same of what was fetched before."""
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(repository, name, revision=revision, local_files_only=True)
    return Path(path), revision


@contextlib.contextmanager
def errors_explained(address: str) -> Iterator[None]:
    """Turn an error of the Hub's client into a `RunError`, and silence its progress bars."""
    from huggingface_hub import errors
    from huggingface_hub.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    shown_before = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
        return
    except TextgenError:
        raise
    except errors.HFValidationError:
        trouble = "is no name that the Hub allows: check it"
    except errors.LocalEntryNotFoundError:  # and it was not fetched before
        trouble = OUT_OF_REACH
    except errors.GatedRepoError:
        trouble = "is open to those alone who were admitted: ask for it on its page"
    except errors.RepositoryNotFoundError:
        trouble = "is not there, or not yours to see: check the name, or `hf auth login`"
    except errors.EntryNotFoundError:
        trouble = "is no run folder of textgen: give one that `textgen push` sent"
    except errors.RevisionNotFoundError:
        trouble = "has no such revision: check what stands behind the @"
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", 0)
        brief = " ".join(str(error).split())[:160] or type(error).__name__
        trouble = f"cannot be reached ({brief}): try again"
        if status in (401, 403):
            trouble = NOT_YOURS
    finally:
        if shown_before:
            enable_progress_bars()
    raise RunError(f"{address} {trouble}")
