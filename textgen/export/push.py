"""A run on the Hugging Face Hub: what is sent of it, and its card in the Hub's form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from textgen import shipped
from textgen.errors import ConfigError, shown
from textgen.runs.atomic_files import read_file
from textgen.runs.hub_models import need_hub, told
from textgen.runs.run_folder import (
    CONFIG,
    HISTORY,
    LARGEST_CONFIG,
    LARGEST_WEIGHTS,
    WEIGHTS,
    read_config,
    tokenizer_class,
)

REPOSITORY = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}")
CARD = "README.md"
# what a card of the Hub says of a measured model: https://huggingface.co/docs/hub/model-cards
RESULTS = """model-index:
- name: {name}
  results:
  - task:
      type: text-generation
    dataset:
      name: the held-out share of its training text
      type: text
    metrics:
    - type: bits_per_character
      name: bits per character
      value: {value:.4f}
"""


def push(run: str | Path, repository: str, *, private: bool = False) -> str:
    """Send a run to the repository "user/name", which is made where there is none; its address.

    What is needed to write goes, and the card and the course of training; of its text, the names of
    the files but not where they lie. All of it is one commit: it is there as a whole, or not.
    Raises `RunError`, `ConfigError` for what is no name, `MissingPart` without huggingface_hub.
    """
    check_repository(repository)
    need_hub()
    from huggingface_hub import CommitOperationAdd, HfApi

    files = files_of(shipped.find(Path(run), shipped.MODELS), repository)
    with told(f"hf://{repository}"):
        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        api.create_commit(
            repository,
            [CommitOperationAdd(name, data) for name, data in files.items()],
            commit_message="Add a run of textgen",
        )
    return f"hf://{repository}"


def check_repository(name: str) -> None:
    """Raise `ConfigError` for what is not "user/name"."""
    if REPOSITORY.fullmatch(name) is None:
        raise ConfigError(f"the repository is {shown(name)}: write user/name")


def files_of(folder: Path, repository: str) -> dict[str, bytes]:
    """What is sent, by its names."""
    card = read_config(folder)
    tokenizer = tokenizer_class(folder, card).filename
    files = {name: read_file(folder / name, LARGEST_WEIGHTS) for name in (WEIGHTS, tokenizer)}
    if (folder / HISTORY).is_file():
        files[HISTORY] = read_file(folder / HISTORY, LARGEST_WEIGHTS)
    config = json.dumps(without_places(card), ensure_ascii=False, indent=2) + "\n"
    files[CONFIG] = config.encode("utf-8", "backslashreplace")
    readme = b""
    if (folder / CARD).is_file():
        readme = read_file(folder / CARD, LARGEST_CONFIG)
    files[CARD] = hub_card(readme.decode("utf-8", "replace"), repository, card).encode()
    return files


def without_places(card: dict[str, Any]) -> dict[str, Any]:
    """config.json without the folders of this machine."""
    corpus = card.get("corpus")
    if not isinstance(corpus, dict) or "source" not in corpus:
        return card
    source = corpus["source"]
    names = [Path(str(one)).name for one in (source if isinstance(source, list) else [source])]
    return card | {"corpus": corpus | {"source": names if isinstance(source, list) else names[0]}}


def hub_card(readme: str, repository: str, card: dict[str, Any]) -> str:
    """The card of a run with its result in the Hub's form, and how it is loaded from there."""
    name = repository.partition("/")[2]
    found = re.fullmatch(r"---\n(.*?\n)---\n(.*)", readme, re.DOTALL)
    front, body = found.groups() if found else ("library_name: textgen\n", readme)
    metrics = card.get("metrics")
    value = metrics.get("val_bits_per_char") if isinstance(metrics, dict) else None
    if isinstance(value, float):
        front += RESULTS.format(name=name, value=value)
    body = re.sub(r'textgen\.load\("[^"\n]*"\)', f'textgen.load("hf://{repository}")', body)
    return f"---\n{front}---\n{body}"
